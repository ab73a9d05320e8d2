/* SPDX-License-Identifier: Apache-2.0 */
/* On whose side a connection is, and when that is decided. */
#include "daemon/core/connections.h"

#include "tests/support/test_support.h"
#include "tests/unit/core/connection_lane.h"
#include "tests/unit/core/core_fixture.h"

TEST_SUITE(connections_side);

#define OPENED "sockstat_tcp_connections_opened_total"
#define SENT   "sockstat_tcp_sent_bytes_total"

static void forget_listener(struct aggregate_lane *a)
{
	lane_poll_for(&a->lane, LISTENER_AFTERLIFE_NS + NSEC_PER_SEC, NULL, 0);
}

static uint64_t of_clients(const struct aggregate_lane *a, const char *port, const char *family)
{
	return aggregates_value(a, GROUP_CLIENT, port, family, 0);
}

Test(connections_side, is_kept)
{
	struct aggregate_lane a;

	connection_lane_init(&a, false);
	CONNECTION_LANE_POLL(&a, {1, 100, 0, 2, .is_server = true});
	forget_listener(&a);
	CONNECTION_LANE_POLL(&a, {1, 150, 0, 3, .is_server = true});
	CONNECTION_LANE_EXPECT_SERVER(&a, "the listener has gone", .opened = 1, .sent = 150);
	cr_assert_eq(aggregates_sockets(&a, GROUP_SERVER, "80", SOCK_ESTABLISHED), 1);
	cr_assert(connection_lane_event(
		&a, &(const struct connection_socket){1, 160, 0, 4, .is_server = true}));
	CONNECTION_LANE_EXPECT_SERVER(&a, "and its event", .opened = 1, .closed = 1, .sent = 160);
	connection_lane_done(&a);
}

/* The dump had passed the listeners when this one came. */
Test(connections_side, seen_before_its_listener)
{
	struct aggregate_lane a;

	connection_lane_init(&a, false);
	forget_listener(&a);
	CONNECTION_LANE_POLL(&a, {1, 100, 0, 2, .is_server = true},
			     {2, 100, 0, 2, .is_server = true});
	LANE_POLL(&a.lane, {"0.0.0.0:80", 1, 0, 7, 0});
	cr_assert(connection_lane_event(
		&a, &(const struct connection_socket){2, 160, 0, 4, .is_server = true}));
	CONNECTION_LANE_EXPECT_SERVER(&a, "an event", .opened = 1, .closed = 1, .sent = 160);
	CONNECTION_LANE_POLL(&a, {1, 150, 0, 3, .is_server = true});
	CONNECTION_LANE_EXPECT_SERVER(&a, "a poll", .opened = 2, .closed = 1, .sent = 310);
	cr_assert_eq(aggregates_sockets(&a, GROUP_SERVER, "80", SOCK_ESTABLISHED), 1);
	cr_assert_eq(of_clients(&a, "ephemeral", OPENED), 0);
	connection_lane_done(&a);
}

/* It was handed to the socket of another port: what it had in the first poll is a baseline, and in
 * any other waits for the next. */
Test(connections_side, without_a_listener)
{
	for (unsigned int is_fresh = 0; is_fresh < 2; is_fresh++) {
		struct aggregate_lane a;

		connection_lane_init(&a, is_fresh);
		forget_listener(&a);
		for (unsigned int i = 0; i < 2; i++)
			CONNECTION_LANE_POLL(&a, {1, 100, 0, 2, .is_server = true});
		cr_assert_eq(of_clients(&a, "ephemeral", OPENED), !is_fresh, "%u", is_fresh);
		cr_assert_eq(of_clients(&a, "ephemeral", SENT), is_fresh ? 0 : 100, "%u", is_fresh);
		connection_lane_done(&a);
	}
}

/* From a port that the kernel would not pick; to a port that it might have picked. */
Test(connections_side, clients_of_other_ports)
{
	struct aggregate_lane a;

	connection_lane_init(&a, false);
	CONNECTION_LANE_POLL(&a, {1, 100, 0, 2, .near_port = 700, .far_port = 2049},
			     {2, 100, 0, 2, .near_port = 40000, .far_port = 50000});
	cr_assert_eq(of_clients(&a, "2049", OPENED), 1);
	cr_assert_eq(of_clients(&a, "ephemeral", OPENED), 1);
	connection_lane_done(&a);
}
