/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records to groups: one dump of the sockets lane, row by row, and destroy events in between. Which
 * values a row gives is worked out once for each shape of row (the lengths of its attributes), not
 * for each row. Connections are followed by their cookies, so that counters have what closed.
 */
#pragma once

#include "daemon/core/connections.h"
#include "daemon/core/heavy_hitters.h"

/* Names of congestion control algorithms, in the order in which they were first seen. */
struct aggregate_algorithms {
	char names[METRIC_ALGORITHMS_MAX][16]; /* TCP_CA_NAME_MAX */
	unsigned int count;
	bool has_others; /* more than have a name */
};

struct aggregate {
	struct group_table groups;
	struct heavy_hitters pairs;
	struct aggregate_algorithms algorithms;
	struct aggregate_plans plans;
	struct connections connections;
	unsigned int delivered_slot; /* where this lies in the last values of a connection */
	struct metric_set present, poll_present; /* families that the kernel gave a value for */
	int pairs_metric;                        /* sockstat_tcp_ephemeral_ports_used, −1: off */
	bool has_polled;
	uint64_t started_ns, poll_started_ns; /* of the last good poll, of this one */
	uint64_t elapsed_ms;                  /* between the two; 0: there was none */
	uint64_t rows, poll_rows;
	bool is_following; /* this poll can; what is not followed is not taken for gone */
	bool is_behind;    /* a poll has failed, or could not follow, since the last good one */
};

/* 0 or -ENOMEM; done is due in either case. */
int aggregate_init(struct aggregate *a, const struct group_settings *settings, uint64_t seed);
void aggregate_done(struct aggregate *a);
/* As group_table_prepare() and so on. */
int aggregate_prepare(struct aggregate *a, const struct group_settings *settings);
void aggregate_apply(struct aggregate *a, const struct group_settings *settings);
int aggregate_configure(struct aggregate *a, const struct group_settings *settings);

struct aggregate_poll {
	uint32_t budget; /* see struct group_table */
	uint64_t now_ns;
	bool has_cookies; /* the rows to come have them, so that connections can be followed */
	uint64_t realtime_ms;
};

void aggregate_begin(struct aggregate *a, const struct aggregate_poll *poll);
/* 0 or -ENOMEM. */
int aggregate_add(struct aggregate *a, struct listener_table *listeners,
		  const struct sock_record *record);
void aggregate_commit(struct aggregate *a, const struct listener_table *listeners, uint64_t now_ns);
/* The poll has failed; what it saw of connections stays all the same. */
void aggregate_abort(struct aggregate *a);
