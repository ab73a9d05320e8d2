/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The map beside a model that is too simple to be wrong: an array of keys by place. The model's
 * places are the items that the map refers to, so both see the same.
 */
#include "daemon/util/map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

#define SEED UINT64_C(0x0123456789abcdef)

#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#endif

/* Few enough that most keys are met again, and enough that the map grows several times. */
#define PLACES 300
#define KEYS   500
#define NO_KEY UINT64_MAX

TEST_SUITE(map);

__attribute__((visibility("default"))) const char *__asan_default_options(void);

/* What running_out_of_memory needs of ASan, where a limit of the address space is no use. */
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1:max_allocation_size_mb=4";
}

typedef uint64_t (*hash_fn)(uint64_t key);

struct model {
	struct map map;
	hash_fn hash;
	const char *name;
	int step;
	uint64_t random;
	uint64_t keys[PLACES]; /* NO_KEY: the place is free */
};

static bool key_equal(const void *items, uint32_t index, const void *key)
{
	return ((const uint64_t *)items)[index] == *(const uint64_t *)key;
}

static uint32_t find(const struct model *m, uint64_t key)
{
	return map_find(&m->map, m->hash(key), key_equal, m->keys, &key);
}

/* A random number below N (xorshift64*). */
static uint32_t below(struct model *m, uint32_t n)
{
	m->random ^= m->random >> 12;
	m->random ^= m->random << 25;
	m->random ^= m->random >> 27;
	return (uint32_t)((m->random * UINT64_C(0x2545f4914f6cdd1d)) >> 32) % n;
}

static uint32_t model_find(const struct model *m, uint64_t key)
{
	for (uint32_t i = 0; i < PLACES; i++)
		if (m->keys[i] == key)
			return i;
	return MAP_NONE;
}

/* Only a fault is an assertion: Criterion reports each, also one that holds. */
static void assert_found(const struct model *m, uint64_t key)
{
	uint32_t found = find(m, key), expected = model_find(m, key);

	if (found != expected)
		cr_assert_fail("%s, step %d: key %d is at %d, not at %d", m->name, m->step,
			       (int)key, (int)found, (int)expected);
}

static void model_add(struct model *m, uint64_t key)
{
	uint32_t place = model_find(m, NO_KEY);

	if (place == MAP_NONE || model_find(m, key) != MAP_NONE)
		return;
	if (map_add(&m->map, m->hash(key), place) != 0)
		cr_assert_fail("%s: no memory", m->name);
	m->keys[place] = key;
}

static void model_remove(struct model *m, uint64_t key)
{
	uint32_t place = model_find(m, key);

	if (place == MAP_NONE)
		return;
	map_remove(&m->map, m->hash(key), place);
	m->keys[place] = NO_KEY;
}

static void model_move(struct model *m, uint64_t key)
{
	uint32_t from = model_find(m, key), to = below(m, PLACES);

	if (from == MAP_NONE || m->keys[to] != NO_KEY)
		return;
	map_move(&m->map, m->hash(key), from, to);
	m->keys[to] = key;
	m->keys[from] = NO_KEY;
}

/* Entries that are not there: this hash at another place, another hash at this place. */
static void model_remove_absent(struct model *m, uint64_t key)
{
	uint32_t place = model_find(m, key);

	map_remove(&m->map, m->hash(key), PLACES);
	map_move(&m->map, m->hash(key), PLACES, 0);
	map_remove(&m->map, m->hash(key) ^ 1, place);
	map_move(&m->map, m->hash(key) ^ 1, place, PLACES);
}

static void model_assert_same(const struct model *m)
{
	uint32_t used = 0;

	for (uint64_t key = 0; key < KEYS; key++)
		assert_found(m, key);
	for (int i = 0; i < PLACES; i++)
		used += m->keys[i] != NO_KEY;
	cr_assert_eq(m->map.used, used, "%s: used %u of %u", m->name, m->map.used, used);
	cr_assert_leq(m->map.used, (m->map.mask + 1) / 2, "%s", m->name);
}

/* Phases of growth and of shrinking alternate, so that chains are long and holes are many. */
static void model_step(struct model *m)
{
	uint64_t key = below(m, KEYS);
	uint32_t dice = below(m, 100);
	uint32_t adds = m->step / 1000 % 2 ? 25 : 65;

	if (m->step % 7919 == 0) {
		map_clear(&m->map);
		memset(m->keys, 0xff, sizeof(m->keys));
	}
	if (dice < adds)
		model_add(m, key);
	else if (dice < 85)
		model_remove(m, key);
	else if (dice < 95)
		model_move(m, key);
	else
		model_remove_absent(m, key);
	assert_found(m, key);
}

static uint64_t hash_good(uint64_t key)
{
	return map_hash(SEED, &key, sizeof(key));
}

static uint64_t hash_constant(uint64_t key)
{
	(void)key;
	return 0;
}

static uint64_t hash_few(uint64_t key)
{
	return key % 5;
}

static uint64_t hash_runs(uint64_t key)
{
	return key / 4;
}

/* Chains that go over the end of the slots, whatever their number. */
static uint64_t hash_at_end(uint64_t key)
{
	return UINT32_MAX - key % 3;
}

static uint64_t hash_high_half(uint64_t key)
{
	return key << 32;
}

