/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a family's sockets are read from netlink or from /proc: the decision. Both lanes of a
 * family share it.
 */
#pragma once

#include <stdint.h>

#include "daemon/core/poll.h"

/* How often netlink is tried again where it does not serve. */
#define SOURCE_RETRY_NS UINT64_C(60000000000)

enum source_mode {
	SOURCE_AUTO, /* netlink where it serves, else /proc */
	SOURCE_NETLINK_ONLY,
	SOURCE_PROCFS_ONLY,
};

struct source {
	bool is_off;       /* the family is not wanted */
	bool lacks_procfs; /* /proc has no table of it */
	enum source_mode mode;
	bool is_refused; /* netlink did not serve when it was last tried */
	uint64_t retry_ns;
};

/* Takes a mode, and forgets what was refused: the next poll tries. */
void source_configure(struct source *s, enum source_mode mode);
/* Where the poll that begins now is to read; POLL_SOURCE_END: nowhere. */
enum poll_source source_choose(struct source *s, uint64_t now_ns);
/* Netlink, which was chosen, does not serve. Whether /proc is to be read instead; *RET_IS_NEW: for
 * the first time. */
bool source_refused(struct source *s, uint64_t now_ns, bool *ret_is_new);
/* Whether /proc is read, as far as is known now. */
bool source_is_procfs(const struct source *s);
/* Netlink, which was chosen, has served. Whether it had not before. */
bool source_served(struct source *s);
