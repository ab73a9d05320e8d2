/* SPDX-License-Identifier: Apache-2.0 */
/* Listeners beyond the limit share the series of "other". */
#include <stdio.h>
#include <string.h>

#include "daemon/core/listener_poll.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"
#include "tests/unit/core/listener_lane.h"

TEST_SUITE(listener_poll_other);

#define OTHER lane_values(&lane, "other", "other")

static void set_cap(struct listener_lane *lane, uint32_t cap)
{
	cr_assert_eq(listener_table_configure(&lane->table, lane->catalogue, cap,
					      LANE_PEAK_WINDOW_NS, lane->now_ns),
		     0);
}

static bool has(const struct listener_lane *lane, const char *port)
{
	return lane_series(lane, "*", port) != NULL;
}

Test(listener_poll_other, sums_and_largest_ratio)
{
	struct listener_lane lane;

	lane_init(&lane, 1);
	LANE_POLL(&lane, {"*:1", 1, 0, 9, 100});
	cr_assert_null(lane_series(&lane, "other", "other"), "not before it is needed");
	LANE_POLL(&lane, {"*:1", 1, 0, 9, 100}, {"*:2", 2, 4, 3, 5}, {"*:3", 3, 1, 9, 6});
	cr_assert_eq(lane.table.series_count, 2);
	cr_assert_eq(listener_table_folded(&lane.table), 2);
	cr_assert_eq(OTHER->info, 1);
	cr_assert_eq(OTHER->sockets, 2);
	cr_assert_eq(OTHER->length, 5);
	cr_assert_eq(OTHER->limit, 12);
	cr_assert_eq(OTHER->peak, 5);
	cr_assert_eq(OTHER->peak_ratio_nano, NSEC_PER_SEC);
	cr_assert_eq(OTHER->sk_drops, 11);
	cr_assert_eq(OTHER->stray_drops, 11);
	cr_assert_eq(OTHER->full_ns, LANE_INTERVAL_NS);
	lane.listen_drops += 10;
	LANE_POLL(&lane, {"*:1", 1, 0, 9, 100}, {"*:2", 2, 4, 3, 12}, {"*:3", 3, 1, 9, 9});
	cr_assert_eq(OTHER->drops, 10);
	cr_assert_eq(lane_values(&lane, "*", "1")->drops, 0);
	lane_done(&lane);
}

Test(listener_poll_other, gone)
{
	struct listener_lane lane;

	lane_init(&lane, 1);
	LANE_POLL(&lane, {"*:1", 1, 0, 9, 0}, {"*:2", 2, 4, 9, 0});
	lane.listen_drops += 3;
	LANE_POLL(&lane, {"*:1", 1, 0, 9, 0}, {"*:2", 2, 4, 9, 3});
	LANE_POLL(&lane, {"*:1", 1, 0, 9, 0});
	cr_assert_eq(listener_table_folded(&lane.table), 0);
	cr_assert_eq(OTHER->sockets, 0);
	cr_assert_eq(OTHER->length, METRIC_ABSENT);
	cr_assert_eq(OTHER->drops, 3);
	lane.now_ns += 2 * LISTENER_AFTERLIFE_NS;
	LANE_POLL(&lane, {"*:1", 1, 0, 9, 0});
	LANE_POLL(&lane, {"*:1", 1, 0, 9, 0}, {"*:3", 3, 4, 9, 0});
	cr_assert_eq(OTHER->drops, 3, "a counter never falls");
	cr_assert_eq(OTHER->length, 4);
	lane_done(&lane);
}

/* A listener that has gone keeps its place for ten minutes; then another has it. */
Test(listener_poll_other, freed_slots_are_used)
{
	struct listener_lane lane;

	lane_init(&lane, 1);
	LANE_POLL(&lane, {"*:1", 1, 0, 9, 0}, {"*:2", 2, 0, 9, 0});
	LANE_POLL(&lane, {"*:2", 2, 0, 9, 0});
	cr_assert(has(&lane, "1") && !has(&lane, "2"));
	lane.now_ns += LISTENER_AFTERLIFE_NS;
	LANE_POLL(&lane, {"*:2", 2, 0, 9, 0});
	LANE_POLL(&lane, {"*:2", 2, 0, 9, 0});
	cr_assert(!has(&lane, "1") && has(&lane, "2"));
	cr_assert_eq(OTHER->sockets, 0);
	cr_assert_eq(lane.table.series_count, 2);
	lane_done(&lane);
}

/* A reload that lowers the limit folds first what has gone; one that raises it lets some come back.
 */
