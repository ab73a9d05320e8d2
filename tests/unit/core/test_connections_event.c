/* SPDX-License-Identifier: Apache-2.0 */
/* Destroy events: which of them closes a connection, and what each adds. */
#include "daemon/core/connections.h"

#include "daemon/core/tcp_info.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/connection_lane.h"
#include "tests/unit/core/core_fixture.h"

TEST_SUITE(connections_event);

#define SOCKET(...) (&(const struct connection_socket){__VA_ARGS__})

Test(connections_event, of_a_connection_that_a_poll_has_seen)
{
	struct aggregate_lane a;

	connection_lane_init(&a, false);
	CONNECTION_LANE_POLL(&a, {1, 100, 50, 2});
	cr_assert(connection_lane_event(&a, SOCKET(1, 130, 61, 4)));
	CONNECTION_LANE_EXPECT(&a, "closed", .opened = 1, .closed = 1, .sent = 130, .received = 61);
	cr_assert_eq(a.aggregate.connections.track.count, 0);
	CONNECTION_LANE_POLL_NONE(&a);
	CONNECTION_LANE_EXPECT(&a, "once", .opened = 1, .closed = 1, .sent = 130, .received = 61);
	connection_lane_done(&a);
}

Test(connections_event, of_a_connection_that_no_poll_has_seen)
{
	static const struct {
		const char *name;
		struct connection_socket socket;
		bool counts;
	} cases[] = {
		{"client", {1, 100, 50, 2}, true},
		{"server", {1, 100, 50, 2, .is_server = true}, true},
		{"no segment came in", {1, 100, 50, 0}, false},
		{"an RST came in", {1, 0, 0, 1, .is_refused = true}, false},
	};
	struct aggregate_lane a;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct connection_socket *s = &cases[i].socket;
		struct connection_counts all = {1, 1, 0, 100, 50}, none = {0};

		connection_lane_init(&a, false);
		cr_assert_eq(connection_lane_event(&a, s), cases[i].counts, "%s", cases[i].name);
		CONNECTION_LANE_POLL_NONE(&a);
		connection_lane_expect(&a, false, cases[i].counts && !s->is_server ? &all : &none,
				       cases[i].name);
		connection_lane_expect(&a, true, cases[i].counts && s->is_server ? &all : &none,
				       cases[i].name);
		connection_lane_done(&a);
	}
}

/* One handshake, two children: the end of the one that did not live is none of a connection,
 * whether a poll has seen the other or not, and does not end the other. */
Test(connections_event, of_a_stillborn_child)
{
	struct aggregate_lane a;

	connection_lane_init(&a, false);
	cr_assert_not(connection_lane_event(&a, SOCKET(1, 0, 0, 1, .is_server = true)));
	CONNECTION_LANE_EXPECT_SERVER(&a, "unseen", 0);
	CONNECTION_LANE_POLL(&a, {1, 100, 50, 2, .is_server = true});
	cr_assert_not(connection_lane_event(&a, SOCKET(1, 0, 0, 1, .is_server = true)));
	CONNECTION_LANE_POLL(&a, {1, 200, 60, 3, .is_server = true});
	cr_assert(connection_lane_event(&a, SOCKET(1, 300, 70, 4, .is_server = true)));
	CONNECTION_LANE_POLL_NONE(&a);
	CONNECTION_LANE_EXPECT_SERVER(&a, "once", .opened = 1, .closed = 1, .sent = 300,
				      .received = 70);
	cr_assert_eq(a.aggregate.connections.track.count, 0);
	connection_lane_done(&a);
}

