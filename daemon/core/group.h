/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The groups of a family's sockets: a side and a port label, perhaps a view and a peer, and the
 * cells of every family that the catalogue has. Which port gets a label of its own, and which is
 * summed into "ephemeral" or "other", is decided here, and stays decided until the label was idle
 * for long.
 */
#pragma once

#include "daemon/core/group_parts.h"
#include "daemon/core/listener.h"

struct group_settings {
	enum poll_family family; /* one that has ports; the same for ever */
	struct catalogue *catalogue;
	uint32_t ports; /* own labels of each side, beside the configured ones */
	uint64_t idle_ns;
	const uint16_t *configured[GROUP_SIDE_END];
	uint32_t configured_count[GROUP_SIDE_END];
};

/* The four that are shared by many ports come first. */
#define GROUP_SHARED 4

struct group_table {
	enum poll_family family;
	struct catalogue *catalogue;
	uint32_t port_limit;
	uint64_t idle_ns;
	uint32_t budget;      /* own groups that limits.series leaves room for */
	uint64_t realtime_ms; /* when the newest poll began; 0: none has */
	struct group **items;
	uint32_t count, cap;
	struct group_parts parts;
	uint32_t own[GROUP_RANK_END];   /* groups that limits.series may fold, by enum group_rank */
	uint32_t given[GROUP_SIDE_END]; /* ports with a label that are not configured */
	uint16_t *slots[GROUP_SIDE_END]; /* by port: the group's place + 1; 0: not yet decided */
	bool has_slots[GROUP_SIDE_END];  /* some are not 0: the rest need no memory until then */
	/* What was folded: in the poll that is being counted, and in the last good one. */
	struct group_folds {
		uint32_t by_ports, by_series;
	} poll_folds, folds;
};

/* 0 or -ENOMEM; done is due in either case. */
int group_table_init(struct group_table *t, const struct group_settings *settings);
void group_table_done(struct group_table *t);
/* Takes other settings, in two steps: prepare gets the memory (0, or -ENOMEM and nothing has
 * changed), apply cannot fail and keeps what both catalogues have. In between, discard goes back.
 * configure is both. */
int group_table_prepare(struct group_table *t, const struct group_settings *settings);
void group_table_apply(struct group_table *t, const struct group_settings *settings);
void group_table_discard(struct group_table *t);
int group_table_configure(struct group_table *t, const struct group_settings *settings);

/* Forgets what a poll left that has not ended well, but for what accrues. BUDGET, REALTIME_MS: see
 * struct group_table. */
void group_table_begin(struct group_table *t, uint32_t budget, uint64_t realtime_ms);
/* The group of a socket, during a poll and between polls. NULL: out of memory. */
struct group *group_table_get(struct group_table *t, enum group_side side, uint16_t port,
			      struct sock_class class, const struct listener_table *listeners);
/* The port's own group, or NULL if this poll has shown no such connection. */
struct group *group_table_find(const struct group_table *t, enum group_side side, uint16_t port);
/* Folds what is beyond the budget, peers before views, then client ports before server ports into
 * "other", new labels before old, the quietest first; takes the poll over; lets idle groups go. */
void group_table_commit(struct group_table *t, uint64_t now_ns);

/* How many groups limits.series has to count. */
uint32_t group_table_labels(const struct group_table *t);
/* All groups: those of ports, then their parts. */
uint32_t group_table_count(const struct group_table *t);
struct group *group_table_at(const struct group_table *t, uint32_t i);
