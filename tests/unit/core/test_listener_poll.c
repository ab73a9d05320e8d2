/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a listener as the fast lane sees it: born, failed polls, gone, back; what is full. */
#include "daemon/core/listener_poll.h"

#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"
#include "tests/unit/core/listener_lane.h"

TEST_SUITE(listener_poll);

#define ADDRESS "0.0.0.0"
#define LOCAL   ADDRESS ":80"
#define VALUES  lane_values(&lane, ADDRESS, "80")

static void assert_same(const struct listener_values *a, const struct listener_values *b)
{
	cr_assert_eq(memcmp(a, b, sizeof(*a)), 0);
}

Test(listener_poll, what_a_new_listener_shows)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	LANE_POLL(&lane, {LOCAL, 1, 3, 7, 0});
	assert_same(VALUES, &(const struct listener_values){
				    .info = 1,
				    .sockets = 1,
				    .length = 3,
				    .limit = 7,
				    .peak = 3,
				    .peak_ratio_nano = 3 * NSEC_PER_SEC / 8,
				    .last_drop_ms = METRIC_ABSENT,
				    .syn_queue = METRIC_ABSENT,
				    .syn_queue_retransmitting = METRIC_ABSENT,
				    .unaccepted_oldest_ms = METRIC_ABSENT,
				    .unaccepted_closed = METRIC_ABSENT,
				    .unaccepted_reset = METRIC_ABSENT,
			    });
	cr_assert_eq(lane.table.series_count, 1);
	lane_done(&lane);
}

/* What a socket had when the daemon first saw it is a baseline. */
Test(listener_poll, born_before_the_daemon)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	LANE_FAIL(&lane, {LOCAL, 1, 0, 7, 40});
	LANE_POLL(&lane, {LOCAL, 1, 0, 7, 50});
	cr_assert_eq(VALUES->drops, 0);
	cr_assert_eq(VALUES->stray_drops, 0);
	lane.listen_drops += 5;
	LANE_POLL(&lane, {LOCAL, 1, 0, 7, 57});
	cr_assert_eq(VALUES->drops, 5);
	cr_assert_eq(VALUES->stray_drops, 2);
	lane_done(&lane);
}

Test(listener_poll, born_while_the_daemon_runs)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	LANE_POLL_NONE(&lane);
	lane.listen_drops += 5;
	LANE_POLL(&lane, {LOCAL, 1, 0, 7, 8});
	cr_assert_eq(VALUES->drops, 5);
	cr_assert_eq(VALUES->stray_drops, 3);
	LANE_POLL(&lane, {LOCAL, 1, 0, 7, 8}, {LOCAL, 2, 0, 7, 4});
	cr_assert_eq(VALUES->stray_drops, 7, "a new member of a listener that was there");
	lane_done(&lane);
}

/* It was not there at the last good poll, though a failed one has shown it. */
Test(listener_poll, born_in_a_failed_poll)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	LANE_POLL_NONE(&lane);
	LANE_FAIL(&lane, {LOCAL, 1, 0, 7, 8});
	cr_assert_eq(lane.table.series_count, 0);
	lane.listen_drops += 9;
	LANE_POLL(&lane, {LOCAL, 1, 0, 7, 9});
	cr_assert_eq(VALUES->drops, 9);
	lane_done(&lane);
}

Test(listener_poll, seen_in_a_failed_poll_only)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	LANE_POLL_NONE(&lane);
	LANE_FAIL(&lane, {LOCAL, 1, 0, 7, 8});
	LANE_POLL_NONE(&lane);
	cr_assert_eq(lane.table.series_count, 0);
	cr_assert_eq(lane.table.count, 0);
	cr_assert_eq(lane.table.index.count, 0);
	lane_done(&lane);
}

/* Whatever a failed poll shows or does not show, nothing of it counts. */
Test(listener_poll, failed)
{
	struct listener_lane lane;
	struct listener_values before;

	lane_init(&lane, 10);
	LANE_POLL(&lane, {LOCAL, 1, 0, 7, 50});
	LANE_POLL(&lane, {LOCAL, 1, 3, 7, 50});
	before = *VALUES;
	lane.listen_drops += 100;
	LANE_FAIL(&lane, {LOCAL, 1, 8, 7, 150});
	assert_same(VALUES, &before);
	LANE_FAIL(&lane, {LOCAL, 2, 8, 7, 150}, {"*:81", 3, 1, 1, 1});
	assert_same(VALUES, &before);
	lane_fail(&lane, NULL, 0);
	assert_same(VALUES, &before);
	cr_assert_eq(lane.table.series_count, 1);

	LANE_POLL(&lane, {LOCAL, 1, 3, 7, 160});
	before.drops = 100;
	before.stray_drops = 10;
	before.sk_drops = 160;
	before.last_drop_ms = lane_realtime_ms(&lane);
	assert_same(VALUES, &before);
	lane_done(&lane);
}

