/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/listener_overflow.h"

#include <stdio.h>

#include "daemon/core/filter.h"
#include "daemon/core/listener_dump.h"
#include "daemon/core/tcp_info.h"
#include "daemon/util/macros.h"
#include "tests/support/record_builder.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/listener_lane.h"

TEST_SUITE(listener_overflow);

#define LIMIT 10
#define FULL  (LIMIT + 1)

static struct listener_lane lane;
static enum overflow_news news;

static const struct overflow *next(void)
{
	return listener_overflow_next(&lane.table, lane.now_ns, &news);
}

/* A poll in which so many of the connections to port 80 fell, all of them because it was full. */
static void poll_drops(uint32_t length, uint32_t drops, uint32_t total)
{
	lane.listen_drops += drops;
	LANE_POLL(&lane, {"0.0.0.0:80", 1, length, LIMIT, total}, {"10.0.0.1:81", 2, 0, LIMIT, 5});
}

/* A dump that shows the listener's queue and these connections, which wait to be accepted. */
static void dump(uint32_t length, unsigned int established, unsigned int closed)
{
	struct test_record r;
	struct listener *l;

	listener_dump_begin(&lane.table);
	test_record_init(&r, SOCK_LISTEN, "0.0.0.0:80", "0.0.0.0:0");
	r.record.cookie = 1;
	r.record.receive_queue = length;
	cr_assert_eq(listener_dump_see(&lane.table, &r.record, lane.now_ns), 0);
	for (unsigned int i = 0; i < established + closed; i++) {
		test_record_init(&r, i < closed ? SOCK_CLOSE_WAIT : SOCK_ESTABLISHED, "10.0.0.1:80",
				 "10.0.0.2:4000");
		test_record_add_tcp_info(&r, 232);
		test_record_set(&r, TCP_INFO_LAST_ACK_RECV, 4, 1000 * (i + 1));
		r.record.inode = 0;
		l = listener_table_match(&lane.table, &r.record);
		cr_assert(l);
		listener_dump_observe(l, &r.record);
	}
	listener_dump_commit(&lane.table, false);
}

static void start(void)
{
	lane_init(&lane, 10);
	poll_drops(0, 0, 70);
	cr_assert_null(next());
}

Test(listener_overflow, told_with_its_queues)
{
	const struct overflow *o;

	start();
	poll_drops(FULL, 3, 73);
	cr_assert_null(next(), "before a dump has counted its queues");
	dump(FULL, 5, 2);
	poll_drops(FULL, 2, 75);
	o = next();
	cr_assert(o);
	cr_assert_eq(news, OVERFLOW_BEGAN);
	cr_assert_str_eq(o->listener->address, "0.0.0.0");
	cr_assert_eq(o->listener->key.port, 80);
	cr_assert_eq(o->now.length, FULL);
	cr_assert_eq(o->now.limit, LIMIT);
	cr_assert(o->now.has_limit && o->now.has_drops);
	cr_assert_eq(o->drops, 5);
	cr_assert_eq(o->peak, FULL);
	cr_assert(o->has_queues && o->has_age && o->has_reset);
	cr_assert_eq(o->oldest_ms, 7000);
	cr_assert_eq(o->closed, 2);
	cr_assert_eq(o->reset, FULL - 7);
	cr_assert_null(next());
	lane_poll_for(&lane, OVERFLOW_CALM_NS,
		      LANE_ROWS({"0.0.0.0:80", 1, 0, LIMIT, 75}, {"10.0.0.1:81", 2, 0, LIMIT, 5}));
	o = next();
	cr_assert(o);
	cr_assert_eq(news, OVERFLOW_ENDED);
	cr_assert_eq(o->drops, 5);
	cr_assert_eq(o->now.length, 0);
	cr_assert_null(next());
	lane_done(&lane);
}

/* A dump that was under way, or over, when it began says nothing of it. */
Test(listener_overflow, older_dump)
{
	start();
	dump(3, 3, 0);
	listener_dump_begin(&lane.table);
	poll_drops(FULL, 3, 73);
	listener_dump_commit(&lane.table, false);
	cr_assert_null(next());
	lane_done(&lane);
}

static const struct {
	const char *name;
	uint32_t length, drops;
	uint64_t listen_drops;
	bool is_blind, has_no_drops;
	bool expected;
} beginnings[] = {
	{"nothing", 0, 0, 0, false, false, false},
	{"dropped and full", FULL, 1, 1, false, false, true},
	{"dropped between two polls", 0, 1, 1, false, false, true},
	{"full, and nobody came", FULL, 0, 0, false, false, false},
	{"strays", 0, 5, 0, false, false, false},
	{"strays at a full queue", FULL, 5, 0, false, false, false},
	{"drops not told", FULL, 0, 0, false, true, true},
	{"drops not told, and room", LIMIT, 0, 0, false, true, false},
	{"drops that cannot be split", FULL, 5, 5, true, false, true},
};

