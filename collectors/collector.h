/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A walk over the sockets of one family, from netlink or from /proc: started, then stepped until it
 * has ended. Where it reads from is its owner's decision; the records are the same.
 */
#pragma once

#include "collectors/inetdiag_dump.h"
#include "collectors/procfs_dump.h"
#include "daemon/core/source.h"

struct collector_query {
	enum poll_family family;
	uint32_t states;    /* SOCK_STATE_BIT()s; from /proc all come, unless LISTEN is alone */
	uint8_t extensions; /* INETDIAG_EXT_…; of UNIX sockets UDIAG_SHOW_… */
	const struct filter_request *filter; /* for netlink, of IP sockets; NULL: all of them */
};

struct collector {
	struct inetdiag_dump netlink;
	struct procfs_dump procfs;
	enum poll_source source; /* of the walk under way, or of the last */
};

#define COLLECTOR_INIT                                                    \
	{                                                                 \
		.netlink = INETDIAG_DUMP_INIT, .procfs = PROCFS_DUMP_INIT \
	}

/* PROCFS: where /proc is. Opens nothing. */
void collector_init(struct collector *c, const char *procfs);
void collector_done(struct collector *c);
/* None may be under way. POLL_FAILURE_NONE, or why not. */
enum poll_failure collector_start(struct collector *c, enum poll_source source,
				  const struct collector_query *query);
/* What becomes readable when a step is due; −1: one is due whenever there is time. */
int collector_fd(const struct collector *c);
/* As inetdiag_dump_step(). */
enum sock_step collector_step(struct collector *c, struct sock_batch *batch,
			      bool tolerate_interrupted, enum poll_failure *ret_failure);
/* Whether one is under way or not. The netlink socket stays open, unless a dump is still in it. */
void collector_cancel(struct collector *c);