Test(listener_poll_other, limit_of_a_reload)
{
	static const struct {
		uint32_t cap, own;
	} steps[] = {{5, 5}, {4, 4}, {3, 3}, {1, 1}, {0, 0}, {2, 2}, {9, 4}};
	static const struct lane_row rows[] = {
		{"*:1", 1, 1, 9, 0}, {"*:2", 2, 2, 9, 0}, {"*:3", 3, 3, 9, 0}, {"*:4", 4, 4, 9, 0}};
	struct listener_lane lane;

	lane_init(&lane, 5);
	LANE_POLL(&lane, {"*:5", 5, 0, 9, 0});
	lane_poll(&lane, rows, ARRAY_SIZE(rows));
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		uint32_t own, folded;

		set_cap(&lane, steps[i].cap);
		lane_poll(&lane, rows, ARRAY_SIZE(rows));
		own = lane.table.series_count - (lane.table.other != NULL);
		folded = listener_table_folded(&lane.table);
		cr_assert_eq(own, steps[i].own, "limit %u: %u", steps[i].cap, own);
		cr_assert_eq(has(&lane, "5"), steps[i].cap == 5, "limit %u", steps[i].cap);
		cr_assert_eq(folded, ARRAY_SIZE(rows) - MIN(own, ARRAY_SIZE(rows)), "limit %u: %u",
			     steps[i].cap, folded);
	}
	lane_done(&lane);
}

/* Its counters begin where "other" is: what it had counted before does not count twice. */
Test(listener_poll_other, folded_by_a_reload)
{
	struct listener_lane lane;

	lane_init(&lane, 1);
	LANE_POLL(&lane, {"*:1", 1, 0, 9, 0});
	LANE_POLL(&lane, {"*:1", 1, 0, 9, 4});
	set_cap(&lane, 0);
	LANE_POLL(&lane, {"*:1", 1, 0, 9, 4});
	cr_assert_eq(OTHER->stray_drops, 0);
	LANE_POLL(&lane, {"*:1", 1, 0, 9, 5});
	cr_assert_eq(OTHER->stray_drops, 1);
	set_cap(&lane, 1);
	LANE_POLL(&lane, {"*:1", 1, 0, 9, 7});
	cr_assert_eq(lane_values(&lane, "*", "1")->stray_drops, 2);
	cr_assert_eq(OTHER->stray_drops, 1);
	cr_assert_eq(OTHER->sockets, 0);
	lane_done(&lane);
}

/* Its connections are a server's for ten minutes all the same. */
Test(listener_poll_other, folded_when_gone)
{
	struct listener_lane lane;

	lane_init(&lane, 1);
	LANE_POLL(&lane, {"*:1", 1, 0, 9, 0});
	LANE_POLL_NONE(&lane);
	set_cap(&lane, 0);
	LANE_POLL_NONE(&lane);
	cr_assert_not(has(&lane, "1"));
	cr_assert_eq(lane.table.count, 1);
	lane.now_ns += LISTENER_AFTERLIFE_NS;
	LANE_POLL_NONE(&lane);
	cr_assert_eq(lane.table.count, 0);
	lane_done(&lane);
}

/* A reload keeps what was counted, unless the buckets are others; a new window begins empty. */
Test(listener_poll_other, reload_keeps_counts)
{
	static const char family[] = "sockstat_listener_accept_queue_fill_ratio";
	struct listener_lane lane;
	struct catalogue *core = core_catalogue(false), *again = core_catalogue(true);
	const struct listener_series *s;

	lane_init(&lane, 5);
	LANE_POLL(&lane, {"*:1", 1, 20, 9, 0});
	LANE_POLL(&lane, {"*:1", 1, 1, 9, 4});
	cr_assert_eq(
		listener_table_configure(&lane.table, again, 5, LANE_PEAK_WINDOW_NS, lane.now_ns),
		0);
	LANE_POLL(&lane, {"*:1", 1, 1, 9, 4});
	s = lane_series(&lane, "*", "1");
	cr_assert_eq(core_observations(again, s->cells, family), 3);
	cr_assert_eq(s->values.stray_drops, 4);
	cr_assert_eq(s->values.peak, 20);

	cr_assert_eq(listener_table_configure(&lane.table, core, 5, 10 * NSEC_PER_SEC, lane.now_ns),
		     0);
	LANE_POLL(&lane, {"*:1", 1, 1, 9, 4});
	cr_assert_eq(s->values.stray_drops, 4);
	cr_assert_eq(s->values.peak, 1);
	cr_assert_eq(s->values.peak_ratio_nano, NSEC_PER_SEC / 10);
	cr_assert_eq(
		listener_table_configure(&lane.table, again, 5, 10 * NSEC_PER_SEC, lane.now_ns), 0);
	LANE_POLL(&lane, {"*:1", 1, 1, 9, 4});
	cr_assert_eq(core_observations(again, s->cells, family), 1, "a family that was off");
	lane_done(&lane);
	catalogue_unref(core);
	catalogue_unref(again);
}
