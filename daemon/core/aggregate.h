/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records to groups: one dump of the sockets lane, row by row, and destroy events in between. Which
 * values a row gives is worked out once for each shape of row (the lengths of its attributes), not
 * for each row. Connections are followed by their cookies, so that counters have what closed.
 */
#pragma once

#include "daemon/core/aggregate_plan.h"
#include "daemon/core/group.h"
#include "daemon/core/heavy_hitters.h"
#include "daemon/core/track.h"

/* Names of congestion control algorithms, in the order in which they were first seen. */
struct aggregate_algorithms {
	char names[METRIC_ALGORITHMS_MAX][16]; /* TCP_CA_NAME_MAX */
	unsigned int count;
	bool has_others; /* more than have a name */
};

/* Rows come in few shapes: full sockets, request sockets, timewait sockets, destroyed ones. */
#define AGGREGATE_PLANS 6

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
	/* The connections that are followed. */
	struct track track;
	struct {
		unsigned int sent, received, delivered; /* where these lie in a record's values */
	} slots;
	uint16_t tcp_info_len; /* of full sockets */
	bool is_polling;       /* between begin, and commit or abort */
	bool has_followed;     /* a good poll has followed what it saw */
	bool is_behind;        /* a poll has failed since the last good one */
	bool expects_events;   /* the kernel tells of destroyed sockets */
	uint64_t
		blind_ns; /* what was last active before this may have been counted and forgotten */
	uint32_t untracked, poll_untracked; /* sockets that there was no room for */
};

/* 0 or -ENOMEM; done is due in either case. */
int aggregate_init(struct aggregate *a, const struct group_settings *settings, uint64_t seed);
void aggregate_done(struct aggregate *a);
/* As group_table_prepare() and so on. */
int aggregate_prepare(struct aggregate *a, const struct group_settings *settings);
void aggregate_apply(struct aggregate *a, const struct group_settings *settings);
int aggregate_configure(struct aggregate *a, const struct group_settings *settings);

/* Follows up to so many connections; 0: none, and frees what was known of them. The catalogue's
 * families that accrue take part. */
void aggregate_follow(struct aggregate *a, uint32_t limit);

void aggregate_begin(struct aggregate *a, uint32_t budget, uint64_t now_ns);
/* Fetches what aggregate_add() will read of the followed connections for these rows. */
void aggregate_prefetch(struct aggregate *a, const struct sock_record *records, unsigned int count);
/* 0 or -ENOMEM. */
int aggregate_add(struct aggregate *a, struct listener_table *listeners,
		  const struct sock_record *record);
void aggregate_commit(struct aggregate *a, const struct listener_table *listeners, uint64_t now_ns);
/* The poll has failed. What it saw of followed connections is true all the same, and stays. */
void aggregate_abort(struct aggregate *a);

/* A socket was destroyed, during a poll or between polls: its last values. Returns whether it was a
 * connection that now is, or already was, counted as closed. */
bool aggregate_event(struct aggregate *a, struct listener_table *listeners,
		     const struct sock_record *record, uint64_t now_ns);