Test(map, behaves_like_the_model)
{
	static const struct {
		const char *name;
		hash_fn hash;
	} cases[] = {
		{"good", hash_good}, {"constant", hash_constant}, {"few", hash_few},
		{"runs", hash_runs}, {"at end", hash_at_end},     {"high half", hash_high_half},
	};
	struct model m;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		m = (struct model){.hash = cases[i].hash, .name = cases[i].name, .random = SEED};
		memset(m.keys, 0xff, sizeof(m.keys));
		for (; m.step < 20000; m.step++) {
			model_step(&m);
			if (m.step % 500 == 0)
				model_assert_same(&m);
		}
		model_assert_same(&m);
		map_done(&m.map);
	}
}

Test(map, empty)
{
	struct map m = {0};
	uint64_t key = 1;

	cr_assert_eq(map_find(&m, 1, key_equal, &key, &key), MAP_NONE);
	map_remove(&m, 1, 0);
	map_move(&m, 1, 0, 1);
	map_clear(&m);
	map_done(&m);
	map_done(&m);
	cr_assert_null(m.slots);
}

Test(map, clear_keeps_memory)
{
	struct map m = {0};
	uint64_t keys[100];
	struct map_slot *slots;

	for (uint32_t i = 0; i < ARRAY_SIZE(keys); i++) {
		keys[i] = i;
		cr_assert_eq(map_add(&m, hash_good(i), i), 0);
	}
	slots = m.slots;
	map_clear(&m);
	cr_assert_eq(m.used, 0);
	for (uint32_t i = 0; i < ARRAY_SIZE(keys); i++) {
		cr_assert_eq(map_find(&m, hash_good(i), key_equal, keys, &keys[i]), MAP_NONE);
		cr_assert_eq(map_add(&m, hash_good(i), i), 0);
	}
	cr_assert_eq(m.slots, slots);
	map_done(&m);
}

/* How many of the keys 0, 1, … are found where they lie. */
static uint32_t count_found(const struct map *m, const uint64_t *keys, uint32_t n)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < n; i++)
		found += map_find(m, hash_good(i), key_equal, keys, &keys[i]) == i;
	return found;
}

Test(map, many)
{
	static uint64_t keys[100000];
	struct map m = {0};
	int r = 0;

	for (uint32_t i = 0; i < ARRAY_SIZE(keys); i++) {
		keys[i] = i;
		r |= map_add(&m, hash_good(i), i);
	}
	cr_assert_eq(r, 0);
	cr_assert_eq(m.used, ARRAY_SIZE(keys));
	cr_assert_eq(count_found(&m, keys, ARRAY_SIZE(keys)), ARRAY_SIZE(keys));
	map_done(&m);
}

/* From here on no large block can be had. */
static void limit_memory(void)
{
#ifndef HAVE_ASAN
	struct rlimit limit = {.rlim_cur = 4096, .rlim_max = RLIM_INFINITY};

	cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
#endif
}

Test(map, running_out_of_memory)
{
	static uint64_t keys[1 << 20];
	uint32_t added = 0;
	struct map m = {0};
	int r = 0;

	limit_memory();
	while (added < ARRAY_SIZE(keys) && (r = map_add(&m, hash_good(added), added)) == 0) {
		keys[added] = added;
		added++;
	}
	cr_assert_eq(r, -ENOMEM);
	cr_assert_eq(m.used, added);
	cr_assert_eq(map_add(&m, 1, added), -ENOMEM);
	cr_assert_eq(count_found(&m, keys, added), added);

	map_remove(&m, hash_good(0), 0);
	cr_assert_eq(map_add(&m, hash_good(0), 0), 0);
	cr_assert_eq(map_find(&m, hash_good(0), key_equal, keys, &keys[0]), 0);
	map_done(&m);
}

/* Keys of every length up to 40 that are zero but for one byte, or wholly: no two hashes are equal.
 */
Test(map, hash_uses_every_byte)
{
	static uint64_t seen[41 * 42 / 2];
	unsigned char bytes[40] = {0};
	size_t n = 0;

	for (size_t len = 0; len <= sizeof(bytes); len++) {
		seen[n++] = map_hash(SEED, bytes, len);
		for (size_t i = 0; i < len; i++) {
			bytes[i] = 1;
			seen[n++] = map_hash(SEED, bytes, len);
			bytes[i] = 0;
		}
	}
	cr_assert_eq(n, ARRAY_SIZE(seen));
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			if (seen[i] == seen[j])
				cr_assert_fail("%zu and %zu", i, j);
}

/* A bit of the key, or of the seed, changes each bit of the hash every other time. */
Test(map, hash_avalanche)
{
	int changed[2][64] = {0}, rounds = 2000;
	uint64_t key, flip, difference;

	for (uint64_t i = 0; i < (uint64_t)rounds; i++) {
		key = i * 3;
		flip = key ^ UINT64_C(1) << i % 64;
		for (int bit = 0; bit < 64; bit++) {
			difference = map_hash(SEED, &key, 8) ^ map_hash(SEED, &flip, 8);
			changed[0][bit] += difference >> bit & 1;
			difference = map_hash(key, &i, 8) ^ map_hash(flip, &i, 8);
			changed[1][bit] += difference >> bit & 1;
		}
	}
	for (int bit = 0; bit < 64; bit++) {
		cr_assert(changed[0][bit] > rounds * 2 / 5 && changed[0][bit] < rounds * 3 / 5,
			  "key: bit %d changed %d times", bit, changed[0][bit]);
		cr_assert(changed[1][bit] > rounds * 2 / 5 && changed[1][bit] < rounds * 3 / 5,
			  "seed: bit %d changed %d times", bit, changed[1][bit]);
	}
}
