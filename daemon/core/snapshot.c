/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/snapshot_unix.h"
#include "daemon/util/cleanup.h"
#include "daemon/util/macros.h"

static void ref(unsigned int *refs)
{
	__atomic_add_fetch(refs, 1, __ATOMIC_RELAXED);
}

/* Whether this was the last. */
static bool unref(unsigned int *refs)
{
	return __atomic_sub_fetch(refs, 1, __ATOMIC_ACQ_REL) == 0;
}

/* What lies behind the head of a part, in the same block. */
struct tail {
	void *items;
	uint64_t *cells;
};

/* One block: HEAD bytes, then COUNT items of ITEM bytes, then COUNT rows of CELLS cells. */
static void *new_part(size_t head, size_t item, uint32_t count, unsigned int cells,
		      struct tail *ret_tail)
{
	size_t items_at = (head + 7) / 8 * 8;
	size_t cells_at = items_at + (item * count + 7) / 8 * 8;
	char *block = calloc(1, cells_at + (size_t)count * cells * sizeof(uint64_t));

	if (!block)
		return NULL;
	ret_tail->items = block + items_at;
	ret_tail->cells = (uint64_t *)(void *)(block + cells_at);
	return block;
}

static void copy_series(struct snapshot_listener *item, const struct listener_series *s,
			uint64_t *cells, unsigned int count)
{
	memcpy(item->address, s->address, sizeof(item->address));
	memcpy(item->port, s->port, sizeof(item->port));
	item->values = s->values;
	item->owner = owner_ref(s->owner);
	item->born_ms = s->born_ms;
	item->cells = memcpy(cells, s->cells, count * sizeof(*cells));
}

struct snapshot_listeners *snapshot_listeners_new(const struct listener_table *t,
						  const struct snapshot_age *age,
						  const struct snapshot_age *slow_age)
{
	unsigned int cells = t->catalogue->listener_cells;
	struct snapshot_listeners *p;
	struct tail tail;
	uint64_t *next;

	p = new_part(sizeof(*p), sizeof(*p->items), t->series_count, cells, &tail);
	if (!p)
		return NULL;
	p->refs = 1;
	p->catalogue = catalogue_ref(t->catalogue);
	p->age = *age;
	p->slow_age = *slow_age;
	p->items = tail.items;
	next = tail.cells;
	for (uint32_t i = 0; i < t->series_count; i++) {
		if (t->series[i] == t->hidden)
			continue;
		copy_series(&p->items[p->count++], t->series[i], next, cells);
		next += cells;
	}
	return p;
}

void snapshot_listeners_unref(struct snapshot_listeners *p)
{
	if (!p || !unref(&p->refs))
		return;
	for (uint32_t i = 0; i < p->count; i++)
		owner_unref(p->items[i].owner);
	catalogue_unref(p->catalogue);
	free(p);
}

struct snapshot_sockets *snapshot_sockets_new(const struct group_table *groups,
					      const struct metric_set *present,
					      const struct aggregate_algorithms *algorithms,
					      const struct snapshot_age *age)
{
	unsigned int cells = groups->catalogue->groups[groups->family].cells;
	struct snapshot_sockets *p;
	struct tail tail;
	uint64_t *next;

	p = new_part(sizeof(*p), sizeof(*p->items), group_table_count(groups), cells, &tail);
	if (!p)
		return NULL;
	p->refs = 1;
	p->catalogue = catalogue_ref(groups->catalogue);
	p->age = *age;
	p->family = groups->family;
	p->present = *present;
	if (algorithms)
		p->algorithms = *algorithms;
	p->items = tail.items;
	next = tail.cells;
	for (uint32_t i = 0; i < group_table_count(groups); i++) {
		const struct group *g = group_table_at(groups, i);
		struct snapshot_group *item = &p->items[p->count];

		if (!g->is_shown && g->parts == 0)
			continue;
		item->side = g->side;
		item->is_port = !g->owner;
		item->is_shown = g->is_shown;
		item->class = g->class;
		group_port_label(g, item->port);
		item->born_ms = g->born_ms;
		item->cells = memcpy(next, g->cells, cells * sizeof(*next));
		next += cells;
		p->count++;
	}
	return p;
}

struct snapshot_sockets *snapshot_sockets_ref(struct snapshot_sockets *p)
{
	ref(&p->refs);
	return p;
}

void snapshot_sockets_unref(struct snapshot_sockets *p)
{
	if (!p || !unref(&p->refs))
		return;
	catalogue_unref(p->catalogue);
	free(p);
}

struct snapshot_host *snapshot_host_new(struct catalogue *catalogue, const struct snapshot_age *age)
{
	struct snapshot_host *p = calloc(1, sizeof(*p) + catalogue->host_cells * sizeof(*p->cells));

	if (!p)
		return NULL;
	p->refs = 1;
	p->catalogue = catalogue_ref(catalogue);
	p->age = *age;
	return p;
}

void snapshot_host_unref(struct snapshot_host *p)
{
	if (!p || !unref(&p->refs))
		return;
	catalogue_unref(p->catalogue);
	free(p);
}

void snapshot_parts_unref(const struct snapshot_parts *parts)
{
	snapshot_listeners_unref(parts->listeners);
	for (unsigned int i = 0; i < POLL_FAMILY_PORTS; i++)
		snapshot_sockets_unref(parts->sockets[i]);
	snapshot_unix_unref(parts->unix_listeners);
	snapshot_host_unref(parts->host);
}

void snapshot_unref(struct snapshot *s)
{
	if (!s || !unref(&s->refs))
		return;
	snapshot_parts_unref(&s->parts);
	catalogue_unref(s->catalogue);
	free(s);
}

void snapshot_parts_fill(struct snapshot_parts *parts, const struct snapshot_parts *before)
{
	if (!parts->listeners && before->listeners) {
		parts->listeners = before->listeners;
		ref(&parts->listeners->refs);
	}
	for (unsigned int i = 0; i < POLL_FAMILY_PORTS; i++)
		if (!parts->sockets[i] && before->sockets[i])
			parts->sockets[i] = snapshot_sockets_ref(before->sockets[i]);
	if (!parts->unix_listeners && before->unix_listeners)
		parts->unix_listeners = snapshot_unix_ref(before->unix_listeners);
	if (!parts->host && before->host) {
		parts->host = before->host;
		ref(&parts->host->refs);
	}
}

struct snapshot *snapshot_ref(struct snapshot *s)
{
	ref(&s->refs);
	return s;
}
