/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/lane_pace.h"

#include "daemon/util/macros.h"
#include "daemon/util/units.h"
#include "tests/support/test_support.h"

TEST_SUITE(lane_pace);

#define MS  NSEC_PER_MSEC
#define SEC NSEC_PER_SEC

/* Polls at one cost until the mean of costs has come to rest. */
static void settle(struct lane_pace *p, uint64_t start_ns, uint64_t cpu_ns)
{
	for (int i = 0; i < 200; i++)
		lane_pace_observe(p, start_ns, cpu_ns);
}

Test(lane_pace, begins_at_its_interval)
{
	struct lane_pace p;

	lane_pace_init(&p, 5 * SEC, 60 * SEC, 0.02, true);
	cr_assert_eq(p.current_ns, 5 * SEC);
	cr_assert_not(lane_pace_rests(&p, 0));
	cr_assert_not(lane_pace_rests(&p, UINT64_MAX));
	cr_assert_eq(lane_pace_stale_after_ns(&p), 30 * SEC);
}

/* 2 % of a core: a poll that costs a millisecond needs 50 ms. */
static const struct {
	const char *name;
	uint64_t interval_ns, max_ns;
	bool may_skip;
	uint64_t cpu_ns, current_ns, rest_ns, stale_ns;
} cases[] = {
	{"cheap", 5 * SEC, 60 * SEC, true, 10 * MS, 5 * SEC, 0, 30 * SEC},
	{"free", 5 * SEC, 60 * SEC, true, 0, 5 * SEC, 0, 30 * SEC},
	{"just within the limit", 5 * SEC, 60 * SEC, true, 100 * MS, 5 * SEC, 0, 30 * SEC},
	{"within it, no whole milliseconds", 1500000, 1 * SEC, false, 30000, 1500000, 0, 30 * SEC},
	{"stretched", 5 * SEC, 60 * SEC, true, 120 * MS, 6 * SEC, 0, 30 * SEC},
	{"stale after five intervals", 5 * SEC, 60 * SEC, true, 200 * MS, 10 * SEC, 0, 50 * SEC},
	{"whole milliseconds", 1 * MS, 1 * SEC, false, 30001, 2 * MS, 0, 30 * SEC},
	{"stretched to its maximum", 5 * SEC, 60 * SEC, true, 1200 * MS, 60 * SEC, 0, 300 * SEC},
	{"beyond, rests", 5 * SEC, 60 * SEC, true, 2400 * MS, 60 * SEC, 120 * SEC, 900 * SEC},
	{"beyond, may not", 100 * MS, 1 * SEC, false, 2400 * MS, 1 * SEC, 0, 30 * SEC},
	{"maximum below the interval", 5 * SEC, 1 * SEC, true, 50 * MS, 5 * SEC, 0, 30 * SEC},
};

Test(lane_pace, cost)
{
	const uint64_t start_ns = 1000 * SEC;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *name = cases[i].name;
		struct lane_pace p;

		lane_pace_init(&p, cases[i].interval_ns, cases[i].max_ns, 0.02, cases[i].may_skip);
		settle(&p, start_ns, cases[i].cpu_ns);
		cr_assert_eq(p.current_ns, cases[i].current_ns, "%s: %lu", name, p.current_ns);
		cr_assert_eq(lane_pace_stale_after_ns(&p), cases[i].stale_ns, "%s", name);
		if (cases[i].rest_ns)
			cr_assert(lane_pace_rests(&p, start_ns + cases[i].rest_ns - 1), "%s", name);
		cr_assert_not(lane_pace_rests(&p, start_ns + cases[i].rest_ns), "%s", name);
	}
}

/* In the long run, whatever it costs, a lane that may skip stays below its share: with what it
 * costs, each poll waits until it is due and no longer rests. */
Test(lane_pace, stays_below_the_limit)
{
	uint64_t costs[] = {1 * MS, 80 * MS, 150 * MS, 900 * MS, 3 * SEC, 20 * SEC};

	for (size_t i = 0; i < ARRAY_SIZE(costs); i++) {
		uint64_t now_ns = 0, spent_ns = 0;
		struct lane_pace p;

		lane_pace_init(&p, 5 * SEC, 60 * SEC, 0.02, true);
		for (int tick = 0; tick < 1000; tick++) {
			now_ns += p.current_ns;
			if (lane_pace_rests(&p, now_ns))
				continue;
			lane_pace_observe(&p, now_ns, costs[i]);
			spent_ns += costs[i];
		}
		/* The first poll is made before its cost is known. */
		cr_assert_leq((double)(spent_ns - costs[i]) / (double)now_ns, 0.02, "%lu ms",
			      costs[i] / MS);
	}
}

/* One odd poll weighs a quarter, and is forgotten. */
Test(lane_pace, smoothing)
{
	struct lane_pace p;

	lane_pace_init(&p, 5 * SEC, 60 * SEC, 0.02, true);
	cr_assert_not(lane_pace_observe(&p, 0, 80 * MS));
	cr_assert_eq(p.cpu_ns, 80 * MS);
	cr_assert(lane_pace_observe(&p, 0, 240 * MS));
	cr_assert_eq(p.cpu_ns, 120 * MS);
	cr_assert_eq(p.current_ns, 6 * SEC);
	settle(&p, 0, 80 * MS);
	cr_assert_eq(p.current_ns, 5 * SEC);
}

Test(lane_pace, says_when_the_interval_changed)
{
	struct lane_pace p;

	lane_pace_init(&p, 5 * SEC, 60 * SEC, 0.02, true);
	cr_assert(lane_pace_observe(&p, 0, 200 * MS));
	cr_assert_eq(p.current_ns, 10 * SEC);
	cr_assert_not(lane_pace_observe(&p, 0, 200 * MS));
	settle(&p, 0, 2400 * MS);
	cr_assert_not(lane_pace_observe(&p, 0, 2400 * MS), "the maximum is met");
	cr_assert_not(lane_pace_observe(&p, 0, 0), "the mean is still beyond the maximum");
	cr_assert_not(lane_pace_observe(&p, 0, 0));
	cr_assert(lane_pace_observe(&p, 0, 0));
	cr_assert_lt(p.current_ns, 60 * SEC);
}

/* Once polls are cheap again it neither rests nor stays stretched. */
Test(lane_pace, recovers)
{
	struct lane_pace p;

	lane_pace_init(&p, 5 * SEC, 60 * SEC, 0.02, true);
	settle(&p, 1000 * SEC, 2400 * MS);
	cr_assert(lane_pace_rests(&p, 1060 * SEC));
	settle(&p, 1120 * SEC, 1 * MS);
	cr_assert_eq(p.current_ns, 5 * SEC);
	cr_assert_not(lane_pace_rests(&p, 1120 * SEC));
}
