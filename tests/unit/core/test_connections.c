/* SPDX-License-Identifier: Apache-2.0 */
/* Connections from poll to poll: what is a baseline, what is growth, what has opened and closed. */
#include "daemon/core/connections.h"

#include "daemon/core/tcp_info.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/connection_lane.h"
#include "tests/unit/core/core_fixture.h"

TEST_SUITE(connections);

Test(connections, what_was_there_before_is_a_baseline)
{
	struct aggregate_lane a;

	connection_lane_init(&a, true);
	CONNECTION_LANE_POLL(&a, {1, 1000, 500, 9});
	CONNECTION_LANE_EXPECT(&a, "first poll", 0);
	CONNECTION_LANE_POLL(&a, {1, 1300, 600, 12});
	CONNECTION_LANE_EXPECT(&a, "second", .sent = 300, .received = 100);
	CONNECTION_LANE_POLL_NONE(&a);
	CONNECTION_LANE_EXPECT(&a, "gone", .closed = 1, .sent = 300, .received = 100);
	connection_lane_done(&a);
}

Test(connections, what_is_born_counts_from_zero)
{
	struct aggregate_lane a;

	connection_lane_init(&a, false);
	CONNECTION_LANE_POLL(&a, {1, 1000, 500, 9}, {2, 1, 2, 3, .is_server = true});
	CONNECTION_LANE_EXPECT(&a, "client", .opened = 1, .sent = 1000, .received = 500);
	CONNECTION_LANE_EXPECT_SERVER(&a, "server", .opened = 1, .sent = 1, .received = 2);
	connection_lane_done(&a);
}

/* Where others are watched from now on, nothing is born that is new, or closed that is missing;
 * what is still there goes on. */
Test(connections, start_over)
{
	struct aggregate_lane a;

	connection_lane_init(&a, false);
	CONNECTION_LANE_POLL(&a, {1, 100, 0, 2}, {2, 200, 0, 2});
	CONNECTION_LANE_EXPECT(&a, "before", .opened = 2, .sent = 300);
	connections_start_over(&a.aggregate.connections);
	CONNECTION_LANE_POLL(&a, {1, 150, 0, 3}, {3, 1000, 0, 2});
	CONNECTION_LANE_EXPECT(&a, "others", .opened = 2, .sent = 350);
	CONNECTION_LANE_POLL(&a, {3, 1001, 0, 3}, {4, 5, 0, 2});
	CONNECTION_LANE_EXPECT(&a, "after", .opened = 3, .closed = 1, .sent = 356);
	connection_lane_done(&a);
}

