/* SPDX-License-Identifier: Apache-2.0 */
/* Rows to groups: the side, the label, what is counted of each. */
#include "daemon/core/aggregate.h"

#include <stdio.h>
#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/aggregate_lane.h"
#include "tests/unit/core/core_fixture.h"

TEST_SUITE(aggregate);

#define PORTS_USED "sockstat_tcp_ephemeral_ports_used"
#define ALGORITHMS "sockstat_tcp_congestion_algorithm_sockets"
#define ORPHANS    "sockstat_tcp_orphan_sockets"
#define TIMERS     "sockstat_tcp_timer_sockets"

/* Which end is the service: the local one of a listener's connections, else the remote one. */
Test(aggregate, sides)
{
	static const struct {
		const char *name;
		unsigned int state;
		const char *local, *remote;
		enum group_side side;
		const char *port;
	} cases[] = {
		{"a listener", SOCK_LISTEN, "*:80", "0.0.0.0:0", GROUP_SERVER, "80"},
		{"its connection", SOCK_ESTABLISHED, "10.0.0.1:80", "10.0.0.2:40000", GROUP_SERVER,
		 "80"},
		{"its timewait row", SOCK_TIME_WAIT, "10.0.0.1:80", "10.0.0.2:40000", GROUP_SERVER,
		 "80"},
		{"its request", SOCK_SYN_RECV, "10.0.0.1:80", "10.0.0.2:40000", GROUP_SERVER, "80"},
		{"a client", SOCK_ESTABLISHED, "10.0.0.1:40000", "10.0.0.2:443", GROUP_CLIENT,
		 "443"},
		{"a client of the same port", SOCK_ESTABLISHED, "10.0.0.1:40000", "10.0.0.2:80",
		 GROUP_CLIENT, "80"},
		{"towards a passive FTP", SOCK_ESTABLISHED, "10.0.0.1:21000", "10.0.0.2:50000",
		 GROUP_CLIENT, "ephemeral"},
		{"IPv6", SOCK_ESTABLISHED, "[fd00::1]:80", "[fd00::2]:40000", GROUP_SERVER, "80"},
	};
	struct aggregate_lane a;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		aggregates_init(&a);
		LANE_POLL(&a.lane, {"*:80", 1, 0, 7, 0});
		aggregates_begin(&a);
		aggregates_add_row(&a, cases[i].state, cases[i].local, cases[i].remote);
		aggregates_commit(&a);
		cr_assert_eq(aggregates_sockets(&a, cases[i].side, cases[i].port, cases[i].state),
			     1, "%s", cases[i].name);
		cr_assert_eq(a.aggregate.rows, 1, "%s", cases[i].name);
		aggregates_done(&a);
	}
}

/* The LISTEN rows of a dump come first, so it may know a listener before the fast lane does. */
Test(aggregate, listener_of_the_same_dump)
{
	struct aggregate_lane a;

	aggregates_init(&a);
	aggregates_begin(&a);
	aggregates_add_row(&a, SOCK_LISTEN, "*:80", "0.0.0.0:0");
	aggregates_add_row(&a, SOCK_ESTABLISHED, "10.0.0.1:80", "10.0.0.2:40000");
	aggregates_commit(&a);
	cr_assert_eq(aggregates_sockets(&a, GROUP_SERVER, "80", SOCK_ESTABLISHED), 1);
	aggregates_done(&a);
}

/* A listener inside ip_local_port_range that is born between two batches has no label yet. */
Test(aggregate, listener_born_during_the_dump)
{
	struct aggregate_lane a;

	aggregates_init(&a);
	aggregates_begin(&a);
	LANE_POLL(&a.lane, {"*:40000", 1, 0, 7, 0});
	aggregates_add_row(&a, SOCK_ESTABLISHED, "10.0.0.1:40000", "10.0.0.2:50000");
	aggregates_commit(&a);
	cr_assert_eq(aggregates_sockets(&a, GROUP_SERVER, "ephemeral", SOCK_ESTABLISHED), 1);
	aggregates_done(&a);
}

