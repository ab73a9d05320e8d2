/* SPDX-License-Identifier: Apache-2.0 */
/* Connections by hand: an aggregate that follows them, a listener on port 80, and what a kernel
 * would say of one socket. */
#pragma once

#include "tests/unit/core/aggregate_lane.h"

#define CONNECTION_LANE_LIMIT 100

/* A client's connection to port 443, or with IS_SERVER one that port 80 took. */
struct connection_socket {
	uint64_t cookie;
	uint64_t sent, received;
	uint32_t segs_in;
	uint32_t age_ms; /* since it was last active */
	uint16_t near_port, far_port;
	bool is_server;
	bool is_refused; /* the segment that came in is an RST */
};

/* With the extended profile, expecting events, and after a good poll unless IS_FRESH. */
void connection_lane_init(struct aggregate_lane *a, bool is_fresh);
void connection_lane_done(struct aggregate_lane *a);

/* A good poll that shows these. */
void connection_lane_poll(struct aggregate_lane *a, const struct connection_socket *sockets,
			  unsigned int count);
/* A row, in a poll; an event, at any time; whether it was one of a connection. */
void connection_lane_row(struct aggregate_lane *a, const struct connection_socket *s);
bool connection_lane_event(struct aggregate_lane *a, const struct connection_socket *s);
/* The event of a socket that was aborted: zeroed but for its cookie; and its row, in a dump that
 * went on meanwhile. */
bool connection_lane_abort(struct aggregate_lane *a, const struct connection_socket *s);
void connection_lane_aborted_row(struct aggregate_lane *a, const struct connection_socket *s);

#define CONNECTION_LANE_POLL(a, ...)                                                   \
	connection_lane_poll(a, (const struct connection_socket[]){__VA_ARGS__},       \
			     sizeof((const struct connection_socket[]){__VA_ARGS__}) / \
				     sizeof(struct connection_socket))
#define CONNECTION_LANE_POLL_NONE(a) connection_lane_poll(a, NULL, 0)

/* What is counted and waits for the next good poll, or was taken over by one. */
struct connection_counts {
	uint64_t opened, closed, unreported, sent, received;
};

/* Of the client's port 443 or the server's port 80. */
struct connection_counts connection_lane_counts(const struct aggregate_lane *a, bool is_server);
/* Holds them against what is expected; NAME goes into the message. */
void connection_lane_expect(const struct aggregate_lane *a, bool is_server,
			    const struct connection_counts *expected, const char *name);
#define CONNECTION_LANE_EXPECT(a, name, ...) \
	connection_lane_expect(a, false, &(const struct connection_counts){__VA_ARGS__}, name)
#define CONNECTION_LANE_EXPECT_SERVER(a, name, ...) \
	connection_lane_expect(a, true, &(const struct connection_counts){__VA_ARGS__}, name)