/* A row that the dump shows twice is one socket. */
Test(listener_poll, shown_twice)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	LANE_POLL(&lane, {LOCAL, 1, 3, 7, 0}, {LOCAL, 1, 4, 7, 0});
	cr_assert_eq(VALUES->sockets, 1);
	cr_assert_eq(VALUES->length, 4);
	lane_done(&lane);
}

static void assert_gone(const struct listener_values *v, const struct listener_values *before)
{
	struct listener_values expected = *before;

	expected.sockets = 0;
	expected.length = METRIC_ABSENT;
	expected.limit = METRIC_ABSENT;
	expected.peak = METRIC_ABSENT;
	expected.peak_ratio_nano = METRIC_ABSENT;
	expected.sk_drops = METRIC_ABSENT;
	assert_same(v, &expected);
}

/* A listener with a history. */
static void live(struct listener_lane *lane)
{
	LANE_POLL(lane, {LOCAL, 1, 0, 7, 0});
	lane->listen_drops += 5;
	LANE_POLL(lane, {LOCAL, 1, 8, 7, 6});
}

Test(listener_poll, gone_for_ten_minutes)
{
	struct listener_lane lane;
	struct listener_values before;

	lane_init(&lane, 10);
	live(&lane);
	before = *VALUES;
	cr_assert_eq(before.drops, 5);
	cr_assert_eq(before.stray_drops, 1);
	cr_assert_eq(before.full_ns, LANE_INTERVAL_NS);

	LANE_POLL_NONE(&lane);
	assert_gone(VALUES, &before);
	lane.now_ns += LISTENER_AFTERLIFE_NS - LANE_INTERVAL_NS;
	LANE_POLL_NONE(&lane);
	assert_gone(VALUES, &before);
	LANE_POLL_NONE(&lane);
	cr_assert_eq(lane.table.series_count, 0);
	cr_assert_eq(lane.table.count, 0);
	lane_done(&lane);
}

/* A poll that failed does not begin the ten minutes, and does not end them. */
Test(listener_poll, gone_only_by_good_polls)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	live(&lane);
	lane_fail(&lane, NULL, 0);
	lane.now_ns += 2 * LISTENER_AFTERLIFE_NS;
	lane_fail(&lane, NULL, 0);
	cr_assert_eq(VALUES->sockets, 1);
	LANE_POLL_NONE(&lane);
	cr_assert_eq(VALUES->sockets, 0);
	lane.now_ns += LISTENER_AFTERLIFE_NS;
	lane_fail(&lane, NULL, 0);
	cr_assert_eq(lane.table.series_count, 1);
	lane_done(&lane);
}

Test(listener_poll, back_within_ten_minutes)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	live(&lane);
	LANE_POLL_NONE(&lane);
	lane.now_ns += LISTENER_AFTERLIFE_NS - LANE_INTERVAL_NS;
	lane.listen_drops += 2;
	LANE_POLL(&lane, {LOCAL, 2, 0, 9, 3});
	cr_assert_eq(VALUES->sockets, 1);
	cr_assert_eq(VALUES->limit, 9);
	cr_assert_eq(VALUES->drops, 7);
	cr_assert_eq(VALUES->stray_drops, 2);
	cr_assert_eq(VALUES->full_ns, LANE_INTERVAL_NS);

	lane.now_ns += 2 * LISTENER_AFTERLIFE_NS;
	LANE_POLL_NONE(&lane);
	cr_assert_eq(VALUES->drops, 7, "the ten minutes begin anew");
	lane_done(&lane);
}

Test(listener_poll, back_after_ten_minutes)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	live(&lane);
	LANE_POLL_NONE(&lane);
	lane.now_ns += LISTENER_AFTERLIFE_NS;
	LANE_POLL_NONE(&lane);
	LANE_POLL(&lane, {LOCAL, 2, 0, 9, 0});
	cr_assert_eq(VALUES->drops, 0);
	cr_assert_eq(VALUES->stray_drops, 0);
	cr_assert_eq(VALUES->full_ns, 0);
	cr_assert_eq(VALUES->last_drop_ms, METRIC_ABSENT);
	lane_done(&lane);
}

/* Members of SO_REUSEPORT: lengths and limits are summed, the ratio is that of the fullest. */
Test(listener_poll, members)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	LANE_POLL(&lane, {LOCAL, 1, 0, 3, 1}, {LOCAL, 2, 4, 3, 2}, {LOCAL, 3, 1, 3, 3},
		  {LOCAL, 4, 0, 3, 4});
	cr_assert_eq(lane.table.series_count, 1);
	cr_assert_eq(VALUES->sockets, 4);
	cr_assert_eq(VALUES->length, 5);
	cr_assert_eq(VALUES->limit, 12);
	cr_assert_eq(VALUES->peak, 5);
	cr_assert_eq(VALUES->peak_ratio_nano, NSEC_PER_SEC);
	cr_assert_eq(VALUES->sk_drops, 10);
	LANE_POLL(&lane, {LOCAL, 1, 0, 3, 1}, {LOCAL, 3, 0, 3, 3});
	cr_assert_eq(VALUES->sockets, 2);
	cr_assert_eq(VALUES->limit, 6);
	cr_assert_eq(VALUES->sk_drops, 4);
	lane_done(&lane);
}

