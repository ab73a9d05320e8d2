/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/util/map.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAP_MIN_SLOTS 16
#define MAP_MAX_SLOTS (UINT32_C(1) << 31)

void map_done(struct map *m)
{
	free(m->slots);
	*m = (struct map){0};
}

void map_clear(struct map *m)
{
	if (m->slots)
		memset(m->slots, 0xff, ((size_t)m->mask + 1) * sizeof(*m->slots));
	m->used = 0;
}

static void map_put(struct map *m, struct map_slot entry)
{
	uint32_t i = entry.hash & m->mask;

	while (m->slots[i].index != MAP_NONE)
		i = (i + 1) & m->mask;
	m->slots[i] = entry;
	m->used++;
}

static int map_grow(struct map *m)
{
	size_t old_count = m->slots ? (size_t)m->mask + 1 : 0;
	size_t count = old_count ? old_count * 2 : MAP_MIN_SLOTS;
	struct map grown = {0};

	if (count > MAP_MAX_SLOTS)
		return -ENOMEM;
	grown.slots = malloc(count * sizeof(*grown.slots));
	if (!grown.slots)
		return -ENOMEM;
	grown.mask = (uint32_t)(count - 1);
	map_clear(&grown);
	for (size_t i = 0; i < old_count; i++)
		if (m->slots[i].index != MAP_NONE)
			map_put(&grown, m->slots[i]);
	free(m->slots);
	*m = grown;
	return 0;
}

int map_add(struct map *m, uint64_t hash, uint32_t index)
{
	int r;

	assert(index != MAP_NONE);
	if (!m->slots || m->used > m->mask / 2) {
		r = map_grow(m);
		if (r < 0)
			return r;
	}
	map_put(m, (struct map_slot){.hash = map_fold(hash), .index = index});
	return 0;
}

/* The slot of exactly this hash and place, or NULL. */
static struct map_slot *map_slot_find(const struct map *m, uint64_t hash, uint32_t index)
{
	uint32_t folded = map_fold(hash);
	struct map_slot *slot;

	if (!m->slots || index == MAP_NONE)
		return NULL;
	for (uint32_t i = folded & m->mask;; i = (i + 1) & m->mask) {
		slot = &m->slots[i];
		if (slot->index == MAP_NONE)
			return NULL;
		if (slot->hash == folded && slot->index == index)
			return slot;
	}
}

void map_remove(struct map *m, uint64_t hash, uint32_t index)
{
	struct map_slot *slot = map_slot_find(m, hash, index);
	uint32_t hole, home;

	if (!slot)
		return;
	hole = (uint32_t)(slot - m->slots);
	/* An entry behind the hole moves into it, unless its search begins behind the hole. */
	for (uint32_t i = (hole + 1) & m->mask; m->slots[i].index != MAP_NONE;
	     i = (i + 1) & m->mask) {
		home = m->slots[i].hash & m->mask;
		if (((i - home) & m->mask) >= ((i - hole) & m->mask)) {
			m->slots[hole] = m->slots[i];
			hole = i;
		}
	}
	m->slots[hole].index = MAP_NONE;
	m->used--;
}

void map_move(struct map *m, uint64_t hash, uint32_t from, uint32_t to)
{
	struct map_slot *slot = map_slot_find(m, hash, from);

	assert(to != MAP_NONE);
	if (slot)
		slot->index = to;
}
