/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a cookie to the number of its record: open addressing with four bytes a slot, of which one
 * is a piece of the hash, so that a search reads records of other cookies once in 256 times. It
 * grows and shrinks a few slots with each change, never all at once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACK_NONE UINT32_MAX
/* Numbers are below this: a slot holds the number + 1 and eight bits of the hash. */
#define TRACK_NUMBERS_MAX ((UINT32_C(1) << 24) - 2)

/* The hash of the record of a number, which is in the index. */
typedef uint64_t (*track_hash_fn)(const void *records, uint32_t number);
/* Whether a record is that of KEY. */
typedef bool (*track_equal_fn)(const void *records, uint32_t number, uint64_t key);

struct track_slots {
	uint32_t *slots; /* 0: free; see slot_make() */
	uint32_t mask;   /* number of slots − 1 */
	uint32_t used;
};

struct track_index {
	struct track_slots now, old; /* what is not yet moved lies in the old ones */
	uint32_t moved;              /* slots of the old ones that are done */
};

void track_index_done(struct track_index *x);
/* Goes on with a move that a change has begun. Who finds and changes nothing for long would search
 * two places all that time. */
void track_index_move(struct track_index *x, const void *records, track_hash_fn hash_of);
/* Adds a number under the hash of a key that is not there. 0 or -ENOMEM. */
int track_index_add(struct track_index *x, const void *records, track_hash_fn hash_of,
		    uint64_t hash, uint32_t number);
/* Removes the entry of exactly this hash and number, which is there, and whose record is still as
 * it was. */
void track_index_remove(struct track_index *x, const void *records, track_hash_fn hash_of,
			uint64_t hash, uint32_t number);

#define TRACK_SLOT_MOVED  UINT32_MAX
#define TRACK_SLOT_NUMBER 0x00ffffff

/* A slot's content but for the number. */
static inline uint32_t track_slot_tag(uint64_t hash)
{
	return (uint32_t)(hash >> 32) & ~(uint32_t)TRACK_SLOT_NUMBER;
}

static inline uint32_t track_slots_find(const struct track_slots *s, const void *records,
					track_equal_fn equal, uint64_t hash, uint64_t key)
{
	if (!s->slots)
		return TRACK_NONE;
	for (uint32_t i = (uint32_t)hash & s->mask;; i = (i + 1) & s->mask) {
		uint32_t slot = s->slots[i];

		if (slot == 0)
			return TRACK_NONE;
		if ((slot & ~(uint32_t)TRACK_SLOT_NUMBER) == track_slot_tag(hash) &&
		    slot != TRACK_SLOT_MOVED && equal(records, (slot & TRACK_SLOT_NUMBER) - 1, key))
			return (slot & TRACK_SLOT_NUMBER) - 1;
	}
}

static inline bool track_any(const void *records, uint32_t number, uint64_t key)
{
	(void)records;
	(void)number;
	(void)key;
	return true;
}

/* The first number from the hash's place on whose tag matches: most likely the one that is sought.
 * For whoever wants to fetch it beforehand; it reads no record. */
static inline uint32_t track_slots_guess(const struct track_slots *s, uint64_t hash)
{
	return track_slots_find(s, NULL, track_any, hash, 0);
}
