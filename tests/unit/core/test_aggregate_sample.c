/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Histograms are sampled: a good poll observes once each established socket that sent data and
 * received an ACK since the good poll before, and no other.
 */
#include <stdlib.h>

#include "daemon/core/aggregate.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/aggregate_lane.h"
#include "tests/unit/core/core_fixture.h"

TEST_SUITE(aggregate_sample);

#define RTT  "sockstat_tcp_rtt_seconds"
#define CWND "sockstat_tcp_congestion_window_segments"

/* Offsets in struct tcp_info. */
#define LAST_DATA_SENT 44
#define LAST_ACK_RECV  56
#define RTT_US         68
#define DATA_SEGS_OUT  156

struct activity {
	uint32_t last_data_sent_ms, last_ack_ms, rtt_us, data_segs_out;
};

static void add(struct aggregate_lane *a, unsigned int state, unsigned int len,
		const struct activity *activity)
{
	struct test_record r;

	test_record_init(&r, state, "10.0.0.1:40000", "10.0.0.2:80");
	test_record_add_tcp_info(&r, len);
	test_record_set(&r, LAST_DATA_SENT, 4, activity->last_data_sent_ms);
	test_record_set(&r, LAST_ACK_RECV, 4, activity->last_ack_ms);
	test_record_set(&r, RTT_US, 4, activity->rtt_us);
	test_record_set(&r, DATA_SEGS_OUT, 4, activity->data_segs_out);
	aggregates_add(a, &r);
}

static uint64_t observed(const struct aggregate_lane *a, const char *family)
{
	return aggregates_observations(a, GROUP_CLIENT, "80", family);
}

static const struct activity active = {44, 44, 1000, 7};

/* Polls are five seconds apart. */
Test(aggregate_sample, who_is_observed)
{
	static const struct {
		const char *name;
		unsigned int state, len;
		struct activity activity;
		uint64_t rtt, cwnd;
	} cases[] = {
		{"request and response", SOCK_ESTABLISHED, 280, {44, 44, 1000, 7}, 1, 1},
		{"idle", SOCK_ESTABLISHED, 280, {60000, 60000, 1000, 7}, 0, 0},
		{"receives only", SOCK_ESTABLISHED, 280, {60000, 44, 1000, 7}, 0, 0},
		{"has never sent", SOCK_ESTABLISHED, 280, {44, 44, 1000, 0}, 0, 0},
		{"has sent once", SOCK_ESTABLISHED, 280, {44, 44, 1000, 1}, 1, 1},
		{"waits for an ACK", SOCK_ESTABLISHED, 280, {44, 60000, 1000, 7}, 0, 0},
		{"an ACK just in time", SOCK_ESTABLISHED, 280, {44, 5000, 1000, 7}, 1, 1},
		{"an ACK too old", SOCK_ESTABLISHED, 280, {44, 5001, 1000, 7}, 0, 0},
		{"sent just in time", SOCK_ESTABLISHED, 280, {5001, 44, 1999, 7}, 1, 1},
		{"sent too early", SOCK_ESTABLISHED, 280, {5002, 44, 1999, 7}, 0, 0},
		{"a long way", SOCK_ESTABLISHED, 280, {5200, 4999, 200000, 7}, 1, 1},
		{"the longest way", SOCK_ESTABLISHED, 280, {5200, 4999, UINT32_MAX, 7}, 1, 1},
		{"no sample yet", SOCK_ESTABLISHED, 280, {44, 44, 0, 7}, 0, 1},
		{"closing", SOCK_CLOSE_WAIT, 280, {44, 44, 1000, 7}, 0, 0},
		{"opening", SOCK_SYN_SENT, 280, {44, 44, 1000, 7}, 0, 0},
		{"an old kernel", SOCK_ESTABLISHED, 104, {44, 44, 1000, 0}, 1, 1},
		{"an old kernel, idle", SOCK_ESTABLISHED, 104, {60000, 60000, 1000, 0}, 0, 0},
		{"one byte short of data_segs_out", SOCK_ESTABLISHED, 159, {44, 44, 1000, 0}, 1, 1},
		{"the first with data_segs_out", SOCK_ESTABLISHED, 160, {44, 44, 1000, 0}, 0, 0},
		{"a kernel to come", SOCK_ESTABLISHED, TEST_TCP_INFO_MAX, {44, 44, 1000, 7}, 1, 1},
		{"too short for an RTT", SOCK_ESTABLISHED, 71, {44, 44, 1000, 7}, 0, 0},
	};
	struct aggregate_lane a;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		aggregates_init(&a);
		aggregates_begin(&a);
		aggregates_commit(&a);
		aggregates_begin(&a);
		add(&a, cases[i].state, cases[i].len, &cases[i].activity);
		aggregates_commit(&a);
		cr_assert_eq(observed(&a, RTT), cases[i].rtt, "%s", cases[i].name);
		cr_assert_eq(observed(&a, CWND), cases[i].cwnd, "%s", cases[i].name);
		aggregates_done(&a);
	}
}