/* The same of one that a poll has seen before its listener. */
Test(connections_event, of_a_stillborn_child_of_a_new_listener)
{
	struct aggregate_lane a;

	connection_lane_init(&a, false);
	lane_poll_for(&a.lane, LISTENER_AFTERLIFE_NS + NSEC_PER_SEC, NULL, 0);
	CONNECTION_LANE_POLL(&a, {1, 100, 50, 2, .is_server = true});
	LANE_POLL(&a.lane, {"0.0.0.0:80", 1, 0, 7, 0});
	cr_assert_not(connection_lane_event(&a, SOCKET(1, 0, 0, 1, .is_server = true)));
	CONNECTION_LANE_POLL(&a, {1, 200, 60, 3, .is_server = true});
	CONNECTION_LANE_EXPECT_SERVER(&a, "the other", .opened = 1, .sent = 200, .received = 60);
	connection_lane_done(&a);
}

/* A listener's, that of a socket never connected, that of an abort that no poll has seen. */
Test(connections_event, without_ports)
{
	struct aggregate_lane a;

	connection_lane_init(&a, false);
	cr_assert_not(connection_lane_abort(&a, SOCKET(1)));
	CONNECTION_LANE_EXPECT(&a, "nothing", 0);
	connection_lane_done(&a);
}

Test(connections_event, before_the_first_good_poll)
{
	struct aggregate_lane a;

	connection_lane_init(&a, true);
	cr_assert_not(connection_lane_event(&a, SOCKET(1, 100, 50, 2)));
	aggregates_begin(&a);
	connection_lane_row(&a, SOCKET(2, 100, 50, 2));
	cr_assert_not(connection_lane_event(&a, SOCKET(3, 100, 50, 2)));
	cr_assert(connection_lane_event(&a, SOCKET(2, 110, 50, 3)));
	aggregates_commit(&a);
	CONNECTION_LANE_EXPECT(&a, "one was followed", .closed = 1, .sent = 10);
	connection_lane_done(&a);
}

/* It had left every dump before the daemon came, and is let go hours later. */
Test(connections_event, of_a_connection_older_than_the_daemon)
{
	struct aggregate_lane a;

	connection_lane_init(&a, false);
	cr_assert_not(connection_lane_event(&a, SOCKET(1, 100, 50, 2, .age_ms = 60000)));
	CONNECTION_LANE_EXPECT(&a, "older", 0);
	cr_assert(connection_lane_event(&a, SOCKET(2, 100, 50, 2, .age_ms = 0)));
	CONNECTION_LANE_EXPECT(&a, "younger", .opened = 1, .closed = 1, .sent = 100,
			       .received = 50);
	connection_lane_done(&a);
}

Test(connections_event, of_a_connection_that_has_gone)
{
	struct aggregate_lane a;

	connection_lane_init(&a, false);
	CONNECTION_LANE_POLL(&a, {1, 100, 50, 2});
	for (int i = 0; i < 5; i++)
		CONNECTION_LANE_POLL_NONE(&a);
	CONNECTION_LANE_EXPECT(&a, "gone", .opened = 1, .closed = 1, .sent = 100, .received = 50);
	cr_assert(connection_lane_event(&a, SOCKET(1, 120, 51, 4, .age_ms = 20000)));
	CONNECTION_LANE_EXPECT(&a, "what is missing", .opened = 1, .closed = 1, .sent = 120,
			       .received = 51);
	cr_assert_eq(a.aggregate.connections.track.count, 0);
	connection_lane_done(&a);
}

static uint64_t closed_observations(const struct aggregate_lane *a, const char *family)
{
	return aggregates_observations(a, GROUP_CLIENT, "443", family);
}

/* The histograms have one observation for each connection, whichever way it closed. */
Test(connections_event, aborted)
{
	struct aggregate_lane a;

	connection_lane_init(&a, false);
	CONNECTION_LANE_POLL(&a, {1, 100, 50, 2}, {2, 100, 50, 2, .near_port = 40001});
	cr_assert(connection_lane_abort(&a, SOCKET(1)));
	CONNECTION_LANE_EXPECT(&a, "aborted", .opened = 2, .closed = 1, .unreported = 1,
			       .sent = 200, .received = 100);
	CONNECTION_LANE_POLL_NONE(&a);
	cr_assert(connection_lane_abort(&a, SOCKET(2)));
	CONNECTION_LANE_POLL_NONE(&a);
	CONNECTION_LANE_EXPECT(&a, "after it was gone", .opened = 2, .closed = 2, .unreported = 2,
			       .sent = 200, .received = 100);
	cr_assert_eq(closed_observations(&a, "sockstat_tcp_closed_rtt_seconds"), 2);
	cr_assert_eq(closed_observations(&a, "sockstat_tcp_closed_sent_bytes"), 2);
	connection_lane_done(&a);
}

