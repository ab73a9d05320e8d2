/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kernel of a few sockets, as far as inet_diag shows it: rows that a dump has copied before they
 * are read, events that come late or never, sockets that have left the table while an application
 * holds them, aborts that zero everything, the cookie that survives connect() to AF_UNSPEC, and
 * listeners that are seen later than what they took.
 */
#pragma once

#include "tests/unit/core/aggregate_lane.h"

#define MODEL_SOCKETS 24
#define MODEL_EVENTS  256

/* What a connection really was. */
struct model_totals {
	uint64_t opened, closed, sent, received, acked, segments, retransmitted;
};

struct model_socket {
	bool is_used;
	bool is_hashed; /* a dump shows it */
	bool is_open;   /* a segment has come in */
	bool is_server;
	uint64_t cookie;
	uint16_t near_port, far_port;
	uint64_t changed_ns;
	uint64_t sent, retransmitted, received;
	uint32_t segs_out, segs_in;
};

struct model {
	struct aggregate_lane a;
	uint64_t random, cookie;
	uint16_t port; /* of the newest listener, of which no poll may know yet */
	struct model_socket sockets[MODEL_SOCKETS];
	struct test_record events[MODEL_EVENTS];
	uint64_t event_ns[MODEL_EVENTS]; /* when its socket was last active */
	unsigned int event_count;
	unsigned int lost;
	struct model_totals truth; /* of connections that opened under the eyes of a poll */
	bool allows_abort, allows_reconnect, allows_loss, has_events, changes_limit;
	struct test_record rows[MODEL_SOCKETS]; /* that the dump has copied */
	unsigned int row_count;
};

void model_init(struct model *m, uint64_t seed);
void model_done(struct model *m);
/* Something happens to some socket. */
void model_act(struct model *m);
/* A whole poll, in which things go on happening; it may fail or be given up for the next, or must
 * not. */
void model_poll(struct model *m, bool may_fail);
/* All that is open closes, and all events come. */
void model_end(struct model *m);
/* The counters of all groups together. */
struct model_totals model_counted(const struct model *m);
