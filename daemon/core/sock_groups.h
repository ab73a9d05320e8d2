/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets of a family that has ports and is not TCP, in groups: one walk, row by row. Whose side
 * they are on, and which ports have labels, the listeners of TCP tell.
 */
#pragma once

#include "daemon/core/aggregate_plan.h"
#include "daemon/core/group.h"
#include "daemon/core/sock_drops.h"

struct sock_groups {
	struct group_table groups;
	struct aggregate_plans plans;
	struct metric_set present, poll_present; /* metrics that the kernel gave a value for */
	struct sock_drops drops;
	const struct classes *classes; /* NULL: all are "other"; for the owner to set */
	int drops_metric;    /* METRIC_DROPS of the family; −1: it has none, or it is off */
	uint64_t taken_ns;   /* boottime: when the last good walk ended; 0: never */
	bool is_from_procfs; /* it, or the one under way */
};

/* NULL: out of memory. */
struct sock_groups *sock_groups_new(const struct group_settings *settings, uint64_t seed);
void sock_groups_free(struct sock_groups *g);
/* Of its groups prepare and discard are called as they are. */
void sock_groups_apply(struct sock_groups *g, const struct group_settings *settings);

/* As connections_start_over(). */
void sock_groups_start_over(struct sock_groups *g);

struct sock_groups_walk {
	uint32_t budget;  /* see struct group_table */
	uint32_t tracked; /* how many sockets may be followed */
	bool is_from_procfs;
	uint64_t realtime_ms;
};

/* A walk that fails is not committed; the next begin forgets it, but for the drops it saw. */
void sock_groups_begin(struct sock_groups *g, const struct sock_groups_walk *walk);
/* 0 or -ENOMEM. */
int sock_groups_add(struct sock_groups *g, struct listener_table *listeners,
		    const struct sock_record *record);
/* The monotonic time, and the boottime. */
void sock_groups_commit(struct sock_groups *g, uint64_t now_ns, uint64_t taken_ns);