/* A dump that copied its row while it was aborted shows it zeroed, before the event or after. */
Test(connections_event, aborted_while_a_dump_goes_on)
{
	struct aggregate_lane a;

	for (int row_first = 0; row_first < 2; row_first++) {
		connection_lane_init(&a, false);
		CONNECTION_LANE_POLL(&a, {1, 100, 50, 2});
		aggregates_begin(&a);
		if (row_first)
			connection_lane_aborted_row(&a, SOCKET(1));
		cr_assert(connection_lane_abort(&a, SOCKET(1)), "%d", row_first);
		if (!row_first)
			connection_lane_aborted_row(&a, SOCKET(1));
		aggregates_commit(&a);
		CONNECTION_LANE_POLL_NONE(&a);
		CONNECTION_LANE_EXPECT(&a, row_first ? "row first" : "event first", .opened = 1,
				       .closed = 1, .unreported = 1, .sent = 100, .received = 50);
		cr_assert_eq(a.aggregate.connections.track.count, 0);
		connection_lane_done(&a);
	}
}

Test(connections_event, of_what_was_only_tried)
{
	struct aggregate_lane a;

	connection_lane_init(&a, false);
	CONNECTION_LANE_POLL(&a, {1, 0, 0, 0}, {2, 0, 0, 0, .near_port = 40001},
			     {3, 0, 0, 0, .near_port = 40002});
	cr_assert_not(connection_lane_abort(&a, SOCKET(1)));
	cr_assert_not(connection_lane_event(
		&a, SOCKET(3, 0, 0, 1, .near_port = 40002, .is_refused = true)));
	cr_assert(connection_lane_event(&a, SOCKET(2, 10, 0, 1, .near_port = 40001)));
	CONNECTION_LANE_EXPECT(&a, "one was answered", .opened = 1, .closed = 1, .sent = 10);
	cr_assert_eq(a.aggregate.connections.track.count, 0);
	connection_lane_done(&a);
}

/* A tcp_info that ends before the clocks says nothing of when it was active. */
Test(connections_event, of_a_short_tcp_info)
{
	struct aggregate_lane a;
	struct test_record r;

	for (unsigned int age_ms = 0; age_ms <= 60000; age_ms += 60000) {
		connection_lane_init(&a, false);
		test_record_init(&r, SOCK_CLOSE, "10.0.0.1:80", "10.0.0.2:40000");
		test_record_add_tcp_info(&r, 280);
		test_record_set(&r, TCP_INFO_LAST_DATA_SENT, 4, age_ms);
		r.record.tcp_info_len = TCP_INFO_LAST_DATA_SENT;
		cr_assert_not(connections_event(&a.aggregate.connections, &a.lane.table, &r.record,
						a.lane.now_ns));
		connection_lane_done(&a);
	}
}

/* Disconnected and connected again since the last poll: the first closed, the second came and went.
 */
Test(connections_event, of_another_connection_of_the_socket)
{
	struct aggregate_lane a;

	connection_lane_init(&a, false);
	CONNECTION_LANE_POLL(&a, {1, 100, 50, 2});
	cr_assert(connection_lane_event(&a, SOCKET(1, 30, 5, 1)));
	CONNECTION_LANE_EXPECT(&a, "two", .opened = 2, .closed = 2, .sent = 130, .received = 55);
	connection_lane_done(&a);
}

