/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/track_index.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/core/track.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"

TEST_SUITE(track_index);

/* The records: the hash of each number, which is its key as well, and how often they were asked. */
struct records {
	uint64_t hashes[300000];
	unsigned int asked;
};

static uint64_t hash_of(const void *records, uint32_t number)
{
	struct records *r = (struct records *)records;

	r->asked++;
	return r->hashes[number];
}

static bool is_equal(const void *records, uint32_t number, uint64_t key)
{
	return ((const struct records *)records)->hashes[number] == key;
}

static uint32_t find(const struct track_index *x, const struct records *r, uint64_t hash)
{
	uint32_t number = track_slots_find(&x->now, r, is_equal, hash, hash);

	return number != TRACK_NONE ? number : track_slots_find(&x->old, r, is_equal, hash, hash);
}

static void add(struct track_index *x, struct records *r, uint32_t number, uint64_t hash)
{
	r->hashes[number] = hash;
	cr_assert_eq(track_index_add(x, r, hash_of, hash, number), 0);
}

static void remove_number(struct track_index *x, struct records *r, uint32_t number)
{
	track_index_remove(x, r, hash_of, r->hashes[number], number);
}

/* All have one place, all have one tag, and all go around the end. */
Test(track_index, hashes_that_collide)
{
	static const struct {
		const char *name;
		uint64_t first, step;
	} cases[] = {
		{"one place", 7, UINT64_C(1) << 32},
		{"one place and tag", 7, UINT64_C(1) << 33},
		{"one tag", UINT64_C(0xab) << 56, 1},
		{"around the end", UINT32_MAX, UINT64_C(1) << 32},
		{"the tag of the mark", UINT64_MAX - 100, 1},
	};
	struct records *r = calloc(1, sizeof(*r));

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct track_index x = {0};

		for (uint32_t n = 0; n < 100; n++)
			add(&x, r, n, cases[i].first + n * cases[i].step);
		for (uint32_t n = 0; n < 100; n += 3)
			remove_number(&x, r, n);
		for (uint32_t n = 0; n < 100; n++)
			cr_assert_eq(find(&x, r, r->hashes[n]), n % 3 ? n : TRACK_NONE, "%s: %u",
				     cases[i].name, n);
		track_index_done(&x);
	}
	free(r);
}

/* While half of it lies in the old slots all is found, and what is removed there stays away. */
Test(track_index, in_the_middle_of_a_move)
{
	struct records *r = calloc(1, sizeof(*r));
	struct track_index x = {0};
	uint64_t random = 1;
	uint32_t count = 0;

	while (count < 3000 || !x.old.slots) {
		add(&x, r, count,
		    (uint64_t)core_random(&random, UINT32_MAX) << 32 |
			    core_random(&random, UINT32_MAX));
		count++;
	}
	for (uint32_t n = 0; n < count; n++)
		cr_assert_eq(find(&x, r, r->hashes[n]), n);
	remove_number(&x, r, 5);
	cr_assert(x.old.slots);
	cr_assert_eq(find(&x, r, r->hashes[5]), TRACK_NONE);
	while (x.old.slots)
		track_index_move(&x, r, hash_of);
	for (uint32_t n = 0; n < count; n++)
		cr_assert_eq(find(&x, r, r->hashes[n]), n == 5 ? TRACK_NONE : n);
	cr_assert_eq(x.now.used, count - 1);
	track_index_done(&x);
	free(r);
}

static size_t slots_bytes(const struct track_index *x)
{
	size_t slots = (x->now.slots ? x->now.mask + 1 : 0) + (x->old.slots ? x->old.mask + 1 : 0);

	return slots * sizeof(uint32_t);
}

/* No change looks at more than a few records, and at no fill does a record take more than 160 bytes
 * with its part of the index. */
Test(track_index, grows_and_shrinks_without_a_stall)
{
	enum { COUNT = 300000 };
	struct records *r = calloc(1, sizeof(*r));
	struct track_index x = {0};
	uint64_t random = 3;
	unsigned int most = 0;

	for (uint32_t n = 0; n < COUNT; n++) {
		r->asked = 0;
		add(&x, r, n,
		    (uint64_t)core_random(&random, UINT32_MAX) << 32 |
			    core_random(&random, UINT32_MAX));
		most = r->asked > most ? r->asked : most;
		if (n >= TRACK_CHUNK)
			cr_assert_leq(slots_bytes(&x) + (n + 1) * (sizeof(struct track_record) + 1),
				      160 * (size_t)(n + 1), "%u", n);
	}
	cr_assert_leq(most, 16, "an addition moves sixteen slots");
	for (uint32_t n = 0; n < COUNT; n++) {
		r->asked = 0;
		remove_number(&x, r, n);
		most = r->asked > most ? r->asked : most;
	}
	cr_assert_leq(most, 400, "a removal closes the hole behind it as well");
	cr_assert_leq(slots_bytes(&x), 1024);
	track_index_done(&x);
	free(r);
}

Test(track_index, guess_reads_no_record)
{
	struct records *r = calloc(1, sizeof(*r));
	struct track_index x = {0};

	cr_assert_eq(track_slots_guess(&x.now, 5), TRACK_NONE);
	add(&x, r, 7, UINT64_C(0x1100000000000005));
	add(&x, r, 9, UINT64_C(0x2200000000000005));
	cr_assert_eq(track_slots_guess(&x.now, UINT64_C(0x2200000000000005)), 9);
	cr_assert_eq(track_slots_guess(&x.now, UINT64_C(0x3300000000000005)), TRACK_NONE);
	cr_assert_eq(r->asked, 0);
	track_index_done(&x);
	free(r);
}