Test(listener_poll, peak_is_of_a_window)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	LANE_POLL(&lane, {LOCAL, 1, 100, 7, 0});
	LANE_POLL(&lane, {LOCAL, 1, 2, 7, 0});
	cr_assert_eq(VALUES->length, 2);
	cr_assert_eq(VALUES->peak, 100);
	cr_assert_eq(VALUES->peak_ratio_nano, 12500000000, "listen() has lowered the limit");
	lane.now_ns += LANE_PEAK_WINDOW_NS - 2 * LANE_INTERVAL_NS;
	LANE_POLL(&lane, {LOCAL, 1, 3, 7, 0});
	cr_assert_eq(VALUES->peak, 100);
	lane.now_ns += LANE_PEAK_WINDOW_NS / PEAK_WINDOW_SLOTS + LANE_INTERVAL_NS;
	LANE_POLL(&lane, {LOCAL, 1, 1, 7, 0});
	cr_assert_eq(VALUES->peak, 3);
	cr_assert_eq(VALUES->peak_ratio_nano, 3 * NSEC_PER_SEC / 8);
	lane_done(&lane);
}

/* Full is a length above the limit, for at most two nominal intervals a poll. */
Test(listener_poll, full_seconds)
{
	static const struct {
		const char *name;
		uint32_t first_length, second_length;
		uint64_t late_ns;
		uint64_t full_ns;
	} cases[] = {
		{"room", 0, 0, 0, 0},
		{"at the limit", 0, 3, 0, 0},
		{"above the limit", 0, 4, 0, LANE_INTERVAL_NS},
		{"the second member", 4, 0, 0, LANE_INTERVAL_NS},
		{"both members", 4, 4, 0, LANE_INTERVAL_NS},
		{"late", 4, 0, LANE_INTERVAL_NS / 2, LANE_INTERVAL_NS * 3 / 2},
		{"later than two intervals", 4, 0, LANE_INTERVAL_NS + 1, 2 * LANE_INTERVAL_NS},
		{"after a suspend", 4, 0, 3600 * NSEC_PER_SEC, 2 * LANE_INTERVAL_NS},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct listener_lane lane;

		lane_init(&lane, 10);
		LANE_POLL(&lane, {LOCAL, 1, 4, 3, 0}, {LOCAL, 2, 4, 3, 0});
		cr_assert_eq(VALUES->full_ns, 0, "%s: the first poll", cases[i].name);
		lane.now_ns += cases[i].late_ns;
		LANE_POLL(&lane, {LOCAL, 1, cases[i].first_length, 3, 0},
			  {LOCAL, 2, cases[i].second_length, 3, 0});
		cr_assert_eq(VALUES->full_ns, cases[i].full_ns, "%s", cases[i].name);
		lane_done(&lane);
	}
}

/* The time since the last good poll counts: a failed one in between changes nothing. */
Test(listener_poll, full_seconds_over_a_failed_poll)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	LANE_POLL(&lane, {LOCAL, 1, 0, 3, 0});
	LANE_FAIL(&lane, {LOCAL, 1, 4, 3, 0});
	LANE_POLL(&lane, {LOCAL, 1, 4, 3, 0});
	cr_assert_eq(VALUES->full_ns, 2 * LANE_INTERVAL_NS);
	lane_done(&lane);
}

/* One observation for each member and good poll: length / (limit + 1). */
Test(listener_poll, fill_ratio)
{
	static const char family[] = "sockstat_listener_accept_queue_fill_ratio";
	/* 0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1, +Inf */
	static const uint64_t buckets[] = {2, 0, 1, 1, 0, 0, 0, 1, 1};
	struct listener_lane lane;
	const uint64_t *cells;

	lane_init(&lane, 10);
	LANE_POLL(&lane, {LOCAL, 1, 0, 3, 0}, {LOCAL, 2, 4, 3, 0}, {LOCAL, 3, 1, 3, 0},
		  {LOCAL, 4, 9, 3, 0});
	LANE_FAIL(&lane, {LOCAL, 1, 0, 3, 0});
	LANE_POLL(&lane, {LOCAL, 1, 0, 3, 0}, {LOCAL, 2, 2, 3, 0});
	LANE_POLL_NONE(&lane);
	cells = core_cells(lane.catalogue, lane_series(&lane, ADDRESS, "80")->cells, family);
	for (size_t i = 0; i < ARRAY_SIZE(buckets); i++)
		cr_assert_eq(cells[i], buckets[i], "bucket %zu: %llu", i,
			     (unsigned long long)cells[i]);
	lane_done(&lane);
}
