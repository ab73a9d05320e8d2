/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/track.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"

TEST_SUITE(track);

static void init(struct track *t, uint32_t limit)
{
	track_init(t, UINT64_C(0x1234567890abcdef));
	track_set_limit(t, limit);
}

static uint32_t add(struct track *t, uint64_t cookie, enum track_status status)
{
	uint32_t number = track_add(t, cookie);

	cr_assert_neq(number, TRACK_NONE, "cookie %lu", (unsigned long)cookie);
	track_set_status(t, number, status);
	return number;
}

Test(track, nothing_while_the_limit_is_0)
{
	struct track t;

	init(&t, 0);
	cr_assert_eq(track_add(&t, 1), TRACK_NONE);
	cr_assert_eq(track_find(&t, 1), TRACK_NONE);
	track_prefetch_slot(&t, 1);
	track_prefetch_record(&t, 1);
	track_tidy(&t);
	track_done(&t);
	track_done(&t);
}

Test(track, a_new_record_is_blank)
{
	static const struct track_record blank = {.cookie = 7, .status = TRACK_PENDING};
	struct track t;
	uint32_t number;

	init(&t, 10);
	number = add(&t, 6, TRACK_OPEN);
	memset(track_at(&t, number)->values, 0xff, TRACK_VALUE_BYTES);
	track_remove(&t, number);
	number = track_add(&t, 7);
	cr_assert_eq(memcmp(track_at(&t, number), &blank, sizeof(blank)), 0);
	cr_assert_eq(track_find(&t, 7), number);
	cr_assert_eq(track_find(&t, 6), TRACK_NONE);
	track_done(&t);
}

/* Who is gone makes room, first those whose event is not to come, and of these the oldest. */
Test(track, room)
{
	static const uint64_t order[] = {5, 6, 2, 4};
	struct track t;

	init(&t, 6);
	add(&t, 1, TRACK_OPEN);
	add(&t, 2, TRACK_GONE);
	add(&t, 3, TRACK_PENDING);
	add(&t, 4, TRACK_GONE);
	add(&t, 5, TRACK_LEAVING);
	add(&t, 6, TRACK_LEAVING);
	for (unsigned int i = 0; i < ARRAY_SIZE(order); i++) {
		cr_assert_neq(track_find(&t, order[i]), TRACK_NONE);
		t.has_evicted = false;
		add(&t, 100 + i, TRACK_OPEN);
		cr_assert(t.has_evicted);
		cr_assert_eq(track_find(&t, order[i]), TRACK_NONE, "%lu", (unsigned long)order[i]);
		cr_assert_eq(t.count, 6);
	}
	t.has_evicted = false;
	cr_assert_eq(track_add(&t, 200), TRACK_NONE);
	cr_assert_not(t.has_evicted);
	cr_assert(track_find(&t, 1) != TRACK_NONE && track_find(&t, 3) != TRACK_NONE);
	track_done(&t);
}

Test(track, a_lower_limit)
{
	struct track t;

	init(&t, 3);
	for (uint64_t cookie = 1; cookie <= 3; cookie++)
		add(&t, cookie, TRACK_OPEN);
	cr_assert_not(track_is_beyond(&t));
	track_set_limit(&t, 2);
	cr_assert(track_is_beyond(&t));
	cr_assert_eq(track_add(&t, 4), TRACK_NONE);
	track_remove(&t, track_find(&t, 1));
	cr_assert_not(track_is_beyond(&t));
	track_done(&t);
}

/* In the list, in its middle, at its ends, and alone. */
Test(track, out_of_the_list)
{
	struct track t;

	for (uint64_t taken = 1; taken <= 3; taken++) {
		init(&t, 3);
		for (uint64_t cookie = 1; cookie <= 3; cookie++)
			add(&t, cookie, TRACK_GONE);
		track_set_status(&t, track_find(&t, taken), TRACK_OPEN);
		add(&t, 4, TRACK_OPEN);
		add(&t, 5, TRACK_OPEN);
		cr_assert_eq(track_add(&t, 6), TRACK_NONE, "taken %lu", (unsigned long)taken);
		for (uint64_t cookie = 1; cookie <= 3; cookie++)
			cr_assert_eq(track_find(&t, cookie) != TRACK_NONE, cookie == taken);
		track_done(&t);
	}
}

/* The dead take nobody's room, are the first that no poll has seen, and are not more than a few. */
Test(track, dead)
{
	uint32_t cursor = 0, number;
	struct track t;

	init(&t, 16);
	for (uint64_t cookie = 1; cookie <= 16; cookie++)
		add(&t, cookie, cookie % 2 ? TRACK_OPEN : TRACK_GONE);
	track_begin(&t);
	for (uint64_t cookie = 1; cookie <= 8; cookie++)
		track_see(&t, track_find(&t, cookie));
	for (uint64_t cookie = 5; cookie <= 12; cookie++)
		track_bury(&t, track_find(&t, cookie));
	track_bury(&t, track_find(&t, 5));
	cr_assert(t.count == 8 && t.dead == 8);
	for (uint64_t cookie = 101; cookie < 101 + TRACK_DEAD_SPARE; cookie++) {
		bool is_full = t.dead == 2 + TRACK_DEAD_SPARE;

		cr_assert_eq(track_bury_new(&t, cookie) == TRACK_NONE, is_full);
	}
	cr_assert(t.count == 8 && t.dead == 2 + TRACK_DEAD_SPARE);
	track_bury(&t, track_find(&t, 1));
	cr_assert_eq(track_find(&t, 1), TRACK_NONE, "there were too many");
	while ((number = track_unseen(&t, &cursor)) != TRACK_NONE)
		if (track_at(&t, number)->status == TRACK_DEAD)
			track_remove(&t, number);
	cr_assert(t.count == 7 && t.dead == 0);
	for (uint64_t cookie = 201; cookie <= 209; cookie++)
		add(&t, cookie, TRACK_OPEN);
	track_done(&t);
}