Test(aggregate, rows_of_a_listener)
{
	const struct listener_values *v;
	struct aggregate_lane a;
	struct test_record r;

	aggregates_init(&a);
	LANE_POLL(&a.lane, {"*:80", 1, 0, 7, 0});
	aggregates_begin(&a);
	test_record_init(&r, SOCK_LISTEN, "*:80", "0.0.0.0:0");
	r.record.receive_queue = 5;
	aggregates_add(&a, &r);
	aggregates_add_row(&a, SOCK_SYN_RECV, "10.0.0.1:80", "10.0.0.2:40000");
	aggregates_add_row(&a, SOCK_SYN_RECV, "10.0.0.1:80", "10.0.0.2:40001");
	aggregates_add_row(&a, SOCK_SYN_RECV, "10.0.0.1:81", "10.0.0.2:40001");
	aggregates_commit(&a);
	v = lane_values(&a.lane, "*", "80");
	cr_assert_eq(v->syn_queue, 2);
	cr_assert_eq(v->unaccepted_reset, 5);
	cr_assert_eq(
		aggregates_value(&a, GROUP_SERVER, "80", "sockstat_tcp_receive_queue_bytes", 0), 0,
		"its length is no number of bytes");
	aggregates_done(&a);
}

/* A group that is known has all eleven states. */
Test(aggregate, all_states)
{
	struct aggregate_lane a;

	aggregates_init(&a);
	LANE_POLL(&a.lane, {"*:80", 1, 0, 7, 0});
	aggregates_begin(&a);
	for (unsigned int state = SOCK_ESTABLISHED; state < SOCK_STATE_END; state++)
		for (unsigned int i = 0; i < state; i++)
			aggregates_add_row(&a, state, "10.0.0.1:80", "10.0.0.2:40000");
	aggregates_commit(&a);
	for (unsigned int state = SOCK_ESTABLISHED; state < SOCK_STATE_END; state++)
		cr_assert_eq(aggregates_sockets(&a, GROUP_SERVER, "80", state), state);
	aggregates_begin(&a);
	aggregates_commit(&a);
	for (unsigned int state = SOCK_ESTABLISHED; state < SOCK_STATE_END; state++)
		cr_assert_eq(aggregates_sockets(&a, GROUP_SERVER, "80", state), 0);
	cr_assert_eq(a.aggregate.rows, 0);
	aggregates_done(&a);
}

Test(aggregate, orphans)
{
	static const struct {
		const char *name;
		unsigned int state;
		bool has_inode;
		uint8_t timer;
		uint64_t orphans;
	} cases[] = {
		{"FIN_WAIT1", SOCK_FIN_WAIT1, false, SOCK_TIMER_RETRANSMIT, 1},
		{"FIN_WAIT2", SOCK_FIN_WAIT2, false, SOCK_TIMER_KEEPALIVE, 1},
		{"FIN_WAIT2 in timewait", SOCK_FIN_WAIT2, false, SOCK_TIMER_TIME_WAIT, 0},
		{"CLOSING", SOCK_CLOSING, false, SOCK_TIMER_OFF, 1},
		{"LAST_ACK", SOCK_LAST_ACK, false, SOCK_TIMER_RETRANSMIT, 1},
		{"held by a process", SOCK_FIN_WAIT1, true, SOCK_TIMER_RETRANSMIT, 0},
		{"shut down for writing", SOCK_FIN_WAIT2, true, SOCK_TIMER_OFF, 0},
		{"not accepted", SOCK_ESTABLISHED, false, SOCK_TIMER_OFF, 0},
		{"not accepted, closed", SOCK_CLOSE_WAIT, false, SOCK_TIMER_OFF, 0},
		{"TIME_WAIT", SOCK_TIME_WAIT, false, SOCK_TIMER_TIME_WAIT, 0},
		{"a request", SOCK_SYN_RECV, false, SOCK_TIMER_RETRANSMIT, 0},
	};
	struct aggregate_lane a;
	struct test_record r;

	aggregates_init(&a);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		test_record_init(&r, cases[i].state, "10.0.0.1:40000", "10.0.0.2:80");
		r.record.timer = cases[i].timer;
		if (!cases[i].has_inode)
			r.record.inode = 0;
		aggregates_begin(&a);
		aggregates_add(&a, &r);
		aggregates_commit(&a);
		cr_assert_eq(aggregates_value(&a, GROUP_CLIENT, "80", ORPHANS, 0), cases[i].orphans,
			     "%s", cases[i].name);
	}
	aggregates_done(&a);
}