/* The kernel had copied the row before; the batch is read after the event. */
Test(connections_event, a_row_that_comes_after_it)
{
	struct aggregate_lane a;

	connection_lane_init(&a, false);
	CONNECTION_LANE_POLL(&a, {1, 100, 50, 2});
	aggregates_begin(&a);
	cr_assert(connection_lane_event(&a, SOCKET(1, 130, 60, 4)));
	cr_assert(connection_lane_event(&a, SOCKET(2, 10, 5, 2, .near_port = 40001)));
	connection_lane_row(&a, SOCKET(1, 120, 55, 3));
	connection_lane_row(&a, SOCKET(2, 10, 5, 2, .near_port = 40001));
	cr_assert_not(connection_lane_event(&a, SOCKET(1, 130, 60, 4)), "it was told");
	aggregates_commit(&a);
	CONNECTION_LANE_EXPECT(&a, "each once", .opened = 2, .closed = 2, .sent = 140,
			       .received = 65);
	CONNECTION_LANE_POLL_NONE(&a);
	cr_assert_eq(a.aggregate.connections.track.count, 0, "and nothing is left of them");
	connection_lane_done(&a);
}

/* Nor does it of a socket that nobody followed, when its place has become free meanwhile. */
Test(connections_event, a_row_that_comes_after_it_without_room)
{
	struct aggregate_lane a;

	connection_lane_init(&a, false);
	connections_limit(&a.aggregate.connections, 1);
	CONNECTION_LANE_POLL(&a, {1, 100, 50, 2}, {2, 10, 5, 2});
	aggregates_begin(&a);
	cr_assert_not(connection_lane_event(&a, SOCKET(2, 10, 5, 2)));
	cr_assert(connection_lane_event(&a, SOCKET(1, 100, 50, 2)));
	connection_lane_row(&a, SOCKET(2, 10, 5, 2));
	aggregates_commit(&a);
	cr_assert_eq(a.aggregate.connections.track.count, 0);
	cr_assert_eq(a.aggregate.connections.track.dead, 0);
	CONNECTION_LANE_POLL_NONE(&a);
	CONNECTION_LANE_EXPECT(&a, "the one that was followed", .opened = 1, .closed = 1,
			       .sent = 100, .received = 50);
	connection_lane_done(&a);
}

/* Nor does it come late of one that nobody followed, when all others are. */
Test(connections_event, late_of_what_was_not_followed)
{
	struct aggregate_lane a;

	connection_lane_init(&a, false);
	connections_limit(&a.aggregate.connections, 1);
	CONNECTION_LANE_POLL(&a, {1, 100, 50, 2}, {2, 10, 5, 2});
	cr_assert(connection_lane_event(&a, SOCKET(1, 100, 50, 2)));
	CONNECTION_LANE_POLL_NONE(&a);
	cr_assert_eq(a.aggregate.connections.untracked, 0);
	cr_assert_not(connection_lane_event(&a, SOCKET(2, 10, 5, 2, .age_ms = 1000)));
	a.lane.now_ns += NSEC_PER_SEC;
	cr_assert(connection_lane_event(&a, SOCKET(3, 1, 0, 2, .age_ms = 100)));
	CONNECTION_LANE_EXPECT(&a, "one is new", .opened = 2, .closed = 2, .sent = 101,
			       .received = 50);
	connection_lane_done(&a);
}

/* Polls alone: what has gone is forgotten at the second poll, and when events come again, that of
 * what was forgotten is nobody's. */
Test(connections_event, given_up_and_taken_again)
{
	struct aggregate_lane a;

	connection_lane_init(&a, false);
	a.aggregate.connections.expects_events = false;
	CONNECTION_LANE_POLL(&a, {1, 100, 50, 2}, {2, 100, 50, 2, .near_port = 40001});
	CONNECTION_LANE_POLL(&a, {2, 100, 50, 2, .near_port = 40001});
	cr_assert_eq(a.aggregate.connections.track.count, 2);
	CONNECTION_LANE_POLL_NONE(&a);
	cr_assert_eq(a.aggregate.connections.track.count, 1);
	CONNECTION_LANE_EXPECT(&a, "polled", .opened = 2, .closed = 2, .sent = 200,
			       .received = 100);
	a.aggregate.connections.expects_events = true;
	cr_assert_not(connection_lane_event(&a, SOCKET(1, 110, 50, 2, .age_ms = 7000)));
	cr_assert(connection_lane_event(&a,
					SOCKET(2, 110, 50, 3, .near_port = 40001, .age_ms = 2000)));
	a.lane.now_ns += NSEC_PER_SEC;
	cr_assert(connection_lane_event(&a, SOCKET(3, 1, 1, 1)));
	CONNECTION_LANE_EXPECT(&a, "exact", .opened = 3, .closed = 3, .sent = 211, .received = 101);
	connection_lane_done(&a);
}

