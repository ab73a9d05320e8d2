/* SPDX-License-Identifier: Apache-2.0 */
/* Who a listener is: its label, the connections that are its own, its port. */
#include "daemon/core/listener.h"

#include <stdio.h>
#include <string.h>

#include "daemon/core/listener_dump.h"
#include "daemon/util/macros.h"
#include "tests/support/record_builder.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"
#include "tests/unit/core/listener_lane.h"

TEST_SUITE(listener);

/* As ss prints them. */
Test(listener, labels)
{
	static const struct {
		const char *local, *address, *port;
	} cases[] = {
		{"0.0.0.0:80", "0.0.0.0", "80"},
		{"127.0.0.1:8080", "127.0.0.1", "8080"},
		{"*:443", "*", "443"},
		{"[::]:443", "[::]", "443"},
		{"[::1]:443", "[::1]", "443"},
		{"[2001:db8::1:0:0:1]:65535", "[2001:db8::1:0:0:1]", "65535"},
		{"0.0.0.0%7:67", "0.0.0.0%dev7", "67"},
		{"*%7:67", "*%dev7", "67"},
		{"[::]%7:67", "[::]%dev7", "67"},
		{"[fe80::1]%7:67", "[fe80::1]%dev7", "67"},
		{"[1111:2222:3333:4444:5555:6666:7777:8888]%9:1",
		 "[1111:2222:3333:4444:5555:6666:7777:8888]%fifteen_letters", "1"},
	};
	struct listener_lane lane;

	lane_device_names[9] = "fifteen_letters";
	lane_init(&lane, ARRAY_SIZE(cases));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		LANE_POLL(&lane, {cases[i].local, i + 1, 0, 7, 0});
		cr_assert(lane_series(&lane, cases[i].address, cases[i].port), "%s",
			  cases[i].local);
		cr_assert_eq(lane.table.series_count, i + 1, "%s", cases[i].local);
	}
	lane_done(&lane);
}

/* An IPv6 socket with a mapped address is an IPv4 one for everybody. */
Test(listener, mapped)
{
	struct listener_lane lane;
	struct listener *l, *mapped;
	struct test_record r;

	lane_init(&lane, 10);
	test_record_init(&r, SOCK_LISTEN, "10.0.0.1:80", "0.0.0.0:0");
	cr_assert_eq(listener_table_get(&lane.table, &r.record, lane.now_ns, &l), 0);
	r.record.is_v4_in_v6 = 1;
	r.record.v6only = 1;
	r.record.known |= SOCK_KNOWS_V6ONLY;
	cr_assert_eq(listener_table_get(&lane.table, &r.record, lane.now_ns, &mapped), 0);
	cr_assert_eq(l, mapped);
	cr_assert_str_eq(l->address, "10.0.0.1");
	lane_done(&lane);
}

/* [::] and * are two, and so are addresses and devices. */
Test(listener, identity)
{
	static const struct {
		const char *name, *locals[2];
		uint32_t count;
	} cases[] = {
		{"members", {"0.0.0.0:80", "0.0.0.0:80"}, 1},
		{"port", {"0.0.0.0:80", "0.0.0.0:81"}, 2},
		{"address", {"0.0.0.0:80", "10.0.0.1:80"}, 2},
		{"family", {"0.0.0.0:80", "[::]:80"}, 2},
		{"v6only", {"*:80", "[::]:80"}, 2},
		{"device", {"*:80", "*%3:80"}, 2},
		{"devices", {"*%4:80", "*%3:80"}, 2},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct listener_lane lane;

		lane_init(&lane, 10);
		LANE_POLL(&lane, {cases[i].locals[0], 1, 0, 7, 0},
			  {cases[i].locals[1], 2, 0, 7, 0});
		cr_assert_eq(lane.table.count, cases[i].count, "%s", cases[i].name);
		lane_done(&lane);
	}
}

