/* SPDX-License-Identifier: Apache-2.0 */
/* The sockets lane without a kernel: an aggregate, polled every five seconds, and its listeners. */
#pragma once

#include "daemon/core/aggregate.h"
#include "tests/support/record_builder.h"
#include "tests/unit/core/listener_lane.h"

#define AGGREGATES_INTERVAL_NS (5 * NSEC_PER_SEC)
#define AGGREGATES_IDLE_NS     (3600 * NSEC_PER_SEC)
#define AGGREGATES_NONE        UINT64_MAX

struct aggregate_lane {
	struct listener_lane lane;
	struct aggregate aggregate;
	struct group_settings settings;
};

void aggregates_init(struct aggregate_lane *a);
void aggregates_done(struct aggregate_lane *a);

/* A poll: begin, which lets the clock go on, rows, then commit or nothing. */
void aggregates_begin(struct aggregate_lane *a);
void aggregates_add(struct aggregate_lane *a, const struct test_record *row);
/* A row without attributes. */
void aggregates_add_row(struct aggregate_lane *a, unsigned int state, const char *local,
			const char *remote);
void aggregates_commit(struct aggregate_lane *a);

/* A value of a group that is exported; AGGREGATES_NONE if it is not. */
uint64_t aggregates_value(const struct aggregate_lane *a, enum group_side side, const char *port,
			  const char *family, unsigned int index);
/* The sockets of a group in a state, and the observations of a histogram. */
uint64_t aggregates_sockets(const struct aggregate_lane *a, enum group_side side, const char *port,
			    unsigned int state);
uint64_t aggregates_observations(const struct aggregate_lane *a, enum group_side side,
				 const char *port, const char *family);
