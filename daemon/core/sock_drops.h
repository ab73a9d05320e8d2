/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What sockets drop, of a family whose ends nobody tells of: how much each socket's drops grew from
 * poll to poll, whichever source shows it.
 */
#pragma once

#include "daemon/core/sock_index.h"

struct sock_drops {
	struct sock_index index;
	struct sock_drops_entry {
		uint32_t drops; /* as last seen */
		uint32_t poll;  /* the last that showed it */
	} * entries;
	uint32_t cap;
	uint32_t limit; /* how many sockets are followed */
	uint32_t poll;  /* the number of that under way; good ones are counted */
	uint32_t untracked, poll_untracked; /* sockets that there was no room for */
	bool has_polled;
};

void sock_drops_init(struct sock_drops *d, uint64_t seed);
void sock_drops_done(struct sock_drops *d);

/* A poll: begin, observe for each row, then commit, or nothing where it failed. LIMIT 0: none is
 * followed, and what was known is forgotten. */
void sock_drops_begin(struct sock_drops *d, uint32_t limit);
/* How much the drops of a row's socket grew. Of a socket that is new after a good poll it is all
 * that it has dropped; of one that may be older than the daemon, nothing. False: the row does not
 * tell its drops. */
bool sock_drops_observe(struct sock_drops *d, const struct sock_record *record,
			uint32_t *ret_growth);
/* Forgets what two good polls did not show: of a table that changes one may miss a socket. */
void sock_drops_commit(struct sock_drops *d);
