/* SPDX-License-Identifier: Apache-2.0 */
/* Which ports are a label, and which are "ephemeral". */
#include "daemon/core/listener_label.h"

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/listener_lane.h"

TEST_SUITE(listener_label);

#define EPHEMERAL lane_values(&lane, "*", "ephemeral")

static bool has(const struct listener_lane *lane, const char *port)
{
	return lane_series(lane, "*", port) != NULL;
}

Test(listener_label, which_ports)
{
	static const uint16_t configured[] = {50000, 70};
	static const struct {
		const char *local, *port;
	} cases[] = {
		{"*:32767", "32767"},     {"*:32768", "ephemeral"}, {"*:60999", "ephemeral"},
		{"*:61000", "61000"},     {"*:50000", "50000"},     {"*:70", "70"},
		{"*:49999", "ephemeral"},
	};
	struct listener_lane lane;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		lane_init(&lane, 10);
		listener_table_set_ports(&lane.table, configured, ARRAY_SIZE(configured));
		LANE_POLL(&lane, {cases[i].local, 1, 0, 9, 0});
		cr_assert(has(&lane, cases[i].port), "%s", cases[i].local);
		cr_assert_eq(lane.table.series_count, 1, "%s", cases[i].local);
		lane_done(&lane);
	}
}

/* Whoever binds to port 0 and listens must not make series without end. */
Test(listener_label, ephemeral_ones_share_by_address)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	LANE_POLL(&lane, {"*:40000", 1, 2, 3, 0}, {"*:40001", 2, 4, 3, 0},
		  {"127.0.0.1:40002", 3, 1, 9, 0});
	cr_assert_eq(lane.table.series_count, 2);
	cr_assert_eq(EPHEMERAL->sockets, 2);
	cr_assert_eq(EPHEMERAL->length, 6);
	cr_assert_eq(EPHEMERAL->limit, 6);
	cr_assert_eq(EPHEMERAL->peak_ratio_nano, NSEC_PER_SEC);
	cr_assert_eq(lane_values(&lane, "127.0.0.1", "ephemeral")->length, 1);
	lane_done(&lane);
}

Test(listener_label, ephemeral_ones_go)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	LANE_POLL(&lane, {"*:40000", 1, 0, 3, 0});
	LANE_POLL(&lane, {"*:40001", 2, 0, 3, 6});
	cr_assert_eq(EPHEMERAL->sockets, 1);
	cr_assert_eq(EPHEMERAL->stray_drops, 6);
	LANE_POLL_NONE(&lane);
	cr_assert_eq(EPHEMERAL->sockets, 0);
	cr_assert_eq(EPHEMERAL->stray_drops, 6);
	lane.now_ns += LISTENER_AFTERLIFE_NS;
	LANE_POLL_NONE(&lane);
	LANE_POLL_NONE(&lane);
	cr_assert_eq(lane.table.series_count, 0);
	lane_done(&lane);
}

/* Lives for ten minutes all but one interval, with a neighbour that is new all the time. */
static void grow_old(struct listener_lane *lane)
{
	LANE_POLL(lane, {"*:40000", 1, 0, 3, 0});
	lane->now_ns += LISTENER_SETTLED_NS - 2 * LANE_INTERVAL_NS;
	LANE_POLL(lane, {"*:40000", 1, 0, 3, 5}, {"*:40001", 2, 0, 3, 0});
}

Test(listener_label, label_after_ten_minutes)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	grow_old(&lane);
	cr_assert(has(&lane, "ephemeral") && !has(&lane, "40000"));
	LANE_POLL(&lane, {"*:40000", 1, 0, 3, 7}, {"*:40001", 2, 0, 3, 0});
	cr_assert_eq(lane_values(&lane, "*", "40000")->stray_drops, 2);
	cr_assert_eq(EPHEMERAL->sockets, 1);
	cr_assert_eq(EPHEMERAL->stray_drops, 5);
	LANE_POLL(&lane, {"*:40000", 1, 0, 3, 7});
	LANE_POLL(&lane, {"*:40000", 3, 0, 3, 1});
	cr_assert_eq(lane_values(&lane, "*", "40000")->stray_drops, 3, "a label once given stays");
	lane_done(&lane);
}

