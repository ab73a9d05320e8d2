/* SPDX-License-Identifier: Apache-2.0 */
/* What rows of connections say of a listener's queues. */
#include "daemon/core/listener_dump.h"

#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/record_builder.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"
#include "tests/unit/core/listener_lane.h"

TEST_SUITE(listener_dump);

#define LAST_ACK_RECV 56
#define VALUES        lane_values(&lane, "*", "80")

/* A row beside the LISTEN row. */
struct queue_row {
	uint8_t state, retransmits;
	bool has_inode;
	uint16_t tcp_info_len;
	uint32_t last_ack_ms;
};

#define REQUEST(retransmits)                            \
	{                                               \
		SOCK_SYN_RECV, retransmits, false, 0, 0 \
	}
#define WAITING(state, last_ms)               \
	{                                     \
		state, 0, false, 280, last_ms \
	}
#define ACCEPTED(state)                   \
	{                                 \
		state, 0, true, 280, 9999 \
	}

static void see(struct listener_lane *lane, const char *local, uint32_t length)
{
	struct test_record r;

	test_record_init(&r, SOCK_LISTEN, local, "0.0.0.0:0");
	r.record.receive_queue = length;
	cr_assert_eq(listener_dump_see(&lane->table, &r.record, lane->now_ns), 0);
}

static void observe(struct listener_lane *lane, const char *local, const struct queue_row *row)
{
	struct listener *l;
	struct test_record r;

	test_record_init(&r, row->state, local, "10.0.0.9:5000");
	r.record.retransmits = row->retransmits;
	if (!row->has_inode)
		r.record.inode = 0;
	if (row->tcp_info_len)
		test_record_add_tcp_info(&r, row->tcp_info_len);
	test_record_set(&r, LAST_ACK_RECV, 4, row->last_ack_ms);
	l = listener_table_match(&lane->table, &r.record);
	cr_assert(l);
	listener_dump_observe(l, &r.record);
}

static const struct queue_case {
	const char *name;
	uint32_t length; /* of the LISTEN row */
	struct queue_row rows[6];
	uint64_t syn_queue, retransmitting, oldest_ms, closed, reset;
} queue_cases[] = {
	{.name = "nothing waits"},
	{.name = "requests",
	 .rows = {REQUEST(0), REQUEST(1), REQUEST(5)},
	 .syn_queue = 3,
	 .retransmitting = 2},
	{.name = "waiting",
	 .length = 3,
	 .rows = {WAITING(SOCK_ESTABLISHED, 500), WAITING(SOCK_ESTABLISHED, 3000),
		  WAITING(SOCK_ESTABLISHED, 0)},
	 .oldest_ms = 3000},
	{.name = "the client has closed",
	 .length = 2,
	 .rows = {WAITING(SOCK_CLOSE_WAIT, 500), WAITING(SOCK_ESTABLISHED, 400)},
	 .oldest_ms = 500,
	 .closed = 1},
	{.name = "two clients have reset",
	 .length = 6,
	 .rows = {WAITING(SOCK_ESTABLISHED, 1), WAITING(SOCK_ESTABLISHED, 2),
		  WAITING(SOCK_CLOSE_WAIT, 3), WAITING(SOCK_ESTABLISHED, 4)},
	 .oldest_ms = 4,
	 .closed = 1,
	 .reset = 2},
	{.name = "accepted ones do not wait",
	 .rows = {ACCEPTED(SOCK_ESTABLISHED), ACCEPTED(SOCK_CLOSE_WAIT), ACCEPTED(SOCK_SYN_RECV)}},
	{.name = "orphans do not wait",
	 .rows = {WAITING(SOCK_FIN_WAIT1, 9), WAITING(SOCK_LAST_ACK, 9), WAITING(SOCK_CLOSING, 9),
		  WAITING(SOCK_FIN_WAIT2, 9)}},
	{.name = "a Fast Open child has no age",
	 .length = 2,
	 .rows = {WAITING(SOCK_SYN_RECV, 4000000), WAITING(SOCK_ESTABLISHED, 7)},
	 .oldest_ms = 7},
	{.name = "a short tcp_info has no age",
	 .length = 1,
	 .rows = {{SOCK_ESTABLISHED, 0, false, LAST_ACK_RECV + 3, 900}}},
	{.name = "the shortest with an age",
	 .length = 1,
	 .rows = {{SOCK_ESTABLISHED, 0, false, LAST_ACK_RECV + 4, 900}},
	 .oldest_ms = 900},
	{.name = "came after the LISTEN row was written",
	 .rows = {WAITING(SOCK_ESTABLISHED, 1), WAITING(SOCK_ESTABLISHED, 1)},
	 .oldest_ms = 1},
};

static void dump(struct listener_lane *lane, const struct queue_case *c)
{
	listener_dump_begin(&lane->table);
	see(lane, "*:80", c->length);
	for (size_t i = 0; i < ARRAY_SIZE(c->rows) && c->rows[i].state; i++)
		observe(lane, "10.0.0.1:80", &c->rows[i]);
}