static void add_algorithm(struct aggregate_lane *a, unsigned int state, const char *name)
{
	struct test_record r;

	test_record_init(&r, state, "10.0.0.1:40000", "10.0.0.2:80");
	r.record.algorithm = name;
	aggregates_add(a, &r);
}

Test(aggregate, algorithms)
{
	struct aggregate_lane a;

	aggregates_init(&a);
	aggregates_begin(&a);
	add_algorithm(&a, SOCK_ESTABLISHED, "cubic");
	add_algorithm(&a, SOCK_ESTABLISHED, "bbr");
	add_algorithm(&a, SOCK_CLOSE_WAIT, "cubic");
	add_algorithm(&a, SOCK_LISTEN, "cubic");
	aggregates_add_row(&a, SOCK_ESTABLISHED, "10.0.0.1:40000", "10.0.0.2:80");
	aggregates_commit(&a);
	cr_assert_eq(a.aggregate.algorithms.count, 2);
	cr_assert_str_eq(a.aggregate.algorithms.names[0], "cubic");
	cr_assert_str_eq(a.aggregate.algorithms.names[1], "bbr");
	cr_assert_not(a.aggregate.algorithms.has_others);
	cr_assert_eq(aggregates_value(&a, GROUP_CLIENT, "80", ALGORITHMS, 0), 2);
	cr_assert_eq(aggregates_value(&a, GROUP_CLIENT, "80", ALGORITHMS, 1), 1);
	aggregates_done(&a);
}

/* A name that is no name of the kernel's, or one too many, is "other". */
Test(aggregate, other_algorithms)
{
	struct aggregate_lane a;
	char name[8];

	aggregates_init(&a);
	for (int round = 0; round < 2; round++) {
		aggregates_begin(&a);
		for (unsigned int i = 0; i < METRIC_ALGORITHMS_MAX; i++) {
			snprintf(name, sizeof(name), "a%u", i);
			add_algorithm(&a, SOCK_ESTABLISHED, name);
		}
		cr_assert_eq(a.aggregate.algorithms.has_others, round == 1);
		add_algorithm(&a, SOCK_ESTABLISHED, "one_too_many");
		add_algorithm(&a, SOCK_ESTABLISHED, "sixteen_letters_");
		aggregates_commit(&a);
		for (unsigned int i = 0; i < METRIC_ALGORITHMS_MAX; i++)
			cr_assert_eq(aggregates_value(&a, GROUP_CLIENT, "80", ALGORITHMS, i), 1);
		cr_assert_eq(
			aggregates_value(&a, GROUP_CLIENT, "80", ALGORITHMS, METRIC_ALGORITHMS_MAX),
			2);
		cr_assert(a.aggregate.algorithms.has_others);
	}
	aggregates_done(&a);
}

Test(aggregate, longest_algorithm)
{
	struct aggregate_lane a;

	aggregates_init(&a);
	aggregates_begin(&a);
	add_algorithm(&a, SOCK_ESTABLISHED, "sixteen_letters_");
	cr_assert_eq(a.aggregate.algorithms.count, 0);
	add_algorithm(&a, SOCK_ESTABLISHED, "fifteen_letters");
	cr_assert_str_eq(a.aggregate.algorithms.names[0], "fifteen_letters");
	aggregates_done(&a);
}