static const struct match_case {
	const char *name;
	const char *present[2], *gone[2];
	const char *local;    /* of the connection */
	const char *expected; /* the listener's address; NULL: a client's */
} match_cases[] = {
	{"same address", {"10.0.0.1:80"}, {0}, "10.0.0.1:80", "10.0.0.1"},
	{"another address", {"10.0.0.2:80"}, {0}, "10.0.0.1:80", NULL},
	{"another port", {"10.0.0.1:81", "*:82"}, {0}, "10.0.0.1:80", NULL},
	{"any", {"0.0.0.0:80"}, {0}, "10.0.0.1:80", "0.0.0.0"},
	{"dual stack", {"*:80"}, {0}, "10.0.0.1:80", "*"},
	{"address before any", {"0.0.0.0:80", "10.0.0.1:80"}, {0}, "10.0.0.1:80", "10.0.0.1"},
	{"any before dual stack", {"*:80", "0.0.0.0:80"}, {0}, "10.0.0.1:80", "0.0.0.0"},
	{"IPv6 alone takes no IPv4", {"[::]:80"}, {0}, "10.0.0.1:80", NULL},
	{"IPv4 takes no IPv6", {"0.0.0.0:80"}, {0}, "[fd00::1]:80", NULL},
	{"same IPv6 address", {"*:80", "[fd00::1]:80"}, {0}, "[fd00::1]:80", "[fd00::1]"},
	{"IPv6 alone", {"[::]:80"}, {0}, "[fd00::1]:80", "[::]"},
	{"dual stack of IPv6", {"*:80"}, {0}, "[fd00::1]:80", "*"},
	{"loopback", {"[::1]:80"}, {0}, "[::1]:80", "[::1]"},
	{"device", {"10.0.0.1:80", "10.0.0.1%3:80"}, {0}, "10.0.0.1%3:80", "10.0.0.1%dev3"},
	{"no device", {"10.0.0.1:80", "10.0.0.1%3:80"}, {0}, "10.0.0.1:80", "10.0.0.1"},
	{"another device", {"10.0.0.1%3:80"}, {0}, "10.0.0.1%4:80", NULL},
	{"only a device", {"10.0.0.1%3:80"}, {0}, "10.0.0.1:80", NULL},
	{"address before device",
	 {"10.0.0.1:80", "0.0.0.0%3:80"},
	 {0},
	 "10.0.0.1%3:80",
	 "10.0.0.1"},
	{"any device", {"0.0.0.0:80", "0.0.0.0%3:80"}, {0}, "10.0.0.1%3:80", "0.0.0.0%dev3"},
	{"dual stack device", {"*:80", "*%3:80"}, {0}, "10.0.0.1%3:80", "*%dev3"},
	{"IPv6 device", {"[::]:80", "[::]%3:80"}, {0}, "[fd00::1]%3:80", "[::]%dev3"},
	{"any for a device", {"0.0.0.0:80"}, {0}, "10.0.0.1%3:80", "0.0.0.0"},
	{"gone", {0}, {"10.0.0.1:80"}, "10.0.0.1:80", "10.0.0.1"},
	{"gone below the range", {0}, {"*:32767"}, "10.0.0.1:32767", "*"},
	{"gone inside the range", {0}, {"*:32768"}, "10.0.0.1:32768", NULL},
	{"gone at the range's end", {0}, {"*:60999"}, "10.0.0.1:60999", NULL},
	{"gone above the range", {0}, {"*:61000"}, "10.0.0.1:61000", "*"},
	{"present inside the range", {"*:40000"}, {0}, "10.0.0.1:40000", "*"},
	{"present before gone", {"*:80"}, {"10.0.0.1:80"}, "10.0.0.1:80", "*"},
	{"the better of the gone", {0}, {"*:80", "10.0.0.1:80"}, "10.0.0.1:80", "10.0.0.1"},
};

static void add_rows(struct lane_row rows[2], size_t *count, const char *const locals[2])
{
	*count = 0;
	for (size_t i = 0; i < 2 && locals[i]; i++)
		rows[(*count)++] = (struct lane_row){.local = locals[i], .cookie = i + 1};
}

static const struct listener *match(struct listener_lane *lane, const char *local)
{
	struct test_record r;

	test_record_init(&r, SOCK_ESTABLISHED, local,
			 local[0] == '[' ? "[fd00::9]:9" : "9.9.9.9:9");
	return listener_table_match(&lane->table, &r.record);
}

Test(listener, match)
{
	for (size_t i = 0; i < ARRAY_SIZE(match_cases); i++) {
		const struct match_case *c = &match_cases[i];
		const struct listener *l;
		struct listener_lane lane;
		struct lane_row rows[2];
		size_t count;

		lane_init(&lane, 10);
		add_rows(rows, &count, c->gone);
		lane_poll(&lane, rows, count);
		add_rows(rows, &count, c->present);
		lane_poll(&lane, rows, count);
		l = match(&lane, c->local);
		cr_assert_eq(l != NULL, c->expected != NULL, "%s", c->name);
		if (l)
			cr_assert_str_eq(l->address, c->expected, "%s: %s", c->name, l->address);
		lane_done(&lane);
	}
}

