/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections from their first sight to their end, for the aggregation: what each row, each row
 * that is no longer there and each destroy event adds to the counters of its group, once. It uses
 * the table of struct aggregate and the groups; it knows no source and no clock.
 */
#pragma once

#include "daemon/core/aggregate.h"

enum sight_credit {
	SIGHT_NOTHING,  /* the row is old, or no connection yet */
	SIGHT_BASELINE, /* what it had before it was first seen */
	SIGHT_GROWTH,
};

/* What a row is to the connections that are followed. */
struct sight {
	struct track_record *track; /* NULL: it is not followed */
	enum sight_credit credit;
	bool was_open;      /* at its last sight, so that its values then are a measure */
	unsigned int facts; /* bits of enum metric_when */
};

/* Whether rows like this are followed: full sockets that may be connections. */
bool aggregate_follows(const struct aggregate *a, const struct sock_record *record);
/* Finds or begins the connection of such a row. SIDE: as the listeners have it now. */
struct sight aggregate_see(struct aggregate *a, const struct listener_table *listeners,
			   const struct sock_record *record, enum group_side side);
/* Undoes a first sight that cannot be counted, lest the baseline be taken for growth. */
void aggregate_forget_baseline(struct aggregate *a, const struct sock_record *record,
			       const struct sight *sight);
/* Counts what the poll that is ending well no longer showed. */
void aggregate_sweep(struct aggregate *a, const struct listener_table *listeners, uint64_t now_ns);

/* The plan for rows of this shape; good until the next call. */
const struct aggregate_plan *aggregate_plan_get(struct aggregate *a,
						const struct sock_record *record);