static void assert_queues(const struct listener_values *v, const struct queue_case *c)
{
	cr_assert_eq(v->syn_queue, c->syn_queue, "%s", c->name);
	cr_assert_eq(v->syn_queue_retransmitting, c->retransmitting, "%s", c->name);
	cr_assert_eq(v->unaccepted_oldest_ms, c->oldest_ms, "%s", c->name);
	cr_assert_eq(v->unaccepted_closed, c->closed, "%s", c->name);
	cr_assert_eq(v->unaccepted_reset, c->reset, "%s", c->name);
}

static void assert_none(const struct listener_values *v)
{
	cr_assert_eq(v->syn_queue, METRIC_ABSENT);
	cr_assert_eq(v->syn_queue_retransmitting, METRIC_ABSENT);
	cr_assert_eq(v->unaccepted_oldest_ms, METRIC_ABSENT);
	cr_assert_eq(v->unaccepted_closed, METRIC_ABSENT);
	cr_assert_eq(v->unaccepted_reset, METRIC_ABSENT);
}

Test(listener_dump, queues)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	LANE_POLL(&lane, {"*:80", 1, 0, 7, 0});
	assert_none(VALUES);
	for (size_t i = 0; i < ARRAY_SIZE(queue_cases); i++) {
		dump(&lane, &queue_cases[i]);
		listener_dump_commit(&lane.table, false);
		assert_queues(VALUES, &queue_cases[i]);
		LANE_POLL(&lane, {"*:80", 1, 0, 7, 0});
		assert_queues(VALUES, &queue_cases[i]);
	}
	lane_done(&lane);
}

/* Nothing of a dump that fails is counted, neither now nor by the next one. */
Test(listener_dump, failed)
{
	const struct queue_case *before = &queue_cases[1], *failed = &queue_cases[4];
	struct listener_lane lane;

	lane_init(&lane, 10);
	LANE_POLL(&lane, {"*:80", 1, 0, 7, 0});
	dump(&lane, before);
	listener_dump_commit(&lane.table, false);
	dump(&lane, failed);
	assert_queues(VALUES, before);
	LANE_POLL(&lane, {"*:80", 1, 0, 7, 0});
	assert_queues(VALUES, before);
	dump(&lane, before);
	listener_dump_commit(&lane.table, false);
	assert_queues(VALUES, before);
	lane_done(&lane);
}

Test(listener_dump, members_and_other_are_summed)
{
	static const struct queue_row request = REQUEST(0), old = WAITING(SOCK_ESTABLISHED, 9),
				      young = WAITING(SOCK_ESTABLISHED, 3);
	const struct listener_values *v;
	struct listener_lane lane;

	lane_init(&lane, 0);
	LANE_POLL(&lane, {"*:80", 1, 0, 7, 0}, {"*:80", 2, 0, 7, 0}, {"*:81", 3, 0, 7, 0});
	listener_dump_begin(&lane.table);
	see(&lane, "*:80", 4);
	see(&lane, "*:80", 3);
	see(&lane, "*:81", 1);
	observe(&lane, "10.0.0.1:80", &old);
	observe(&lane, "10.0.0.1:81", &young);
	observe(&lane, "10.0.0.1:81", &young);
	observe(&lane, "10.0.0.1:80", &request);
	observe(&lane, "10.0.0.1:81", &request);
	listener_dump_commit(&lane.table, false);
	v = lane_values(&lane, "other", "other");
	cr_assert_eq(v->syn_queue, 2);
	cr_assert_eq(v->unaccepted_oldest_ms, 9);
	cr_assert_eq(v->unaccepted_reset, 6, "each listener's own is never below 0");
	lane_done(&lane);
}

/* Gone for either lane: no queues, not those of last time. */
Test(listener_dump, gone)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	LANE_POLL(&lane, {"*:80", 1, 0, 7, 0});
	dump(&lane, &queue_cases[1]);
	listener_dump_commit(&lane.table, false);
	LANE_POLL_NONE(&lane);
	assert_none(VALUES);
	listener_dump_begin(&lane.table);
	listener_dump_commit(&lane.table, false);
	assert_none(VALUES);

	LANE_POLL(&lane, {"*:80", 2, 0, 7, 0});
	assert_none(VALUES);
	listener_dump_begin(&lane.table);
	listener_dump_commit(&lane.table, false);
	assert_none(VALUES);
	lane_done(&lane);
}

/* A dump that does not show it says nothing of its queues. */
Test(listener_dump, not_shown)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	LANE_POLL(&lane, {"*:80", 1, 0, 7, 0});
	dump(&lane, &queue_cases[1]);
	listener_dump_commit(&lane.table, false);
	assert_queues(VALUES, &queue_cases[1]);
	listener_dump_begin(&lane.table);
	listener_dump_commit(&lane.table, false);
	assert_none(VALUES);
	lane_done(&lane);
}

/* It goes while the dump is under way: its series are of no interest any more. */
Test(listener_dump, gone_meanwhile)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	LANE_POLL(&lane, {"*:80", 1, 0, 7, 0});
	dump(&lane, &queue_cases[1]);
	LANE_POLL_NONE(&lane);
	listener_dump_commit(&lane.table, false);
	assert_none(VALUES);
	dump(&lane, &queue_cases[1]);
	lane.now_ns += 2 * LISTENER_AFTERLIFE_NS;
	LANE_POLL_NONE(&lane);
	cr_assert_eq(lane.table.series_count, 0);
	listener_dump_commit(&lane.table, false);
	lane_done(&lane);
}