/* The first bytes of an IPv6 address may be those of an IPv4 one. */
Test(listener, match_of_another_family)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	LANE_POLL(&lane, {"0.0.0.0:80", 1, 0, 7, 0});
	cr_assert(match(&lane, "1.0.0.1:80"));
	cr_assert_null(match(&lane, "[100:1::]:80"));
	lane_done(&lane);
}

Test(listener, match_of_the_gone_ends)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	LANE_POLL(&lane, {"*:80", 1, 0, 7, 0});
	LANE_POLL_NONE(&lane);
	lane.now_ns += LISTENER_AFTERLIFE_NS - LANE_INTERVAL_NS;
	LANE_POLL_NONE(&lane);
	cr_assert(match(&lane, "10.0.0.1:80"));
	LANE_POLL_NONE(&lane);
	cr_assert_null(match(&lane, "10.0.0.1:80"));
	lane_done(&lane);
}

/* The sockets lane may be the first to see a listener, and the one that sees it last. */
Test(listener, match_of_what_a_dump_has_seen)
{
	struct listener_lane lane;
	struct test_record r;

	lane_init(&lane, 10);
	LANE_POLL_NONE(&lane);
	test_record_init(&r, SOCK_LISTEN, "*:40000", "0.0.0.0:0");
	cr_assert_null(match(&lane, "10.0.0.1:40000"));
	listener_dump_begin(&lane.table);
	cr_assert_eq(listener_dump_see(&lane.table, &r.record, lane.now_ns), 0);
	cr_assert(match(&lane, "10.0.0.1:40000"));
	LANE_POLL_NONE(&lane);
	cr_assert(match(&lane, "10.0.0.1:40000"), "until the dump has ended");
	listener_dump_commit(&lane.table, false);
	cr_assert_eq(lane.table.series_count, 0, "series begin with the fast lane");

	listener_dump_begin(&lane.table);
	cr_assert_null(match(&lane, "10.0.0.1:40000"));
	LANE_POLL_NONE(&lane);
	cr_assert_eq(lane.table.count, 0);
	lane_done(&lane);
}

/* One that has gone, inside ip_local_port_range, and is back. */
Test(listener, match_of_what_a_dump_sees_again)
{
	struct listener_lane lane;
	struct test_record r;

	lane_init(&lane, 10);
	LANE_POLL(&lane, {"*:40000", 1, 0, 7, 0});
	LANE_POLL_NONE(&lane);
	listener_dump_begin(&lane.table);
	cr_assert_null(match(&lane, "10.0.0.1:40000"));
	test_record_init(&r, SOCK_LISTEN, "*:40000", "0.0.0.0:0");
	cr_assert_eq(listener_dump_see(&lane.table, &r.record, lane.now_ns), 0);
	cr_assert(match(&lane, "10.0.0.1:40000"));
	lane_done(&lane);
}

Test(listener, ephemeral_range)
{
	static const struct {
		uint16_t low, high, port;
		bool inside;
	} cases[] = {
		{32768, 60999, 32767, false},
		{32768, 60999, 32768, true},
		{32768, 60999, 60999, true},
		{32768, 60999, 61000, false},
		{1, 65535, 65535, true},
		{5, 5, 5, true},
		{1, 0, 0, false},
		{1, 0, 1, false},
	};
	struct listener_table t = {0};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		t.ephemeral_low = cases[i].low;
		t.ephemeral_high = cases[i].high;
		cr_assert_eq(listener_table_is_ephemeral(&t, cases[i].port), cases[i].inside,
			     "%u in %u..%u", cases[i].port, cases[i].low, cases[i].high);
	}
}

Test(listener, no_range)
{
	struct listener_lane lane;
	struct listener_table t;

	lane_init(&lane, 0);
	listener_table_init(&t, lane.catalogue, 0, NULL);
	for (unsigned int port = 0; port <= UINT16_MAX; port++)
		cr_assert_not(listener_table_is_ephemeral(&t, (uint16_t)port), "%u", port);
	listener_table_done(&t);
	lane_done(&lane);
}

#define TUNNEL "10.8.0.1%tun0"

