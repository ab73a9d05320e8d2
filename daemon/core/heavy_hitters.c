/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/heavy_hitters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/util/macros.h"

void heavy_hitters_init(struct heavy_hitters *h, uint64_t seed)
{
	*h = (struct heavy_hitters){.seed = seed};
}

void heavy_hitters_done(struct heavy_hitters *h)
{
	map_done(&h->map);
	free(h->items);
	heavy_hitters_init(h, h->seed);
}

void heavy_hitters_clear(struct heavy_hitters *h)
{
	map_clear(&h->map);
	h->count = 0;
}

static bool is_pair(const void *items, uint32_t index, const void *key)
{
	const struct heavy_hitter *a = (const struct heavy_hitter *)items + index;
	const struct heavy_hitter *b = key;

	return a->hash == b->hash && a->remote_port == b->remote_port && a->family == b->family &&
	       sock_address_equal(&a->local, &b->local) &&
	       sock_address_equal(&a->remote, &b->remote);
}

static void remove_at(struct heavy_hitters *h, uint32_t index)
{
	uint32_t last = --h->count;

	map_remove(&h->map, h->items[index].hash, index);
	if (index == last)
		return;
	map_move(&h->map, h->items[last].hash, last, index);
	h->items[index] = h->items[last];
}

/* Takes one from every count. What this costs was paid by the observations that made the counts. */
static void take_one_each(struct heavy_hitters *h)
{
	for (uint32_t i = h->count; i-- > 0;)
		if (--h->items[i].count == 0)
			remove_at(h, i);
}

static int grow(struct heavy_hitters *h)
{
	uint32_t cap = MAX(64, h->cap * 2);
	struct heavy_hitter *items;

	if (h->count < h->cap)
		return 0;
	items = reallocarray(h->items, cap, sizeof(*items));
	if (!items)
		return -ENOMEM;
	h->items = items;
	h->cap = cap;
	return 0;
}

int heavy_hitters_observe(struct heavy_hitters *h, const struct sock_record *record)
{
	struct heavy_hitter pair = {
		.local = record->local,
		.remote = record->remote,
		.remote_port = record->remote_port,
		.family = record->family,
		.count = 1,
	};
	uint32_t index;
	int r;

	pair.hash = map_hash(h->seed, &pair, offsetof(struct heavy_hitter, count));
	index = map_find(&h->map, pair.hash, is_pair, h->items, &pair);
	if (index != MAP_NONE) {
		h->items[index].count++;
		return 0;
	}
	if (h->count == HEAVY_HITTERS_MAX) {
		take_one_each(h);
		return 0;
	}
	r = grow(h);
	if (r < 0)
		return r;
	r = map_add(&h->map, pair.hash, h->count);
	if (r < 0)
		return r;
	h->items[h->count++] = pair;
	return 0;
}
