/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records to groups: one dump of the sockets lane, row by row. Which values a row gives is worked
 * out once for each shape of row (the lengths of its attributes), not for each row.
 */
#pragma once

#include "daemon/core/aggregate_plan.h"
#include "daemon/core/group.h"
#include "daemon/core/heavy_hitters.h"

/* Names of congestion control algorithms, in the order in which they were first seen. */
struct aggregate_algorithms {
	char names[METRIC_ALGORITHMS_MAX][16]; /* TCP_CA_NAME_MAX */
	unsigned int count;
	bool has_others; /* more than have a name */
};

/* Rows come in few shapes: full sockets, request sockets, timewait sockets. */
#define AGGREGATE_PLANS 4

struct aggregate {
	struct group_table groups;
	struct heavy_hitters pairs;
	struct aggregate_algorithms algorithms;
	struct aggregate_plan plans[AGGREGATE_PLANS];
	unsigned int plan_count, next_plan;
	struct metric_set present, poll_present; /* families that the kernel gave a value for */
	int pairs_metric;                        /* sockstat_tcp_ephemeral_ports_used, −1: off */
	bool has_polled;
	uint64_t started_ns, poll_started_ns; /* of the last good poll, of this one */
	uint64_t elapsed_ms;                  /* between the two; 0: there was none */
	uint64_t rows, poll_rows;
};

/* 0 or -ENOMEM; done is due in either case. */
int aggregate_init(struct aggregate *a, const struct group_settings *settings, uint64_t seed);
void aggregate_done(struct aggregate *a);
/* As group_table_prepare() and so on. */
int aggregate_prepare(struct aggregate *a, const struct group_settings *settings);
void aggregate_apply(struct aggregate *a, const struct group_settings *settings);
int aggregate_configure(struct aggregate *a, const struct group_settings *settings);

void aggregate_begin(struct aggregate *a, uint32_t budget, uint64_t now_ns);
/* 0 or -ENOMEM. */
int aggregate_add(struct aggregate *a, struct listener_table *listeners,
		  const struct sock_record *record);
void aggregate_commit(struct aggregate *a, uint64_t now_ns);
