/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash map from a key to its place in the caller's array: open addressing, linear probing,
 * deletion by shifting back. The map holds hashes and places only; what a key is, and where the
 * items lie, is the caller's business. At most half full, so that a look-up touches one line.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MAP_NONE UINT32_MAX

/* Eight to a cache line. The place MAP_NONE marks a free slot. */
struct map_slot {
	uint32_t hash; /* folded */
	uint32_t index;
};

struct map {
	struct map_slot *slots;
	uint32_t mask; /* number of slots − 1; 0 while empty */
	uint32_t used;
};

/* Whether ITEMS[INDEX] is what KEY names. */
typedef bool (*map_equal_fn)(const void *items, uint32_t index, const void *key);

void map_done(struct map *m);
/* Empties it and keeps the memory. */
void map_clear(struct map *m);
/* Adds a place under a hash that the caller knows to be new. 0 or -ENOMEM. */
int map_add(struct map *m, uint64_t hash, uint32_t index);
/* Removes the entry of exactly this hash and place, if it is there. */
void map_remove(struct map *m, uint64_t hash, uint32_t index);
/* Says that the item of this hash moved from one place to another. */
void map_move(struct map *m, uint64_t hash, uint32_t from, uint32_t to);

static inline uint64_t map_multiply(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t map_load(const char *p, size_t n)
{
	uint64_t word = 0;

	memcpy(&word, p, n);
	return word;
}

/* A seeded 64-bit hash: peers choose addresses and ports, so the seed must be secret to them.
 * Sixteen bytes a multiplication (after wyhash, Wang Yi): short keys take two or three nanoseconds,
 * and who knows neither the seed nor a hash finds no keys that collide. */
static inline uint64_t map_hash(uint64_t seed, const void *bytes, size_t n)
{
	const uint64_t first = UINT64_C(0xa0761d6478bd642f), second = UINT64_C(0xe7037ed1a0b428db);
	uint64_t hash = map_multiply(seed ^ first, n ^ second);
	const char *p = bytes;

	for (; n >= 16; n -= 16, p += 16)
		hash = map_multiply(map_load(p, 8) ^ seed ^ first, map_load(p + 8, 8) ^ hash);
	if (n > 8)
		hash = map_multiply(map_load(p, 8) ^ seed ^ first, map_load(p + 8, n - 8) ^ hash);
	else if (n > 0)
		hash = map_multiply(map_load(p, n) ^ seed ^ first, hash);
	return map_multiply(hash ^ first, seed ^ second);
}

static inline uint32_t map_fold(uint64_t hash)
{
	return (uint32_t)(hash ^ hash >> 32);
}

/* The place of KEY, or MAP_NONE. In the header, so that EQUAL is inlined where it is known. */
static inline uint32_t map_find(const struct map *m, uint64_t hash, map_equal_fn equal,
				const void *items, const void *key)
{
	uint32_t folded = map_fold(hash);

	if (!m->slots)
		return MAP_NONE;
	for (uint32_t i = folded & m->mask;; i = (i + 1) & m->mask) {
		const struct map_slot *slot = &m->slots[i];

		if (slot->index == MAP_NONE)
			return MAP_NONE;
		if (slot->hash == folded && equal(items, slot->index, key))
			return slot->index;
	}
}