/* Of what no poll has seen an event tells, and not what state it had. */
Test(connections, events_of_what_is_watched)
{
	static const struct filter_world world;
	static const struct {
		const char *filter;
		bool counts;
	} cases[] = {
		{"dport = :443", true},
		{"dport = :80", false},
		{"state established", false},
		{"not state established", false},
		{"dport = :443 or state established", true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct filter_error error;
		struct filter *f = NULL;
		struct aggregate_lane a;

		cr_assert_eq(filter_parse(cases[i].filter, &world, &error, &f), 0);
		connection_lane_init(&a, false);
		a.aggregate.connections.filter = f;
		cr_assert_eq(connection_lane_event(&a, &(struct connection_socket){1, 7, 0, 2}),
			     cases[i].counts, "%s", cases[i].filter);
		connection_lane_done(&a);
		filter_free(f);
	}
}

/* A SYN that nobody answers is no connection, and what it sent counts when it is one. */
Test(connections, tried_is_not_opened)
{
	struct aggregate_lane a;

	connection_lane_init(&a, false);
	CONNECTION_LANE_POLL(&a, {1, 30, 0, 0});
	CONNECTION_LANE_EXPECT(&a, "SYN_SENT", 0);
	CONNECTION_LANE_POLL(&a, {1, 100, 0, 2});
	CONNECTION_LANE_EXPECT(&a, "established", .opened = 1, .sent = 100);
	CONNECTION_LANE_POLL(&a, {2, 0, 0, 0});
	CONNECTION_LANE_POLL_NONE(&a);
	CONNECTION_LANE_EXPECT(&a, "in vain", .opened = 1, .closed = 1, .sent = 100);
	cr_assert_eq(a.aggregate.connections.track.count, 1, "only what may have an event is kept");
	connection_lane_done(&a);
}

/* Request and timewait sockets may have a cookie of their own, or one that is followed. */
Test(connections, rows_without_tcp_info)
{
	struct aggregate_lane a;

	connection_lane_init(&a, false);
	aggregates_begin(&a);
	aggregates_add_row(&a, SOCK_TIME_WAIT, "10.0.0.1:40000", "10.0.0.2:443");
	aggregates_add_row(&a, SOCK_SYN_RECV, "10.0.0.1:80", "10.0.0.2:40000");
	aggregates_commit(&a);
	cr_assert_eq(a.aggregate.connections.track.count, 0);
	CONNECTION_LANE_EXPECT(&a, "client", 0);
	CONNECTION_LANE_EXPECT_SERVER(&a, "server", 0);
	connection_lane_done(&a);
}

Test(connections, gone_and_seen_again)
{
	struct aggregate_lane a;

	connection_lane_init(&a, false);
	CONNECTION_LANE_POLL(&a, {1, 100, 0, 2});
	CONNECTION_LANE_POLL_NONE(&a);
	CONNECTION_LANE_EXPECT(&a, "missed", .opened = 1, .closed = 1, .sent = 100);
	CONNECTION_LANE_POLL(&a, {1, 150, 0, 3});
	CONNECTION_LANE_EXPECT(&a, "back", .opened = 1, .closed = 1, .sent = 150);
	CONNECTION_LANE_POLL_NONE(&a);
	CONNECTION_LANE_EXPECT(&a, "gone for good", .opened = 1, .closed = 1, .sent = 150);
	connection_lane_done(&a);
}

/* connect() to AF_UNSPEC: the cookie stays, and the counters begin again, or the ports differ. */
Test(connections, one_socket_two_connections)
{
	static const struct {
		const char *name;
		struct connection_socket second;
	} cases[] = {
		{"sent has fallen", {1, 60, 500, 2}},
		{"received has fallen", {1, 2000, 20, 2}},
		{"another port here", {1, 1000, 500, 9, .near_port = 40001}},
		{"another port there", {1, 1000, 500, 9, .far_port = 444}},
	};
	struct aggregate_lane a;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool leaves = cases[i].second.far_port != 0;

		connection_lane_init(&a, false);
		CONNECTION_LANE_POLL(&a, {1, 1000, 500, 9});
		connection_lane_poll(&a, &cases[i].second, 1);
		CONNECTION_LANE_EXPECT(&a, cases[i].name, .opened = leaves ? 1 : 2, .closed = 1,
				       .sent = 1000 + (leaves ? 0 : cases[i].second.sent),
				       .received = 500 + (leaves ? 0 : cases[i].second.received));
		connection_lane_done(&a);
	}
}

/* It is disconnected when one poll sees it, and tries again when the next does. */
Test(connections, another_that_is_only_tried)
{
	struct aggregate_lane a;

	connection_lane_init(&a, false);
	CONNECTION_LANE_POLL(&a, {1, 0, 0, 9});
	CONNECTION_LANE_POLL(&a, {1, 0, 0, 0});
	CONNECTION_LANE_EXPECT(&a, "tried", .opened = 1, .closed = 1);
	CONNECTION_LANE_POLL(&a, {1, 10, 0, 1});
	CONNECTION_LANE_EXPECT(&a, "opened", .opened = 2, .closed = 1, .sent = 10);
	connection_lane_done(&a);
}

/* What a failed poll saw is true; what it did not is not gone. */
Test(connections, failed_polls)
{
	struct aggregate_lane a;

	connection_lane_init(&a, false);
	CONNECTION_LANE_POLL(&a, {1, 100, 0, 2});
	aggregates_begin(&a);
	connection_lane_row(&a, &(const struct connection_socket){1, 150, 0, 3});
	connection_lane_row(&a, &(const struct connection_socket){2, 7, 0, 3});
	aggregate_abort(&a.aggregate);
	aggregates_begin(&a);
	aggregate_abort(&a.aggregate);
	CONNECTION_LANE_POLL(&a, {1, 160, 0, 4}, {2, 9, 0, 4});
	CONNECTION_LANE_EXPECT(&a, "after it", .opened = 2, .sent = 169);
	connection_lane_done(&a);
}

/* Without room a socket is in no counter; while there is none, what is new may be old. */
Test(connections, without_room)
{
	struct connection_socket many[CONNECTION_LANE_LIMIT + 20];
	struct aggregate_lane a;

	connection_lane_init(&a, false);
	for (unsigned int i = 0; i < CONNECTION_LANE_LIMIT + 20; i++)
		many[i] = (struct connection_socket){i + 1, 10, 0, 2};
	connection_lane_poll(&a, many, CONNECTION_LANE_LIMIT + 20);
	cr_assert_eq(a.aggregate.connections.untracked, 20);
	cr_assert_eq(a.aggregate.connections.track.count, CONNECTION_LANE_LIMIT);
	CONNECTION_LANE_EXPECT(&a, "full", .opened = CONNECTION_LANE_LIMIT,
			       .sent = 10 * CONNECTION_LANE_LIMIT);
	cr_assert_not(connection_lane_event(&a, &(const struct connection_socket){999, 10, 0, 2}));
	connection_lane_poll(&a, many + 20, CONNECTION_LANE_LIMIT);
	connection_lane_poll(&a, many + 20, CONNECTION_LANE_LIMIT);
	cr_assert_eq(a.aggregate.connections.untracked, 0);
	CONNECTION_LANE_EXPECT(&a, "old ones are no births", .opened = CONNECTION_LANE_LIMIT,
			       .closed = 20, .sent = 10 * CONNECTION_LANE_LIMIT);
	connection_lane_done(&a);
}

