/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/overflow.h"

#include "daemon/util/units.h"
#include "tests/support/test_support.h"

TEST_SUITE(overflow);

#define BEGAN_NS    (1000 * NSEC_PER_SEC)
#define REALTIME_MS UINT64_C(1700000000000)

static struct overflow overflow;
static uint64_t now_ns;

static void begin(void)
{
	overflow_begin(&overflow, now_ns, REALTIME_MS + now_ns / NSEC_PER_MSEC, 7);
}

static void start(void)
{
	overflow = (struct overflow){0};
	now_ns = BEGAN_NS;
	begin();
}

/* Time passes, and a poll shows this. */
static void observe(uint64_t seconds, const struct overflow_poll *poll)
{
	now_ns += seconds * NSEC_PER_SEC;
	overflow.now = *poll;
	overflow_observe(&overflow, now_ns, REALTIME_MS + now_ns / NSEC_PER_MSEC);
}

static const struct overflow_poll full = {.length = 11, .limit = 10, .is_full = true},
				  hit = {.length = 3, .limit = 10, .drops = 2, .is_hit = true},
				  calm = {.length = 1, .limit = 10};

Test(overflow, begins_and_ends)
{
	start();
	observe(0, &hit);
	cr_assert_eq(overflow_tell(&overflow, now_ns, true), OVERFLOW_NONE, "no queues yet");
	overflow.has_queues = true;
	cr_assert_eq(overflow_tell(&overflow, now_ns, true), OVERFLOW_BEGAN);
	cr_assert_eq(overflow_tell(&overflow, now_ns, true), OVERFLOW_NONE, "once");
	observe(5, &full);
	observe(9, &calm);
	cr_assert(overflow.is_on, "calm for nine seconds");
	observe(1, &calm);
	cr_assert_not(overflow.is_on);
	cr_assert_eq(overflow.drops, 2);
	cr_assert_eq(overflow.peak, 11);
	cr_assert_eq(overflow.changed_ms, REALTIME_MS + now_ns / NSEC_PER_MSEC);
	cr_assert_eq(overflow_tell(&overflow, now_ns, false), OVERFLOW_ENDED,
		     "what began needs no place to end");
	cr_assert_eq(overflow_tell(&overflow, now_ns, true), OVERFLOW_NONE);
}

/* Full without an end is no calm, even if nobody comes. */
Test(overflow, a_full_queue_is_not_calm)
{
	start();
	observe(0, &hit);
	for (int i = 0; i < 100; i++)
		observe(60, &full);
	cr_assert(overflow.is_on);
	observe(9, &calm);
	observe(0, &hit);
	observe(9, &calm);
	cr_assert(overflow.is_on);
	cr_assert_eq(overflow.drops, 4);
}

Test(overflow, waits_for_queues_but_not_for_ever)
{
	start();
	observe(0, &full);
	observe(9, &full);
	cr_assert_eq(overflow_tell(&overflow, now_ns, true), OVERFLOW_NONE);
	observe(1, &full);
	cr_assert_eq(overflow_tell(&overflow, now_ns, true), OVERFLOW_BEGAN);
}

Test(overflow, waits_for_a_place)
{
	start();
	observe(0, &hit);
	overflow.has_queues = true;
	cr_assert_eq(overflow_tell(&overflow, now_ns, false), OVERFLOW_NONE);
	observe(10, &calm);
	cr_assert_eq(overflow_tell(&overflow, now_ns, false), OVERFLOW_NONE);
	/* It has ended meanwhile: both are told, one after the other. */
	cr_assert_eq(overflow_tell(&overflow, now_ns, true), OVERFLOW_BEGAN);
	cr_assert_eq(overflow_tell(&overflow, now_ns, false), OVERFLOW_ENDED);
}

/* One that comes again and again is told once a minute, with all that fell meanwhile. */
Test(overflow, flapping)
{
	unsigned int began = 0, ended = 0, told_drops = 0, drops = 0;

	start();
	for (int i = 0; i < 600; i++) {
		enum overflow_news news;

		if (i % 15 == 0 && i < 400) {
			if (!overflow.is_on)
				begin();
			observe(1, &hit);
			drops += 2;
		} else {
			observe(1, &calm);
		}
		overflow.has_queues = true;
		while ((news = overflow_tell(&overflow, now_ns, true)) != OVERFLOW_NONE) {
			began += news == OVERFLOW_BEGAN;
			ended += news == OVERFLOW_ENDED;
			told_drops += news == OVERFLOW_ENDED ? (unsigned int)overflow.drops : 0;
		}
	}
	cr_assert_eq(began, ended);
	/* What fell in the last minute is told after it. */
	cr_assert_leq(began, 400 / 60 + 2);
	cr_assert_geq(began, 400 / 75);
	cr_assert_eq(told_drops, drops, "%u of %u", told_drops, drops);
}

Test(overflow, rests_before_it_is_forgotten)
{
	start();
	observe(0, &hit);
	overflow.has_queues = true;
	overflow_tell(&overflow, now_ns, true);
	observe(10, &calm);
	cr_assert_not(overflow_is_over(&overflow, now_ns), "its end is not told");
	overflow_tell(&overflow, now_ns, true);
	cr_assert_not(overflow_is_over(&overflow, now_ns));
	cr_assert_not(overflow_is_over(&overflow, BEGAN_NS + OVERFLOW_PERIOD_NS - 1));
	cr_assert(overflow_is_over(&overflow, BEGAN_NS + OVERFLOW_PERIOD_NS));
	begin();
	cr_assert_not(overflow_is_over(&overflow, BEGAN_NS + OVERFLOW_PERIOD_NS));
	cr_assert_eq(overflow.drops, 0);
	cr_assert_not(overflow.has_queues);
}
