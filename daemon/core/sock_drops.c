/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/sock_drops.h"

#include <stdlib.h>

#include "daemon/util/macros.h"

void sock_drops_init(struct sock_drops *d, uint64_t seed)
{
	*d = (struct sock_drops){0};
	sock_index_init(&d->index, seed);
}

void sock_drops_done(struct sock_drops *d)
{
	sock_index_done(&d->index);
	free(d->entries);
	*d = (struct sock_drops){0};
}

static void forget_all(struct sock_drops *d)
{
	uint64_t seed = d->index.seed;

	sock_drops_done(d);
	sock_drops_init(d, seed);
}

static void forget(struct sock_drops *d, uint32_t place)
{
	sock_index_remove(&d->index, place);
	d->entries[place] = d->entries[d->index.count];
}

void sock_drops_begin(struct sock_drops *d, uint32_t limit)
{
	if (limit == 0)
		forget_all(d);
	d->limit = limit;
	d->poll_untracked = 0;
}

/* Follows a socket from here on; its place, or MAP_NONE where there is no room. */
static uint32_t add(struct sock_drops *d, const struct sock_record *record)
{
	uint32_t place = d->index.count;
	uint32_t cap = MAX(32, d->cap * 2);
	struct sock_drops_entry *entries;

	/* Who has neither a cookie nor an inode cannot be found again. */
	if (place >= d->limit || (!record->cookie && !record->inode))
		return MAP_NONE;
	if (place == d->cap) {
		entries = reallocarray(d->entries, cap, sizeof(*entries));
		if (!entries)
			return MAP_NONE;
		d->entries = entries;
		d->cap = cap;
	}
	return sock_index_add(&d->index, record) < 0 ? MAP_NONE : place;
}

static bool load(const struct sock_record *record, uint32_t *ret_drops)
{
	if (record->skmem_len >= 4 * (SOCK_SKMEM_DROPS + 1))
		*ret_drops = sock_load_u32(record->skmem, 4 * SOCK_SKMEM_DROPS);
	else if (record->known & SOCK_KNOWS_DROPS)
		*ret_drops = record->drops;
	else
		return false;
	return true;
}

/* Where all sockets of the good poll before were followed, one that is new was born since. */
static bool knows_births(const struct sock_drops *d)
{
	return d->has_polled && d->untracked == 0;
}

/* They may have wrapped around once; more than half way is no growth but a fall. */
static uint32_t growth(uint32_t before, uint32_t now)
{
	return now - before <= UINT32_MAX / 2 ? now - before : 0;
}

bool sock_drops_observe(struct sock_drops *d, const struct sock_record *record,
			uint32_t *ret_growth)
{
	uint32_t place, drops;

	if (d->limit == 0 || !load(record, &drops))
		return false;
	*ret_growth = 0;
	place = sock_index_find(&d->index, record);
	if (place != MAP_NONE) {
		*ret_growth = growth(d->entries[place].drops, drops);
	} else {
		place = add(d, record);
		if (place == MAP_NONE) {
			d->poll_untracked++;
			return true;
		}
		if (knows_births(d))
			*ret_growth = drops;
	}
	d->entries[place] = (struct sock_drops_entry){.drops = drops, .poll = d->poll};
	return true;
}

void sock_drops_commit(struct sock_drops *d)
{
	for (uint32_t i = d->index.count; i-- > 0;)
		if (d->poll - d->entries[i].poll > 1)
			forget(d, i);
	while (d->index.count > d->limit)
		forget(d, d->index.count - 1);
	d->poll++;
	d->untracked = d->poll_untracked;
	d->has_polled = d->limit > 0;
}