/* The series of those that have no label are gone when the last has got one. */
Test(listener_label, last_of_the_ephemeral)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	grow_old(&lane);
	LANE_POLL(&lane, {"*:40000", 1, 0, 3, 7}, {"*:40001", 2, 0, 3, 0});
	lane.now_ns += LISTENER_SETTLED_NS;
	LANE_POLL(&lane, {"*:40000", 1, 0, 3, 7}, {"*:40001", 2, 0, 3, 0});
	cr_assert_eq(lane.table.series_count, 2);
	cr_assert(has(&lane, "40000") && has(&lane, "40001"));
	lane_done(&lane);
}

/* It is the port that has settled: a second listener on it has the label at once. */
Test(listener_label, second_listener_of_a_settled_port)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	grow_old(&lane);
	LANE_POLL(&lane, {"*:40000", 1, 0, 3, 0}, {"10.0.0.1:40000", 2, 0, 3, 0});
	cr_assert(lane_series(&lane, "10.0.0.1", "40000"));
	lane_done(&lane);
}

Test(listener_label, configured_by_a_reload)
{
	static const uint16_t configured[] = {40000};
	struct listener_lane lane;

	lane_init(&lane, 10);
	LANE_POLL(&lane, {"*:40000", 1, 0, 3, 0});
	listener_table_set_ports(&lane.table, configured, ARRAY_SIZE(configured));
	LANE_POLL(&lane, {"*:40000", 1, 0, 3, 0});
	cr_assert(has(&lane, "40000") && !has(&lane, "ephemeral"));
	listener_table_set_ports(&lane.table, NULL, 0);
	LANE_POLL(&lane, {"*:40000", 1, 0, 3, 0});
	cr_assert(has(&lane, "40000"), "a label once given stays");
	lane_done(&lane);
}

/* They are folded like any other, and a place that comes free is theirs as well. */
Test(listener_label, beyond_the_limit)
{
	struct listener_lane lane;

	lane_init(&lane, 1);
	LANE_POLL(&lane, {"*:40000", 1, 0, 3, 0});
	LANE_POLL(&lane, {"*:40000", 1, 0, 3, 0}, {"*:80", 2, 0, 3, 0}, {"*:40001", 3, 0, 3, 0});
	cr_assert_eq(EPHEMERAL->sockets, 2, "no place is needed beside the first");
	cr_assert_eq(listener_table_folded(&lane.table), 1);
	cr_assert_eq(lane_values(&lane, "other", "other")->sockets, 1);
	lane.now_ns += LISTENER_SETTLED_NS;
	LANE_POLL(&lane, {"*:40000", 1, 0, 3, 0}, {"*:80", 2, 0, 3, 0});
	cr_assert_eq(lane_values(&lane, "other", "other")->sockets, 2, "settled, but no place");
	cr_assert_eq(EPHEMERAL->sockets, 0);
	lane_done(&lane);
}

/* Those that are hidden have no label and take none; their drops stay theirs. */
Test(listener_label, hidden)
{
	static const struct filter_world world;
	struct filter_error error;
	struct listener_lane lane;
	struct filter *f = NULL;

	cr_assert_eq(filter_parse("sport = :22", &world, &error, &f), 0);
	lane_init(&lane, 1);
	lane.table.filter = f;
	LANE_POLL(&lane, {"*:80", 1, 0, 9, 0}, {"*:81", 2, 0, 9, 0}, {"*:22", 3, 0, 9, 0});
	cr_assert(has(&lane, "22"));
	cr_assert_not(has(&lane, "80"));
	cr_assert_null(lane.table.other, "they take no place");
	lane.listen_drops = 5;
	LANE_POLL(&lane, {"*:80", 1, 10, 9, 5}, {"*:81", 2, 0, 9, 0}, {"*:22", 3, 0, 9, 0});
	cr_assert_eq(lane_values(&lane, "*", "22")->drops, 0);
	cr_assert_eq(lane.table.hidden->values.drops, 5);
	/* Shown again, it begins anew, and the one that was shown has left. */
	lane.table.filter = NULL;
	LANE_POLL(&lane, {"*:80", 1, 0, 9, 5}, {"*:22", 3, 0, 9, 0});
	cr_assert(has(&lane, "22"));
	cr_assert(lane.table.other != NULL, "there is one place");
	lane.table.series_cap = 10;
	LANE_POLL(&lane, {"*:80", 1, 0, 9, 5}, {"*:22", 3, 0, 9, 0});
	cr_assert_eq(lane_values(&lane, "*", "80")->drops, 0);
	lane.table.filter = f;
	LANE_POLL(&lane, {"*:80", 1, 0, 9, 5}, {"*:22", 3, 0, 9, 0});
	cr_assert_not(has(&lane, "80"));
	lane_done(&lane);
	filter_free(f);
}