/* Who closed before events were taken up again has none to come: it is not waited for. */
Test(connections_event, closed_before_they_were_taken_again)
{
	struct aggregate_lane a;

	connection_lane_init(&a, false);
	a.aggregate.connections.expects_events = false;
	CONNECTION_LANE_POLL(&a, {1, 100, 50, 2}, {2, 100, 50, 2, .near_port = 40001});
	a.aggregate.connections.expects_events = true;
	CONNECTION_LANE_POLL(&a, {2, 100, 50, 2, .near_port = 40001});
	CONNECTION_LANE_POLL_NONE(&a);
	CONNECTION_LANE_EXPECT(&a, "closed", .opened = 2, .closed = 2, .sent = 200,
			       .received = 100);
	cr_assert_eq(a.aggregate.connections.track.count, 1, "the other may have an event");
	cr_assert_not(connection_lane_event(&a, SOCKET(1, 100, 50, 2, .age_ms = 10000)));
	connection_lane_done(&a);
}

/* Groups that only events made are there for the next poll, and are shown by it. */
Test(connections_event, groups)
{
	struct aggregate_lane a;

	connection_lane_init(&a, false);
	cr_assert(connection_lane_event(&a, SOCKET(1, 100, 50, 2)));
	aggregates_begin(&a);
	aggregate_abort(&a.aggregate);
	CONNECTION_LANE_POLL_NONE(&a);
	cr_assert_eq(aggregates_value(&a, GROUP_CLIENT, "443", "sockstat_tcp_sent_bytes_total", 0),
		     100);
	cr_assert_eq(aggregates_sockets(&a, GROUP_CLIENT, "443", SOCK_ESTABLISHED), 0);
	a.lane.now_ns += 2 * AGGREGATES_IDLE_NS;
	CONNECTION_LANE_POLL_NONE(&a);
	cr_assert_eq(aggregates_sockets(&a, GROUP_CLIENT, "443", SOCK_ESTABLISHED),
		     AGGREGATES_NONE);
	connection_lane_done(&a);
}

/* Without room for its label, what accrued goes to "other", once; also where the label is
 * configured and comes back. */
Test(connections_event, folded)
{
	static const char family[] = "sockstat_tcp_sent_bytes_total";
	static const uint16_t port = 443;
	struct aggregate_lane a;

	for (uint32_t configured = 0; configured < 2; configured++) {
		connection_lane_init(&a, false);
		a.settings.configured[GROUP_CLIENT] = &port;
		a.settings.configured_count[GROUP_CLIENT] = configured;
		cr_assert_eq(aggregate_configure(&a.aggregate, &a.settings), 0);
		cr_assert(connection_lane_event(&a, SOCKET(1, 100, 50, 2)));
		aggregate_begin(&a.aggregate, &(struct aggregate_poll){0, a.lane.now_ns, true, 0});
		aggregates_commit(&a);
		cr_assert_eq(aggregates_value(&a, GROUP_CLIENT, "other", family, 0), 100);
		CONNECTION_LANE_POLL_NONE(&a);
		cr_assert_eq(aggregates_value(&a, GROUP_CLIENT, "other", family, 0), 100);
		cr_assert_eq(aggregates_value(&a, GROUP_CLIENT, "443", family, 0),
			     configured ? 0 : AGGREGATES_NONE);
		connection_lane_done(&a);
	}
}
