/* SPDX-License-Identifier: Apache-2.0 */
/* What anybody may try: more listeners, and more members of one, than are remembered. */
#include <errno.h>

#include "daemon/core/listener_dump.h"
#include "daemon/core/listener_poll.h"
#include "tests/support/record_builder.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/listener_lane.h"

TEST_SUITE(listener_bounds);

static void commit(struct listener_lane *lane)
{
	struct listener_poll poll = {
		.now_ns = lane->now_ns,
		.interval_ns = LANE_INTERVAL_NS,
	};

	cr_assert_eq(listener_poll_commit(&lane->table, &poll), 0);
}

/* Listener N of 10.0.0.0/8, on a port of its own as far as there are any. */
static void number(struct test_record *r, uint32_t n)
{
	r->record.cookie = n + 1;
	r->record.local.bytes[1] = (uint8_t)(n >> 16);
	r->record.local.bytes[2] = (uint8_t)(n >> 8);
	r->record.local.bytes[3] = (uint8_t)n;
	r->record.local_port = (uint16_t)(n % 65535 + 1);
}

static void add_listeners(struct listener_lane *lane, uint32_t count)
{
	struct test_record r;

	test_record_init(&r, SOCK_LISTEN, "10.0.0.0:80", "0.0.0.0:0");
	listener_poll_begin(&lane->table);
	for (uint32_t i = 0; i < count; i++) {
		number(&r, i);
		cr_assert_eq(listener_poll_add(&lane->table, &r.record, lane->now_ns), 0);
	}
}

Test(listener_bounds, listeners)
{
	struct listener_lane lane;
	struct test_record r;

	lane_init(&lane, 10);
	test_record_init(&r, SOCK_LISTEN, "10.0.0.0:80", "0.0.0.0:0");
	add_listeners(&lane, LISTENERS_MAX);
	number(&r, LISTENERS_MAX);
	cr_assert_eq(listener_poll_add(&lane.table, &r.record, lane.now_ns), -ENOSPC);
	listener_dump_begin(&lane.table);
	cr_assert_eq(listener_dump_see(&lane.table, &r.record, lane.now_ns), -ENOSPC);
	commit(&lane);
	cr_assert_eq(lane.table.count, LISTENERS_MAX);
	cr_assert_eq(lane.table.series_count, 11);

	r.record.state = SOCK_ESTABLISHED;
	cr_assert_null(listener_table_match(&lane.table, &r.record), "it is a client's");
	number(&r, LISTENERS_MAX - 1);
	cr_assert(listener_table_match(&lane.table, &r.record));
	lane_done(&lane);
}

/* All go at once, and ten minutes later they are forgotten at once. */
Test(listener_bounds, listeners_go)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	add_listeners(&lane, LISTENERS_MAX);
	commit(&lane);
	LANE_POLL_NONE(&lane);
	cr_assert_eq(lane.table.index.count, 0);
	lane.now_ns += LISTENER_AFTERLIFE_NS;
	LANE_POLL_NONE(&lane);
	cr_assert_eq(lane.table.count, 0);
	cr_assert_eq(lane.table.series_count, 1);
	LANE_POLL(&lane, {"*:80", 1, 0, 7, 0});
	cr_assert_eq(lane_values(&lane, "*", "80")->sockets, 1);
	lane_done(&lane);
}

Test(listener_bounds, members)
{
	struct listener_lane lane;
	struct test_record r;

	lane_init(&lane, 10);
	test_record_init(&r, SOCK_LISTEN, "*:80", "0.0.0.0:0");
	listener_poll_begin(&lane.table);
	for (uint32_t i = 0; i < LISTENER_MEMBERS_MAX; i++) {
		r.record.cookie = i + 1;
		cr_assert_eq(listener_poll_add(&lane.table, &r.record, lane.now_ns), 0);
	}
	r.record.cookie = LISTENER_MEMBERS_MAX + 1;
	cr_assert_eq(listener_poll_add(&lane.table, &r.record, lane.now_ns), -ENOSPC);
	r.record.cookie = 1;
	cr_assert_eq(listener_poll_add(&lane.table, &r.record, lane.now_ns), 0, "it is known");
	commit(&lane);
	cr_assert_eq(lane_values(&lane, "*", "80")->sockets, LISTENER_MEMBERS_MAX);
	LANE_POLL_NONE(&lane);
	LANE_POLL(&lane, {"*:80", LISTENER_MEMBERS_MAX + 1, 0, 7, 0});
	cr_assert_eq(lane_values(&lane, "*", "80")->sockets, 1,
		     "when they have gone there is room");
	lane_done(&lane);
}