/* The most local ports that one source uses towards one destination, TIME_WAIT included. */
Test(aggregate, ephemeral_ports_used)
{
	static const struct {
		unsigned int state;
		const char *local, *remote;
	} rows[] = {
		{SOCK_ESTABLISHED, "10.0.0.1:40000", "10.0.0.2:443"},
		{SOCK_TIME_WAIT, "10.0.0.1:40001", "10.0.0.2:443"},
		{SOCK_SYN_SENT, "10.0.0.1:40002", "10.0.0.2:443"},
		{SOCK_ESTABLISHED, "10.0.0.3:40000", "10.0.0.2:443"},
		{SOCK_ESTABLISHED, "10.0.0.1:40000", "10.0.0.4:443"},
		{SOCK_ESTABLISHED, "10.0.0.1:40003", "10.0.0.2:8443"},
		{SOCK_ESTABLISHED, "10.0.0.1:40004", "10.0.0.2:50000"},
		{SOCK_ESTABLISHED, "10.0.0.1:40005", "10.0.0.2:50000"},
		{SOCK_ESTABLISHED, "10.0.0.1:40006", "10.0.0.2:50001"},
		{SOCK_ESTABLISHED, "10.0.0.1:80", "10.0.0.2:40000"},
		{SOCK_ESTABLISHED, "10.0.0.1:80", "10.0.0.2:40001"},
	};
	struct aggregate_lane a;

	aggregates_init(&a);
	LANE_POLL(&a.lane, {"*:80", 1, 0, 7, 0});
	aggregates_begin(&a);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		aggregates_add_row(&a, rows[i].state, rows[i].local, rows[i].remote);
	aggregates_commit(&a);
	cr_assert_eq(aggregates_value(&a, GROUP_CLIENT, "443", PORTS_USED, 0), 3);
	cr_assert_eq(aggregates_value(&a, GROUP_CLIENT, "8443", PORTS_USED, 0), 1);
	cr_assert_eq(aggregates_value(&a, GROUP_CLIENT, "ephemeral", PORTS_USED, 0), 2);
	cr_assert_eq(aggregates_value(&a, GROUP_SERVER, "80", PORTS_USED, 0), 0);

	aggregates_begin(&a);
	aggregates_add_row(&a, SOCK_ESTABLISHED, "10.0.0.1:40000", "10.0.0.2:443");
	aggregates_commit(&a);
	cr_assert_eq(aggregates_value(&a, GROUP_CLIENT, "443", PORTS_USED, 0), 1);
	cr_assert_eq(aggregates_value(&a, GROUP_CLIENT, "8443", PORTS_USED, 0), 0);
	aggregates_done(&a);
}

/* More shapes of rows than are remembered, in turns: each is read by its own. */
Test(aggregate, many_shapes)
{
	enum { SHAPES = 3 * AGGREGATE_PLANS };
	struct aggregate_lane a;
	struct test_record r;

	aggregates_init(&a);
	aggregates_begin(&a);
	for (unsigned int i = 0; i < 10 * SHAPES; i++) {
		test_record_init(&r, SOCK_ESTABLISHED, "10.0.0.1:40000", "10.0.0.2:80");
		test_record_add_tcp_info(&r, 32 + 4 * (i % SHAPES));
		test_record_set(&r, 24, 4, 2);
		test_record_set(&r, 32, 4, 1);
		aggregates_add(&a, &r);
	}
	aggregates_commit(&a);
	cr_assert_eq(aggregates_value(&a, GROUP_CLIENT, "80", "sockstat_tcp_unacked_segments", 0),
		     2 * 10 * SHAPES);
	cr_assert_eq(aggregates_value(&a, GROUP_CLIENT, "80", "sockstat_tcp_lost_segments", 0),
		     10 * (SHAPES - 1), "the shortest has none");
	aggregates_done(&a);
}

/* A family is present as soon as a good poll had one row that has it. */
Test(aggregate, present)
{
	unsigned int memory = core_metric("sockstat_tcp_memory_bytes");
	struct aggregate_lane a;
	struct test_record r;

	aggregates_init(&a);
	aggregates_begin(&a);
	aggregates_add_row(&a, SOCK_TIME_WAIT, "10.0.0.1:40000", "10.0.0.2:80");
	aggregates_commit(&a);
	cr_assert_not(metric_set_has(&a.aggregate.present, memory));
	test_record_init(&r, SOCK_ESTABLISHED, "10.0.0.1:40000", "10.0.0.2:80");
	test_record_add_skmem(&r, 9);
	aggregates_begin(&a);
	aggregates_add(&a, &r);
	aggregates_begin(&a);
	aggregates_commit(&a);
	cr_assert_not(metric_set_has(&a.aggregate.present, memory), "that poll has failed");
	aggregates_begin(&a);
	aggregates_add(&a, &r);
	aggregates_commit(&a);
	cr_assert(metric_set_has(&a.aggregate.present, memory));
	aggregates_done(&a);
}