Test(connections, a_lower_limit)
{
	struct aggregate_lane a;

	connection_lane_init(&a, false);
	CONNECTION_LANE_POLL(&a, {1, 10, 0, 2}, {2, 10, 0, 2}, {3, 10, 0, 2});
	connections_limit(&a.aggregate.connections, 2);
	CONNECTION_LANE_POLL(&a, {1, 20, 0, 3}, {2, 20, 0, 3}, {3, 20, 0, 3});
	cr_assert_eq(a.aggregate.connections.track.count, 2);
	cr_assert_eq(a.aggregate.connections.untracked, 1);
	CONNECTION_LANE_EXPECT(&a, "two of three", .opened = 3, .sent = 50);
	connections_limit(&a.aggregate.connections, 0);
	cr_assert_eq(a.aggregate.connections.track.count, 0);
	CONNECTION_LANE_POLL(&a, {1, 30, 0, 4});
	CONNECTION_LANE_EXPECT(&a, "none", .opened = 3, .sent = 50);
	connections_limit(&a.aggregate.connections, 10);
	CONNECTION_LANE_POLL(&a, {1, 40, 0, 5});
	CONNECTION_LANE_POLL(&a, {1, 45, 0, 6});
	CONNECTION_LANE_EXPECT(&a, "from a new baseline", .opened = 3, .sent = 55);
	connection_lane_done(&a);
}

/* What a lower limit lets go was counted: it is not born again, neither by an event nor, where the
 * poll that let it go has failed, by the next poll. */
Test(connections, let_go_by_a_lower_limit)
{
	struct aggregate_lane a;

	for (int fails = 0; fails < 2; fails++) {
		connection_lane_init(&a, false);
		CONNECTION_LANE_POLL(&a, {1, 10, 0, 2}, {2, 10, 0, 2});
		connections_limit(&a.aggregate.connections, 1);
		aggregates_begin(&a);
		connection_lane_row(&a, &(const struct connection_socket){1, 10, 0, 2});
		if (fails) {
			aggregate_abort(&a.aggregate);
			connections_limit(&a.aggregate.connections, 2);
			CONNECTION_LANE_POLL(&a, {1, 10, 0, 2}, {2, 10, 0, 2});
		} else {
			connection_lane_event(&a, &(const struct connection_socket){1, 10, 0, 2});
			aggregates_commit(&a);
		}
		CONNECTION_LANE_EXPECT(&a, fails ? "failed" : "event", .opened = 2, .sent = 20,
				       .closed = !fails);
		connection_lane_done(&a);
	}
}

/* Who is gone makes room for those that are not. */
Test(connections, a_lower_limit_takes_the_gone_first)
{
	struct aggregate_lane a;

	connection_lane_init(&a, false);
	CONNECTION_LANE_POLL(&a, {1, 10, 0, 2}, {2, 10, 0, 2}, {3, 10, 0, 2});
	CONNECTION_LANE_POLL(&a, {1, 10, 0, 2});
	connections_limit(&a.aggregate.connections, 1);
	CONNECTION_LANE_POLL(&a, {1, 15, 0, 3});
	CONNECTION_LANE_EXPECT(&a, "the living", .opened = 3, .closed = 2, .sent = 35);
	cr_assert_eq(a.aggregate.connections.untracked, 0);
	cr_assert_eq(a.aggregate.connections.track.count, 1);
	cr_assert_not(connection_lane_event(
		&a, &(const struct connection_socket){2, 10, 0, 2, .age_ms = 10000}));
	connection_lane_done(&a);
}

/* Also where they are gone only after it, and some are new. */
Test(connections, gone_after_a_lower_limit)
{
	struct aggregate_lane a;

	connection_lane_init(&a, false);
	CONNECTION_LANE_POLL(&a, {1, 10, 0, 2}, {2, 10, 0, 2}, {3, 10, 0, 2});
	connections_limit(&a.aggregate.connections, 1);
	CONNECTION_LANE_POLL_NONE(&a);
	CONNECTION_LANE_POLL(&a, {4, 10, 0, 2});
	CONNECTION_LANE_EXPECT(&a, "the new one", .opened = 4, .closed = 3, .sent = 40);
	cr_assert_eq(a.aggregate.connections.untracked, 0);
	connection_lane_done(&a);
}