Test(track, leaving_are_forgotten)
{
	struct track t;

	init(&t, 10);
	for (uint64_t cookie = 1; cookie <= 9; cookie++)
		add(&t, cookie, cookie % 3 == 0 ? TRACK_LEAVING : TRACK_GONE);
	track_set_status(&t, track_find(&t, 1), TRACK_LEAVING);
	track_forget_leaving(&t);
	cr_assert_eq(t.count, 5);
	for (uint64_t cookie = 1; cookie <= 9; cookie++)
		cr_assert_eq(track_find(&t, cookie) == TRACK_NONE, cookie == 1 || cookie % 3 == 0);
	track_done(&t);
}

#define MANY (3 * TRACK_CHUNK + 17)

static void see(struct track *t, uint64_t modulus)
{
	for (uint64_t cookie = 1; cookie <= MANY; cookie++)
		if (cookie % modulus)
			track_see(t, track_find(t, cookie));
}

/* How many a poll has not seen, of which each is a multiple of MODULUS. */
static unsigned int count_unseen(const struct track *t, uint64_t modulus)
{
	unsigned int count = 0;
	uint32_t cursor = 0, number;

	while ((number = track_unseen(t, &cursor)) != TRACK_NONE) {
		cr_assert_eq(track_at(t, number)->cookie % modulus, 0);
		count++;
	}
	return count;
}

/* Generations come around after 254 polls, and mean the same then. */
Test(track, unseen)
{
	struct track t;

	init(&t, MANY);
	for (uint64_t cookie = 1; cookie <= MANY; cookie++)
		add(&t, cookie, TRACK_OPEN);
	cr_assert_eq(count_unseen(&t, 1), MANY, "no poll has shown them");
	for (unsigned int poll = 1; poll < 600; poll++) {
		uint64_t modulus = poll % 7 + 2;

		track_begin(&t);
		see(&t, modulus);
		cr_assert_eq(count_unseen(&t, modulus), MANY / modulus, "poll %u", poll);
		see(&t, MANY + 1);
	}
	track_begin(&t);
	see(&t, 2);
	for (uint64_t cookie = 2; cookie <= MANY; cookie += 2)
		track_set_status(&t, track_find(&t, cookie),
				 cookie % 4 ? TRACK_GONE : TRACK_LEAVING);
	cr_assert_eq(count_unseen(&t, 1), 0, "nobody looks for those that are gone");
	track_set_status(&t, track_find(&t, 2), TRACK_OPEN);
	cr_assert_eq(count_unseen(&t, 1), 0, "who has come back was seen");
	track_begin(&t);
	cr_assert_eq(count_unseen(&t, 1), (MANY + 1) / 2 + 1);
	track_done(&t);
}

Test(track, records_never_move_and_chunks_are_freed)
{
	enum { COUNT = 100000 };
	struct track_record **records = calloc(COUNT, sizeof(struct track_record *));
	struct track t;

	init(&t, COUNT);
	for (uint64_t i = 0; i < COUNT; i++)
		records[i] = track_at(&t, add(&t, i * 3, TRACK_OPEN));
	for (uint64_t i = 0; i < COUNT; i++)
		cr_assert_eq(track_at(&t, track_find(&t, i * 3)), records[i]);
	for (uint64_t i = TRACK_CHUNK; i < COUNT; i++)
		track_remove(&t, track_find(&t, i * 3));
	cr_assert_neq(t.chunks[0], NULL);
	for (uint32_t i = 1; i < t.chunk_count; i++)
		cr_assert_null(t.chunks[i]);
	cr_assert_lt(t.index.now.mask, 64 * 1024, "and the index has shrunk");
	track_remove(&t, track_find(&t, 0));
	cr_assert_eq(track_at(&t, add(&t, 1, TRACK_OPEN)), records[0],
		     "the free one is used again");
	track_done(&t);
	free(records);
}

/* Against an array: what a cookie is, and how many there are. */
Test(track, random)
{
	enum { COOKIES = 5000, STEPS = 200000 };
	static uint8_t model[COOKIES];
	uint64_t random = 42;
	uint32_t count = 0;
	struct track t;

	init(&t, COOKIES);
	for (unsigned int i = 0; i < STEPS; i++) {
		/* Most are there, and then most are not. */
		bool grows = core_random(&random, 10) > (i / 20000 % 2 ? 7U : 2U);
		uint32_t cookie = core_random(&random, COOKIES);
		uint32_t number = track_find(&t, cookie);

		cr_assert_eq(number == TRACK_NONE ? TRACK_FREE : track_at(&t, number)->status,
			     model[cookie], "step %u", i);
		if (number == TRACK_NONE && grows) {
			number = track_add(&t, cookie);
			count++;
		}
		if (number == TRACK_NONE)
			continue;
		if (grows) {
			model[cookie] = (uint8_t)(core_random(&random, 4) + TRACK_PENDING);
			track_set_status(&t, number, model[cookie]);
		} else {
			model[cookie] = TRACK_FREE;
			track_remove(&t, number);
			count--;
		}
		cr_assert_eq(t.count, count);
	}
	track_done(&t);
}
