/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/cgroup_names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/util/macros.h"

void cgroup_names_init(struct cgroup_names *n, uint64_t seed)
{
	*n = (struct cgroup_names){.seed = seed};
}

void cgroup_names_done(struct cgroup_names *n)
{
	free(n->items);
	map_done(&n->map);
	memset(n, 0, sizeof(*n));
}

static uint64_t hash(const struct cgroup_names *n, uint64_t id)
{
	return map_hash(n->seed, &id, sizeof(id));
}

static bool has_id(const void *items, uint32_t index, const void *id)
{
	return ((const struct cgroup_name *)items)[index].id == *(const uint64_t *)id;
}

static struct cgroup_name *find(const struct cgroup_names *n, uint64_t id)
{
	uint32_t place = map_find(&n->map, hash(n, id), has_id, n->items, &id);

	return place == MAP_NONE ? NULL : &n->items[place];
}

const struct cgroup_name *cgroup_names_find(const struct cgroup_names *n, uint64_t id)
{
	return find(n, id);
}

static int make_room(struct cgroup_names *n)
{
	uint32_t cap = MAX(16, n->cap * 2);
	struct cgroup_name *items;

	if (n->count == CGROUP_NAMES_MAX)
		return -ENOSPC;
	if (n->count < n->cap)
		return 0;
	items = reallocarray(n->items, cap, sizeof(*items));
	if (!items)
		return -ENOMEM;
	n->items = items;
	n->cap = cap;
	return 0;
}

void cgroup_names_begin_round(struct cgroup_names *n)
{
	n->round++;
}

int cgroup_names_get(struct cgroup_names *n, uint64_t id)
{
	struct cgroup_name *name = find(n, id);
	int r;

	if (name) {
		name->round = n->round;
		return 0;
	}
	r = make_room(n);
	if (r == 0)
		r = map_add(&n->map, hash(n, id), n->count);
	if (r < 0)
		return r;
	n->items[n->count++] = (struct cgroup_name){.id = id, .round = n->round};
	n->states[CGROUP_WANTED]++;
	return 0;
}

static void set_state(struct cgroup_names *n, struct cgroup_name *name, enum cgroup_state state)
{
	n->states[name->state]--;
	n->states[state]++;
	name->state = state;
}

static void remove_item(struct cgroup_names *n, uint32_t place)
{
	uint32_t last = --n->count;

	n->states[n->items[place].state]--;
	map_remove(&n->map, hash(n, n->items[place].id), place);
	if (place == last)
		return;
	map_move(&n->map, hash(n, n->items[last].id), last, place);
	n->items[place] = n->items[last];
}

void cgroup_names_end_round(struct cgroup_names *n)
{
	for (uint32_t i = n->count; i-- > 0;)
		if (n->items[i].round != n->round)
			remove_item(n, i);
}

static void change_all(struct cgroup_names *n, enum cgroup_state from, enum cgroup_state to)
{
	for (uint32_t i = 0; i < n->count; i++)
		if (n->items[i].state == from)
			set_state(n, &n->items[i], to);
}

void cgroup_names_begin_search(struct cgroup_names *n)
{
	change_all(n, CGROUP_WANTED, CGROUP_SOUGHT);
}

/* A name that it has already stays, and with it the labels: the same id is the same cgroup. */
bool cgroup_names_found(struct cgroup_names *n, uint64_t id, const char *path)
{
	struct cgroup_name *name = find(n, id);

	if (!name || name->state == CGROUP_NAMED)
		return false;
	unit_name_parse(path, &name->name);
	snprintf(name->path, sizeof(name->path), "%s", path);
	set_state(n, name, CGROUP_NAMED);
	return true;
}

void cgroup_names_end_search(struct cgroup_names *n)
{
	change_all(n, CGROUP_SOUGHT, CGROUP_UNKNOWN);
	n->searches++;
}

void cgroup_names_retry(struct cgroup_names *n)
{
	change_all(n, CGROUP_UNKNOWN, CGROUP_WANTED);
}
