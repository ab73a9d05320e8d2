/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/event_pace.h"

#include "daemon/util/units.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"

TEST_SUITE(event_pace);

/* Observes RATE a second for some seconds; returns after how many of them the wish changed, 0: it
 * did not. */
static unsigned int observe(struct event_pace *p, uint64_t rate, unsigned int seconds)
{
	bool before = p->wanted;

	for (unsigned int i = 1; i <= seconds; i++)
		if (event_pace_observe(p, rate, NSEC_PER_SEC) != before)
			return i;
	return 0;
}

Test(event_pace, gives_up)
{
	struct event_pace p;

	event_pace_init(&p);
	cr_assert(p.wanted);
	cr_assert_eq(observe(&p, 2000, 1000), 0, "as many as may be");
	cr_assert_eq(observe(&p, 100000, 2), 0, "a burst");
	cr_assert_eq(observe(&p, 2000, 1), 0);
	cr_assert_eq(observe(&p, 2001, 10), 3, "too many for too long");
	cr_assert_not(p.wanted);
}

Test(event_pace, rates_are_of_the_time_that_passed)
{
	struct event_pace p;

	event_pace_init(&p);
	for (int i = 0; i < 100; i++) {
		cr_assert(event_pace_observe(&p, 20000, 10 * NSEC_PER_SEC));
		cr_assert(event_pace_observe(&p, UINT64_MAX, 0), "no time, no rate");
	}
	for (int i = 0; i < 3; i++)
		event_pace_observe(&p, 201, NSEC_PER_SEC / 10);
	cr_assert_not(p.wanted);
}

Test(event_pace, takes_up_after_a_calm_time)
{
	struct event_pace p;

	event_pace_init(&p);
	observe(&p, 5000, 3);
	cr_assert_eq(observe(&p, 1000, 1000), 0, "half of it is not calm");
	cr_assert_eq(observe(&p, 999, 29), 0);
	cr_assert_eq(observe(&p, 1500, 1), 0, "begins again");
	cr_assert_eq(observe(&p, 999, 60), 30);
	cr_assert(p.wanted);
}

Test(event_pace, waits_longer_when_it_was_in_vain)
{
	static const unsigned int waits[] = {30, 60, 120, 240, 480, 600, 600};
	struct event_pace p;

	event_pace_init(&p);
	for (unsigned int i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		cr_assert_eq(observe(&p, 5000, 10), 3);
		cr_assert_eq(observe(&p, 0, 1000), waits[i], "%u", i);
	}
	cr_assert_eq(observe(&p, 0, 600), 0, "ten calm minutes");
	cr_assert_eq(observe(&p, 5000, 10), 3);
	cr_assert_eq(observe(&p, 0, 1000), 30, "are a new beginning");
}

/* Whatever comes, three fast seconds lie before each change to polls, and thirty calm ones before
 * each change back. */
Test(event_pace, random)
{
	static const uint64_t rates[] = {0, 500, 999, 1000, 1999, 2001, 9000};
	struct event_pace p;
	uint64_t random = 1;
	unsigned int fast = 0, calm = 0;

	event_pace_init(&p);
	for (int i = 0; i < 100000; i++) {
		uint64_t rate = rates[core_random(&random, i / 100 % 2 ? 7 : 3)];
		bool before = p.wanted;

		fast = rate > 2000 ? fast + 1 : 0;
		calm = rate < 1000 ? calm + 1 : 0;
		if (event_pace_observe(&p, rate, NSEC_PER_SEC) != before)
			cr_assert(before ? fast >= 3 : calm >= 30, "step %d", i);
		else
			cr_assert(!before || fast < 3, "step %d", i);
	}
}
