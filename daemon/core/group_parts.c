/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/group_parts.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/core/group_cells.h"
#include "daemon/core/group_internal.h"
#include "daemon/util/macros.h"

/* Classes that are folded on arrival and told apart, so that each is counted once. */
#define FOLDED_ROUTES_MAX 65536

void group_parts_done(struct group_parts *p)
{
	for (uint32_t i = 0; i < p->count; i++)
		group_free(p->items[i]);
	free(p->items);
	free(p->routes);
	map_done(&p->map);
	*p = (struct group_parts){0};
}

static uint64_t hash_of(const struct group *owner, struct sock_class class)
{
	const uint64_t key[] = {(uintptr_t)owner, (uint64_t) class.view << 8 | class.peer};

	return map_hash(0, key, sizeof(key));
}

static bool is_route(const void *items, uint32_t index, const void *key)
{
	const struct group_route *a = (const struct group_route *)items + index, *b = key;

	return a->owner == b->owner && a->class.view == b->class.view &&
	       a->class.peer == b->class.peer;
}

/* Room for one more route, and one more part. */
static int make_room(struct group_parts *p)
{
	uint32_t cap = MAX(16, p->cap * 2);
	struct group_route *routes;
	struct group **items;

	if (p->route_count < p->cap)
		return 0;
	routes = reallocarray(p->routes, cap, sizeof(*routes));
	if (!routes)
		return -ENOMEM;
	p->routes = routes;
	items = reallocarray(p->items, cap, sizeof(struct group *));
	if (!items)
		return -ENOMEM;
	p->items = items;
	p->cap = cap;
	return 0;
}

/* For which there is room. */
static int add_route(struct group_parts *p, const struct group *owner, struct sock_class class,
		     struct group *target)
{
	if (map_add(&p->map, hash_of(owner, class), p->route_count) < 0)
		return -ENOMEM;
	p->routes[p->route_count++] = (struct group_route){owner, class, target};
	return 0;
}

static struct group *find(const struct group_parts *p, const struct group *owner,
			  struct sock_class class)
{
	const struct group_route key = {.owner = owner, .class = class};
	uint32_t place = map_find(&p->map, hash_of(owner, class), is_route, p->routes, &key);

	return place == MAP_NONE ? NULL : p->routes[place].target;
}

static struct group *add(struct group_table *t, struct group *owner, struct sock_class class)
{
	struct group_parts *p = &t->parts;
	struct group *g;

	if (make_room(p) < 0)
		return NULL;
	g = group_new(owner->side, owner->kind, owner->port, t->catalogue->groups[t->family].cells);
	if (!g || add_route(p, owner, class, g) < 0) {
		group_free(g);
		return NULL;
	}
	g->owner = owner;
	g->class = class;
	g->born_ms = t->realtime_ms;
	p->items[p->count++] = g;
	owner->parts++;
	return g;
}

/* The class that takes what is folded; of a view it is "other". */
static struct sock_class parent_of(struct sock_class class)
{
	return (struct sock_class){class.peer ? class.view : 0, 0};
}

static struct group *fold_on_arrival(struct group_table *t, struct group *owner,
				     struct sock_class class)
{
	struct sock_class parent = parent_of(class);
	struct group *target = class_is_other(parent) ? owner : group_parts_get(t, owner, parent);
	uint32_t folded = t->parts.route_count - t->parts.count;

	/* Without a route it is folded all the same, but would be counted again. */
	if (target && folded < FOLDED_ROUTES_MAX && make_room(&t->parts) == 0 &&
	    add_route(&t->parts, owner, class, target) == 0)
		t->poll_folds.by_series++;
	return target;
}

struct group *group_parts_get(struct group_table *t, struct group *owner, struct sock_class class)
{
	enum group_rank rank = class.peer ? GROUP_RANK_PEER : GROUP_RANK_VIEW;
	struct group *g = find(&t->parts, owner, class);

	if (g)
		return g;
	if (!group_is_in_budget(t, rank))
		return fold_on_arrival(t, owner, class);
	g = add(t, owner, class);
	t->own[rank] += g != NULL;
	return g;
}

struct group *group_parts_fold_target(struct group_table *t, const struct group *part)
{
	struct sock_class parent = parent_of(part->class);
	struct group *g;

	if (class_is_other(parent))
		return part->owner;
	g = find(&t->parts, part->owner, parent);
	if (!g)
		g = add(t, part->owner, parent);
	return g ? g : part->owner;
}

void group_parts_remove(struct group_table *t, uint32_t place)
{
	struct group *g = t->parts.items[place];

	g->owner->parts--;
	group_free(g);
	t->parts.items[place] = t->parts.items[--t->parts.count];
}

void group_parts_route(struct group_table *t)
{
	struct group_parts *p = &t->parts;

	if (p->route_count == 0)
		return;
	map_clear(&p->map);
	p->route_count = 0;
	/* There were as many before, so that there is memory for them. */
	for (uint32_t i = 0; i < p->count; i++)
		add_route(p, p->items[i]->owner, p->items[i]->class, p->items[i]);
}

void group_parts_rename(struct group_table *t, const struct class_map *map)
{
	for (uint32_t i = t->parts.count; i-- > 0;) {
		struct group *g = t->parts.items[i];

		g->class = class_map_find(map, g->class);
		if (class_is_known(g->class))
			continue;
		group_cells_fold(t->catalogue, t->family, g->owner->poll, g->poll);
		group_parts_remove(t, i);
	}
	group_parts_route(t);
}