/* A reload in the middle of a poll keeps what has accrued, and turns a family on from then on. */
Test(connections, reload)
{
	static const char family[] = "sockstat_tcp_acked_bytes_total";
	struct catalogue *core = core_catalogue(false);
	struct group_settings settings;
	struct aggregate_lane a;

	connection_lane_init(&a, false);
	settings = a.settings;
	settings.catalogue = core;
	cr_assert_eq(aggregate_configure(&a.aggregate, &settings), 0);
	CONNECTION_LANE_POLL(&a, {1, 100, 0, 2});
	aggregates_begin(&a);
	connection_lane_row(&a, &(const struct connection_socket){1, 150, 0, 3});
	cr_assert_eq(aggregate_configure(&a.aggregate, &a.settings), 0);
	CONNECTION_LANE_POLL(&a, {1, 170, 0, 4});
	CONNECTION_LANE_EXPECT(&a, "extended", .opened = 1, .sent = 170);
	cr_assert_eq(aggregates_value(&a, GROUP_CLIENT, "443", family, 0), 20, "since the reload");
	catalogue_unref(core);
	connection_lane_done(&a);
}

/* Delivered segments, not clocks, say who was active, unless a poll has failed in between. */
Test(connections, activity)
{
	static const char rtt[] = "sockstat_tcp_rtt_seconds";
	struct aggregate_lane a;
	struct test_record r;

	connection_lane_init(&a, false);
	test_record_init(&r, SOCK_ESTABLISHED, "10.0.0.1:40000", "10.0.0.2:443");
	test_record_add_tcp_info(&r, 280);
	test_record_set(&r, TCP_INFO_RTT, 4, 1000);
	test_record_set(&r, TCP_INFO_SEGS_IN, 4, 2);
	test_record_set(&r, TCP_INFO_DATA_SEGS_OUT, 4, 2);
	test_record_set(&r, TCP_INFO_LAST_ACK_RECV, 4, 60000);
	for (unsigned int i = 0; i < 6; i++) {
		aggregates_begin(&a);
		test_record_set(&r, TCP_INFO_DELIVERED, 4, i / 2);
		test_record_set(&r, TCP_INFO_SEGS_IN, 4, 2 + i / 2);
		aggregates_add(&a, &r);
		aggregates_commit(&a);
		cr_assert_eq(aggregates_observations(&a, GROUP_CLIENT, "443", rtt), i / 2, "%u", i);
	}
	aggregates_begin(&a);
	test_record_set(&r, TCP_INFO_DELIVERED, 4, 9);
	test_record_set(&r, TCP_INFO_SEGS_IN, 4, 9);
	aggregates_add(&a, &r);
	aggregate_abort(&a.aggregate);
	aggregates_begin(&a);
	test_record_set(&r, TCP_INFO_LAST_ACK_RECV, 4, 9000);
	test_record_set(&r, TCP_INFO_LAST_DATA_SENT, 4, 9000);
	aggregates_add(&a, &r);
	aggregates_commit(&a);
	cr_assert_eq(aggregates_observations(&a, GROUP_CLIENT, "443", rtt), 3);
	connection_lane_done(&a);
}

/* A poll that is begun anew, for a reload or because the kernel called its dump interrupted, has
 * taken values over as one that has failed. */
Test(connections, activity_of_a_poll_begun_anew)
{
	struct aggregate_lane a;
	struct test_record r;

	connection_lane_init(&a, false);
	test_record_init(&r, SOCK_ESTABLISHED, "10.0.0.1:40000", "10.0.0.2:443");
	test_record_add_tcp_info(&r, 280);
	test_record_set(&r, TCP_INFO_RTT, 4, 1000);
	test_record_set(&r, TCP_INFO_SEGS_IN, 4, 2);
	test_record_set(&r, TCP_INFO_DATA_SEGS_OUT, 4, 2);
	test_record_set(&r, TCP_INFO_LAST_ACK_RECV, 4, 60000);
	aggregates_begin(&a);
	aggregates_add(&a, &r);
	aggregates_commit(&a);
	test_record_set(&r, TCP_INFO_DELIVERED, 4, 9);
	test_record_set(&r, TCP_INFO_SEGS_IN, 4, 9);
	test_record_set(&r, TCP_INFO_LAST_ACK_RECV, 4, 10);
	test_record_set(&r, TCP_INFO_LAST_DATA_SENT, 4, 10);
	for (int i = 0; i < 2; i++) {
		aggregates_begin(&a);
		aggregates_add(&a, &r);
	}
	aggregates_commit(&a);
	cr_assert_eq(aggregates_observations(&a, GROUP_CLIENT, "443", "sockstat_tcp_rtt_seconds"),
		     1);
	connection_lane_done(&a);
}