/* Two series with the same labels would spoil the whole scrape. */
Test(listener, device_made_anew)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	lane_device_names[3] = "tun0";
	LANE_POLL(&lane, {"10.8.0.1%3:53", 1, 0, 7, 0}, {"10.8.0.1:53", 2, 0, 7, 0});
	LANE_POLL(&lane, {"10.8.0.1%3:53", 1, 0, 7, 4}, {"10.8.0.1:53", 2, 0, 7, 0});
	LANE_POLL(&lane, {"10.8.0.1:53", 2, 0, 7, 0});
	lane_device_names[3] = NULL;
	lane_device_names[5] = "tun0";
	LANE_POLL(&lane, {"10.8.0.1%5:53", 3, 0, 7, 2}, {"10.8.0.1:53", 2, 0, 7, 0});
	cr_assert_eq(lane.table.series_count, 2);
	cr_assert_eq(lane_values(&lane, TUNNEL, "53")->stray_drops, 6, "it has come back");
	cr_assert_str_eq(match(&lane, "10.8.0.1%5:53")->address, TUNNEL);
	cr_assert_str_eq(match(&lane, "10.8.0.1%3:53")->address, "10.8.0.1");
	lane.now_ns += LISTENER_AFTERLIFE_NS;
	LANE_POLL_NONE(&lane);
	lane.now_ns += LISTENER_AFTERLIFE_NS;
	LANE_POLL_NONE(&lane);
	cr_assert_eq(lane.table.count, 0);
	lane_done(&lane);
}

Test(listener, device_whose_name_another_has)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	lane_device_names[3] = "tun0";
	LANE_POLL(&lane, {"10.8.0.1%3:53", 1, 0, 7, 0});
	LANE_POLL(&lane, {"10.8.0.1%3:53", 1, 0, 7, 4});
	lane_device_names[5] = "tun0";
	LANE_POLL(&lane, {"10.8.0.1%3:53", 1, 0, 7, 4}, {"10.8.0.1%5:53", 3, 0, 7, 2});
	cr_assert_eq(lane.table.series_count, 1);
	cr_assert_eq(lane_values(&lane, TUNNEL, "53")->sockets, 2);
	cr_assert_eq(lane_values(&lane, TUNNEL, "53")->stray_drops, 6);
	lane_done(&lane);
}

/* What has lived ten minutes gets a label also inside ip_local_port_range. */
Test(listener, settled)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	LANE_POLL(&lane, {"*:40000", 1, 0, 7, 0});
	cr_assert_not(listener_table_is_settled(&lane.table, 40000));
	lane.now_ns += LISTENER_SETTLED_NS - 2 * LANE_INTERVAL_NS;
	LANE_POLL(&lane, {"*:40000", 1, 0, 7, 0}, {"10.0.0.1:40000", 2, 0, 7, 0});
	cr_assert_not(listener_table_is_settled(&lane.table, 40000));
	LANE_POLL(&lane, {"*:40000", 1, 0, 7, 0}, {"10.0.0.1:40000", 2, 0, 7, 0});
	cr_assert(listener_table_is_settled(&lane.table, 40000));
	cr_assert_not(listener_table_is_settled(&lane.table, 40001));
	LANE_POLL(&lane, {"10.0.0.1:40000", 2, 0, 7, 0});
	cr_assert_not(listener_table_is_settled(&lane.table, 40000), "the old one has gone");
	LANE_POLL(&lane, {"*:40000", 1, 0, 7, 0});
	cr_assert_not(listener_table_is_settled(&lane.table, 40000), "it lives anew");
	lane_done(&lane);
}

/* What is remembered of matches never differs from what is found anew. */
Test(listener, matches_are_remembered_right)
{
	static const char *const locals[] = {
		"0.0.0.0:1", "*:1",         "[::]:1",         "10.0.0.1:1", "10.0.0.1%3:1",
		"*%3:2",     "[fd00::1]:2", "10.0.0.1:40000", "*:40000",    "0.0.0.0:2",
	};
	static const char *const ends[] = {
		"10.0.0.1:1",    "10.0.0.1%3:1", "10.0.0.2:1",  "[fd00::1]:1",    "10.0.0.1%3:2",
		"[fd00::1]%3:2", "10.0.0.1:2",   "[fd00::1]:2", "10.0.0.1:40000",
	};
	struct lane_row rows[ARRAY_SIZE(locals)];
	struct listener_lane lane;
	uint64_t random = 1;

	lane_init(&lane, 4);
	for (int step = 0; step < 2000; step++) {
		const char *end = ends[core_random(&random, ARRAY_SIZE(ends))];
		const struct listener *remembered = match(&lane, end);
		size_t count = 0;

		listener_table_forget_matches(&lane.table);
		cr_assert_eq(match(&lane, end), remembered, "step %d: %s", step, end);
		if (core_random(&random, 4) > 0)
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(locals); i++)
			if (core_random(&random, 2))
				rows[count++] = (struct lane_row){locals[i], i + 1, 0, 1, 0};
		lane.now_ns += core_random(&random, 3) * LISTENER_AFTERLIFE_NS / 2;
		if (core_random(&random, 4) > 0)
			lane_poll(&lane, rows, count);
		else
			lane_fail(&lane, rows, count);
	}
	lane_done(&lane);
}