Test(listener_overflow, beginnings)
{
	for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++) {
		bool no_drops = beginnings[i].has_no_drops;

		lane_init(&lane, 10);
		lane.is_blind = beginnings[i].is_blind;
		LANE_POLL(&lane, {"0.0.0.0:80", 1, 0, LIMIT, 70, no_drops});
		lane.listen_drops += beginnings[i].listen_drops;
		LANE_POLL(&lane, {"0.0.0.0:80", 1, beginnings[i].length, LIMIT,
				  70 + beginnings[i].drops, no_drops});
		cr_assert_eq(lane.table.overflows.count, beginnings[i].expected, "%s",
			     beginnings[i].name);
		lane_done(&lane);
	}
}

/* Those of one address are one listener; its members' queues are summed. */
Test(listener_overflow, members)
{
	const struct overflow *o;

	lane_init(&lane, 10);
	LANE_POLL(&lane, {"0.0.0.0:80", 1, 0, LIMIT, 0}, {"0.0.0.0:80", 2, 0, LIMIT, 0});
	lane.listen_drops += 4;
	LANE_POLL(&lane, {"0.0.0.0:80", 1, 2, LIMIT, 0}, {"0.0.0.0:80", 2, FULL, LIMIT, 4});
	cr_assert_eq(lane.table.overflows.count, 1);
	o = lane.table.overflows.items[0];
	cr_assert_eq(o->now.length, 2 + FULL);
	cr_assert_eq(o->now.limit, 2 * LIMIT);
	cr_assert_eq(o->drops, 4);
	lane_done(&lane);
}

/* A socket that is closed has no queue; one that is forgotten takes what is left of it along. */
Test(listener_overflow, gone)
{
	start();
	poll_drops(FULL, 3, 73);
	lane_poll_for(&lane, OVERFLOW_CALM_NS + LANE_INTERVAL_NS, NULL, 0);
	cr_assert(next());
	cr_assert_eq(news, OVERFLOW_BEGAN);
	cr_assert(next());
	cr_assert_eq(news, OVERFLOW_ENDED);
	cr_assert_null(next());
	cr_assert_eq(lane.table.overflows.count, 1, "it rests");
	lane.now_ns += 2 * LISTENER_AFTERLIFE_NS;
	LANE_POLL_NONE(&lane);
	cr_assert_eq(lane.table.count, 0);
	cr_assert_eq(lane.table.overflows.count, 0);
	lane_done(&lane);
}

Test(listener_overflow, hidden)
{
	static const struct filter_world world;
	struct filter_error error;
	struct filter *filter = NULL;

	start();
	cr_assert_eq(filter_parse("sport = :81", &world, &error, &filter), 0);
	lane.table.filter = filter;
	poll_drops(FULL, 3, 73);
	cr_assert_eq(lane.table.overflows.count, 0);
	lane.table.filter = NULL;
	filter_free(filter);
	lane_done(&lane);
}

static void poll_many(uint32_t count, uint32_t drops)
{
	static char locals[OVERFLOWS_MAX + 10][24];
	static struct lane_row rows[OVERFLOWS_MAX + 10];

	for (uint32_t i = 0; i < count; i++) {
		snprintf(locals[i], sizeof(locals[i]), "10.0.0.1:%u", 100 + i);
		rows[i] = (struct lane_row){locals[i], i + 1, FULL, LIMIT, drops};
	}
	lane_poll(&lane, rows, count);
}

/* However many: so many are told in a minute, the others later; and so many are followed. */
Test(listener_overflow, bounds)
{
	uint32_t told = 0;

	lane_init(&lane, 10);
	poll_many(OVERFLOWS_MAX + 5, 0);
	lane.listen_drops += OVERFLOWS_MAX + 5;
	poll_many(OVERFLOWS_MAX + 5, 1);
	cr_assert_eq(lane.table.overflows.count, OVERFLOWS_MAX);
	cr_assert_eq(lane.table.overflows.missed, 5);
	lane.now_ns += OVERFLOW_QUEUES_NS;
	while (next())
		told++;
	cr_assert_eq(told, OVERFLOW_NEWS_MAX);
	for (uint32_t minute = 1; minute <= OVERFLOWS_MAX / OVERFLOW_NEWS_MAX; minute++) {
		lane.now_ns += OVERFLOW_PERIOD_NS;
		while (next())
			told++;
	}
	cr_assert_eq(told, OVERFLOWS_MAX);
	lane_done(&lane);
}