Test(aggregate_sample, without_tcp_info)
{
	struct aggregate_lane a;

	aggregates_init(&a);
	for (int i = 0; i < 2; i++) {
		aggregates_begin(&a);
		aggregates_add_row(&a, SOCK_ESTABLISHED, "10.0.0.1:40000", "10.0.0.2:80");
		aggregates_commit(&a);
	}
	cr_assert_eq(observed(&a, RTT), 0);
	aggregates_done(&a);
}

/* There is no poll before the first: what it sees may be as old as the machine. */
Test(aggregate_sample, first_poll)
{
	static const struct activity now = {0, 0, 1000, 7};
	struct aggregate_lane a;

	aggregates_init(&a);
	for (uint64_t i = 0; i < 3; i++) {
		aggregates_begin(&a);
		add(&a, SOCK_ESTABLISHED, 280, &now);
		aggregates_commit(&a);
		cr_assert_eq(observed(&a, RTT), i);
	}
	aggregates_done(&a);
}

/* Failed polls observe nothing, and the next good one looks back beyond them. */
Test(aggregate_sample, failed_poll)
{
	static const struct activity old = {9000, 9000, 1000, 7}, older = {15001, 15001, 900, 7};
	struct aggregate_lane a;

	aggregates_init(&a);
	aggregates_begin(&a);
	add(&a, SOCK_ESTABLISHED, 280, &active);
	aggregates_begin(&a);
	add(&a, SOCK_ESTABLISHED, 280, &active);
	aggregates_commit(&a);
	cr_assert_eq(observed(&a, RTT), 0, "the first good one");
	for (int i = 0; i < 2; i++) {
		aggregates_begin(&a);
		add(&a, SOCK_ESTABLISHED, 280, &active);
		cr_assert_eq(observed(&a, RTT), 0);
	}
	aggregates_begin(&a);
	add(&a, SOCK_ESTABLISHED, 280, &old);
	add(&a, SOCK_ESTABLISHED, 280, &older);
	aggregates_commit(&a);
	cr_assert_eq(observed(&a, RTT), 1);
	aggregates_begin(&a);
	add(&a, SOCK_ESTABLISHED, 280, &old);
	aggregates_commit(&a);
	cr_assert_eq(observed(&a, RTT), 1, "and no further than to the last good one");
	aggregates_done(&a);
}

/* The time between polls is that between their beginnings: a dump that takes long loses nobody. */
Test(aggregate_sample, a_slow_dump)
{
	static const struct activity old = {7900, 7900, 1000, 7};
	struct aggregate_lane a;

	aggregates_init(&a);
	aggregates_begin(&a);
	a.lane.now_ns += 3 * NSEC_PER_SEC;
	aggregates_commit(&a);
	aggregates_begin(&a);
	add(&a, SOCK_ESTABLISHED, 280, &old);
	aggregates_commit(&a);
	cr_assert_eq(observed(&a, RTT), 1);
	aggregates_done(&a);
}

/* 5 000 idle sockets do not hide 25 slow ones. */
Test(aggregate_sample, idle_ones_hide_nothing)
{
	static const struct activity idle = {60000, 60000, 900, 7}, slow = {100, 100, 180000, 7};
	struct aggregate_lane a;
	uint64_t bucket;

	aggregates_init(&a);
	aggregates_begin(&a);
	aggregates_commit(&a);
	aggregates_begin(&a);
	for (int i = 0; i < 5000; i++)
		add(&a, SOCK_ESTABLISHED, 280, &idle);
	for (int i = 0; i < 25; i++)
		add(&a, SOCK_ESTABLISHED, 280, &slow);
	aggregates_commit(&a);
	cr_assert_eq(observed(&a, RTT), 25);
	bucket = aggregates_value(&a, GROUP_CLIENT, "80", RTT, 11);
	cr_assert_eq(bucket, 25, "le 0.2");
	aggregates_done(&a);
}

/* A reload keeps what was observed, and the time of the last poll; other buckets start anew. */
Test(aggregate_sample, reload)
{
	static const double other_bounds[] = {0.0005, 0.1};
	struct catalogue *same = core_catalogue(false);
	struct catalogue *other = core_catalogue_with_rtt(true, other_bounds, 2);
	struct aggregate_lane a;

	aggregates_init(&a);
	aggregates_begin(&a);
	aggregates_commit(&a);
	aggregates_begin(&a);
	add(&a, SOCK_ESTABLISHED, 280, &active);
	aggregates_commit(&a);
	a.settings.catalogue = same;
	cr_assert_eq(aggregate_configure(&a.aggregate, &a.settings), 0);
	aggregates_begin(&a);
	add(&a, SOCK_ESTABLISHED, 280, &active);
	aggregates_commit(&a);
	cr_assert_eq(observed(&a, RTT), 2);

	a.settings.catalogue = other;
	cr_assert_eq(aggregate_configure(&a.aggregate, &a.settings), 0);
	aggregates_begin(&a);
	add(&a, SOCK_ESTABLISHED, 280, &active);
	aggregates_commit(&a);
	cr_assert_eq(observed(&a, RTT), 1);
	cr_assert_eq(aggregates_value(&a, GROUP_CLIENT, "80", RTT, 1), 1);
	cr_assert_eq(observed(&a, CWND), 3);
	aggregates_done(&a);
	catalogue_unref(same);
	catalogue_unref(other);
}
