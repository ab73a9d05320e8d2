/* SPDX-License-Identifier: Apache-2.0 */
/* The window beside a model that remembers everything. */
#include "daemon/core/peak_window.h"

#include "daemon/util/macros.h"
#include "daemon/util/units.h"
#include "tests/support/test_support.h"

TEST_SUITE(peak_window);

#define OBSERVATIONS 3000

struct model {
	uint64_t times_ns[OBSERVATIONS], values[OBSERVATIONS];
	unsigned int count;
	uint64_t random;
};

static uint64_t below(struct model *m, uint64_t n)
{
	m->random ^= m->random >> 12;
	m->random ^= m->random << 25;
	m->random ^= m->random >> 27;
	return ((m->random * UINT64_C(0x2545f4914f6cdd1d)) >> 11) % n;
}

/* The largest value younger than AGE. */
static uint64_t model_max(const struct model *m, uint64_t now_ns, uint64_t age_ns)
{
	uint64_t max = 0;

	for (unsigned int i = m->count; i-- > 0 && now_ns - m->times_ns[i] < age_ns;)
		max = MAX(max, m->values[i]);
	return max;
}

static void assert_between(struct peak_window *w, const struct model *m, uint64_t now_ns,
			   uint64_t window_ns)
{
	uint64_t slot_ns = (window_ns + PEAK_WINDOW_SLOTS - 1) / PEAK_WINDOW_SLOTS;
	uint64_t least = model_max(m, now_ns, window_ns);
	uint64_t most = model_max(m, now_ns, PEAK_WINDOW_SLOTS * slot_ns + slot_ns);
	uint64_t max = peak_window_max(w, now_ns);

	cr_assert_geq(max, least, "window %lu, after %u: %lu", window_ns, m->count, max);
	cr_assert_leq(max, most, "window %lu, after %u: %lu", window_ns, m->count, max);
}

/* Steps are mostly of the size of a slot, seldom of that of several windows. */
static uint64_t step_ns(struct model *m, uint64_t window_ns)
{
	uint64_t dice = below(m, 100);

	if (dice < 60)
		return below(m, window_ns / 30 + 1);
	if (dice < 95)
		return below(m, window_ns / 4 + 1);
	return below(m, window_ns * 3);
}

static void run(uint64_t window_ns, uint64_t start_ns)
{
	static struct model m;
	uint64_t now_ns = start_ns;
	struct peak_window w;

	m = (struct model){.random = window_ns ^ UINT64_C(0x0123456789abcdef)};
	peak_window_init(&w, window_ns, now_ns);
	for (; m.count < OBSERVATIONS; m.count++) {
		now_ns += step_ns(&m, window_ns);
		assert_between(&w, &m, now_ns, window_ns);
		m.times_ns[m.count] = now_ns;
		m.values[m.count] = below(&m, 1000) * below(&m, 1000);
		peak_window_observe(&w, now_ns, m.values[m.count]);
		cr_assert_geq(peak_window_max(&w, now_ns), m.values[m.count]);
	}
}

Test(peak_window, is_the_maximum_of_a_sliding_window)
{
	static const uint64_t windows_ns[] = {
		1,
		59,
		60,
		61,
		119,
		1000,
		100 * NSEC_PER_MSEC,
		NSEC_PER_SEC,
		7 * NSEC_PER_SEC + 1,
		120 * NSEC_PER_SEC,
		3600 * NSEC_PER_SEC,
	};

	for (size_t i = 0; i < ARRAY_SIZE(windows_ns); i++) {
		run(windows_ns[i], 0);
		run(windows_ns[i], UINT64_C(987654321987654));
	}
}

Test(peak_window, empty)
{
	struct peak_window w;

	peak_window_init(&w, NSEC_PER_SEC, 5 * NSEC_PER_SEC);
	cr_assert_eq(peak_window_max(&w, 5 * NSEC_PER_SEC), 0);
	cr_assert_eq(peak_window_max(&w, 5000 * NSEC_PER_SEC), 0);
}

/* Two scrapers see the same peak. */
Test(peak_window, reading_changes_nothing)
{
	struct peak_window w;

	peak_window_init(&w, 120 * NSEC_PER_SEC, 0);
	peak_window_observe(&w, NSEC_PER_SEC, 42);
	for (uint64_t now_ns = NSEC_PER_SEC; now_ns <= 120 * NSEC_PER_SEC; now_ns += NSEC_PER_SEC)
		cr_assert_eq(peak_window_max(&w, now_ns), 42, "%lu s", now_ns / NSEC_PER_SEC);
	cr_assert_eq(peak_window_max(&w, 124 * NSEC_PER_SEC), 0);
}

Test(peak_window, extremes)
{
	struct peak_window w;

	peak_window_init(&w, NSEC_PER_SEC, 0);
	peak_window_observe(&w, 0, UINT64_MAX);
	peak_window_observe(&w, 1, 0);
	cr_assert_eq(peak_window_max(&w, 1), UINT64_MAX);
	cr_assert_eq(peak_window_max(&w, UINT64_MAX), 0);
}
