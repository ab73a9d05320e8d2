/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/track_index.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define SLOTS_MIN 64
/* Old slots that are moved at a time. Growing doubles the slots when three in four are taken, so it
 * ends long before the new ones are full. */
#define SLOTS_MOVED 16

void track_index_done(struct track_index *x)
{
	free(x->now.slots);
	free(x->old.slots);
	*x = (struct track_index){0};
}

static void slots_put(struct track_slots *s, uint64_t hash, uint32_t number)
{
	uint32_t i = (uint32_t)hash & s->mask;

	while (s->slots[i] != 0)
		i = (i + 1) & s->mask;
	s->slots[i] = track_slot_tag(hash) | (number + 1);
	s->used++;
}

/* What was moved leaves a mark, so that searches which began before it go on. */
void track_index_move(struct track_index *x, const void *records, track_hash_fn hash_of)
{
	for (unsigned int i = 0; x->old.slots && i < SLOTS_MOVED; i++) {
		uint32_t *slot = &x->old.slots[x->moved];

		if (*slot != 0 && *slot != TRACK_SLOT_MOVED) {
			uint32_t number = (*slot & TRACK_SLOT_NUMBER) - 1;

			slots_put(&x->now, hash_of(records, number), number);
			*slot = TRACK_SLOT_MOVED;
		}
		if (x->moved++ < x->old.mask)
			continue;
		free(x->old.slots);
		x->old = (struct track_slots){0};
	}
}

/* Begins to move to COUNT slots. They are as fresh memory, zero, and are not touched here. */
static int resize(struct track_index *x, uint32_t count)
{
	uint32_t *slots = calloc(count, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	x->old = x->now;
	x->now = (struct track_slots){.slots = slots, .mask = count - 1};
	x->moved = 0;
	return 0;
}

static bool is_full(const struct track_index *x)
{
	return !x->now.slots || x->now.used >= (x->now.mask + 1) / 4 * 3;
}

int track_index_add(struct track_index *x, const void *records, track_hash_fn hash_of,
		    uint64_t hash, uint32_t number)
{
	assert(number < TRACK_NUMBERS_MAX);

	track_index_move(x, records, hash_of);
	if (!x->old.slots && is_full(x)) {
		int r = resize(x, x->now.slots ? (x->now.mask + 1) * 2 : SLOTS_MIN);

		if (r < 0)
			return r;
	}
	slots_put(&x->now, hash, number);
	return 0;
}

/* An entry behind the hole moves into it, unless its search begins behind the hole. */
static void close_hole(struct track_slots *s, const void *records, track_hash_fn hash_of,
		       uint32_t hole)
{
	for (uint32_t i = (hole + 1) & s->mask; s->slots[i] != 0; i = (i + 1) & s->mask) {
		uint32_t number = (s->slots[i] & TRACK_SLOT_NUMBER) - 1;
		uint32_t home = (uint32_t)hash_of(records, number) & s->mask;

		if (((i - home) & s->mask) >= ((i - hole) & s->mask)) {
			s->slots[hole] = s->slots[i];
			hole = i;
		}
	}
	s->slots[hole] = 0;
}

static uint32_t *slots_of(struct track_slots *s, uint64_t hash, uint32_t number)
{
	if (!s->slots)
		return NULL;
	for (uint32_t i = (uint32_t)hash & s->mask; s->slots[i] != 0; i = (i + 1) & s->mask)
		if (s->slots[i] == (track_slot_tag(hash) | (number + 1)))
			return &s->slots[i];
	return NULL;
}

/* Where seven in eight are free, half as many do for long. What cannot be had now can wait. */
static void shrink(struct track_index *x)
{
	uint32_t count = x->now.mask + 1;

	if (!x->old.slots && count > SLOTS_MIN && x->now.used < count / 8)
		resize(x, count / 2);
}

void track_index_remove(struct track_index *x, const void *records, track_hash_fn hash_of,
			uint64_t hash, uint32_t number)
{
	uint32_t *slot = slots_of(&x->now, hash, number);

	if (slot) {
		close_hole(&x->now, records, hash_of, (uint32_t)(slot - x->now.slots));
		x->now.used--;
	} else {
		slot = slots_of(&x->old, hash, number);
		assert(slot);
		*slot = TRACK_SLOT_MOVED;
	}
	track_index_move(x, records, hash_of);
	shrink(x);
}