/* Only what a good poll has shown is exported. */
Test(aggregate, failed_poll)
{
	struct aggregate_lane a;

	aggregates_init(&a);
	aggregates_begin(&a);
	aggregates_add_row(&a, SOCK_ESTABLISHED, "10.0.0.1:40000", "10.0.0.2:80");
	aggregates_commit(&a);
	aggregates_begin(&a);
	for (int i = 0; i < 5; i++) {
		aggregates_add_row(&a, SOCK_ESTABLISHED, "10.0.0.1:40000", "10.0.0.2:80");
		aggregates_add_row(&a, SOCK_ESTABLISHED, "10.0.0.1:40000", "10.0.0.2:81");
	}
	cr_assert_eq(aggregates_sockets(&a, GROUP_CLIENT, "80", SOCK_ESTABLISHED), 1);
	cr_assert_eq(aggregates_sockets(&a, GROUP_CLIENT, "81", SOCK_ESTABLISHED), AGGREGATES_NONE);
	cr_assert_eq(a.aggregate.rows, 1);
	aggregates_begin(&a);
	aggregates_add_row(&a, SOCK_ESTABLISHED, "10.0.0.1:40000", "10.0.0.2:80");
	aggregates_commit(&a);
	cr_assert_eq(aggregates_sockets(&a, GROUP_CLIENT, "80", SOCK_ESTABLISHED), 1);
	cr_assert_eq(aggregates_sockets(&a, GROUP_CLIENT, "81", SOCK_ESTABLISHED), AGGREGATES_NONE);
	cr_assert_eq(aggregates_value(&a, GROUP_CLIENT, "80", PORTS_USED, 0), 1);
	aggregates_done(&a);
}

Test(aggregate, reload)
{
	struct catalogue *core = core_catalogue(false);
	struct aggregate_lane a;
	struct test_record r;

	aggregates_init(&a);
	test_record_init(&r, SOCK_ESTABLISHED, "10.0.0.1:40000", "10.0.0.2:80");
	r.record.timer = SOCK_TIMER_KEEPALIVE;
	for (int round = 0; round < 4; round++) {
		a.settings.catalogue = round % 2 ? core : a.lane.catalogue;
		cr_assert_eq(aggregate_configure(&a.aggregate, &a.settings), 0);
		aggregates_begin(&a);
		aggregates_add(&a, &r);
		aggregates_commit(&a);
		cr_assert_eq(aggregates_sockets(&a, GROUP_CLIENT, "80", SOCK_ESTABLISHED), 1);
		cr_assert_eq(aggregates_value(&a, GROUP_CLIENT, "80", PORTS_USED, 0), 1);
		if (round % 2 == 0)
			cr_assert_eq(aggregates_value(&a, GROUP_CLIENT, "80", TIMERS, 1), 1);
	}
	aggregates_done(&a);
	catalogue_unref(core);
}

/* LISTEN rows beyond LISTENERS_MAX are no listeners, but they are counted. */
Test(aggregate, too_many_listeners)
{
	struct aggregate_lane a;
	struct test_record r;

	aggregates_init(&a);
	aggregates_begin(&a);
	test_record_init(&r, SOCK_LISTEN, "10.0.0.0:80", "0.0.0.0:0");
	for (uint32_t i = 0; i <= LISTENERS_MAX; i++) {
		memcpy(r.record.local.bytes, &i, sizeof(i));
		aggregates_add(&a, &r);
	}
	aggregates_commit(&a);
	cr_assert_eq(aggregates_sockets(&a, GROUP_SERVER, "80", SOCK_LISTEN), LISTENERS_MAX + 1);
	aggregates_done(&a);
}
