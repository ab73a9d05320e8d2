/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets that are only counted: UNIX by type and state, raw, packet and netlink sockets. Rows of
 * the metric table without terms, in METRIC_HOST, are about them.
 */
#pragma once

#include "daemon/core/catalogue.h"
#include "daemon/core/poll.h"
#include "daemon/util/map.h"

/* Three types by three states. */
#define TALLY_CELLS 9

struct tally {
	struct tally_family {
		uint64_t poll[TALLY_CELLS], cells[TALLY_CELLS];
		uint64_t taken_ns; /* when the last good walk ended; 0: never */
	} families[POLL_FAMILY_END];
	/* Cookies of this walk's netlink sockets, of which the kernel shows some twice. */
	uint64_t seed;
	struct map seen;
	uint64_t *cookies;
	uint32_t count, cap;
};

void tally_init(struct tally *t, uint64_t seed);
void tally_done(struct tally *t);
void tally_begin(struct tally *t, enum poll_family family);
/* 0 or -ENOMEM. */
int tally_add(struct tally *t, enum poll_family family, const struct sock_record *record);
void tally_commit(struct tally *t, enum poll_family family, uint64_t now_ns);
/* Writes the cells of a struct snapshot_host that are about such sockets; what is older is absent.
 */
void tally_fill(const struct tally *t, const struct catalogue *catalogue, uint64_t now_ns,
		uint64_t stale_after_ns, uint64_t *ret_cells);
