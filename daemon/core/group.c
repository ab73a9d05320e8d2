/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/group_cells.h"
#include "daemon/core/group_internal.h"
#include "daemon/util/cleanup.h"
#include "daemon/util/macros.h"

#define PORTS 65536

DEFINE_CLEANUP(struct group *, group, group_free);

static uint64_t *new_cells(const struct group_table *t, const struct catalogue *c)
{
	return calloc(c->groups[t->family].cells, sizeof(uint64_t));
}

static int make_room(struct group_table *t)
{
	uint32_t cap = MAX(16, t->cap * 2);
	struct group **items;

	if (t->count < t->cap)
		return 0;
	items = reallocarray(t->items, cap, sizeof(struct group *));
	if (!items)
		return -ENOMEM;
	t->items = items;
	t->cap = cap;
	return 0;
}

/* Adds a group at the end; NULL: out of memory. */
static struct group *add(struct group_table *t, enum group_side side, enum group_kind kind,
			 uint16_t port)
{
	_cleanup_(cleanup_group) struct group *g = NULL;

	if (make_room(t) < 0)
		return NULL;
	g = group_new(side, kind, port, t->catalogue->groups[t->family].cells);
	if (!g)
		return NULL;
	g->born_ms = t->realtime_ms;
	t->items[t->count++] = g;
	return take_ptr(g);
}

void group_table_remove(struct group_table *t, uint32_t index)
{
	struct group *g = t->items[index];

	t->given[g->side] -= !g->is_configured;
	t->slots[g->side][g->port] = 0;
	group_free(g);
	if (index == --t->count)
		return;
	t->items[index] = t->items[t->count];
	t->slots[t->items[index]->side][t->items[index]->port] = (uint16_t)(index + 1);
}

struct group *group_table_shared(const struct group_table *t, enum group_side side,
				 enum group_kind kind)
{
	return t->items[side * 2 + (kind == GROUP_OTHER)];
}

static void set_slot(struct group_table *t, unsigned int side, uint16_t port, uint32_t place)
{
	t->slots[side][port] = (uint16_t)(place + 1);
	t->has_slots[side] = true;
}

/* Slots are decided anew for each poll, but for the labels that are given. */
static void fill_slots(struct group_table *t)
{
	for (unsigned int side = 0; side < GROUP_SIDE_END; side++) {
		if (t->has_slots[side])
			memset(t->slots[side], 0, PORTS * sizeof(uint16_t));
		t->has_slots[side] = false;
	}
	for (uint32_t i = GROUP_SHARED; i < t->count; i++)
		set_slot(t, t->items[i]->side, t->items[i]->port, i);
}

static bool has_own(const struct group_table *t, enum group_side side, uint16_t port)
{
	for (uint32_t i = GROUP_SHARED; i < t->count; i++)
		if (t->items[i]->side == side && t->items[i]->port == port)
			return true;
	return false;
}

/* Makes groups for configured ports that have none. The slots are not asked, which belong to the
 * poll under way, nor changed. Until take_settings() calls them configured, the next poll would let
 * them go. */
static int add_configured(struct group_table *t, const struct group_settings *s)
{
	for (unsigned int side = 0; side < GROUP_SIDE_END; side++) {
		for (uint32_t i = 0; i < s->configured_count[side]; i++) {
			uint16_t port = s->configured[side][i];

			if (!has_own(t, side, port) && !add(t, side, GROUP_PORT, port))
				return -ENOMEM;
		}
	}
	return 0;
}

/* Gives configured ports their rank, and takes it from those that no longer are. */
static void rank_configured(struct group_table *t, const struct group_settings *s)
{
	for (uint32_t i = GROUP_SHARED; i < t->count; i++)
		t->items[i]->is_configured = false;
	for (unsigned int side = 0; side < GROUP_SIDE_END; side++)
		for (uint32_t i = 0; i < s->configured_count[side]; i++)
			t->items[t->slots[side][s->configured[side][i]] - 1]->is_configured = true;
}

static void count_labels(struct group_table *t)
{
	group_table_count_own(t);
	memset(t->given, 0, sizeof(t->given));
	for (uint32_t i = GROUP_SHARED; i < t->count; i++)
		t->given[t->items[i]->side] += !t->items[i]->is_configured;
}

static void take_settings(struct group_table *t, const struct group_settings *s)
{
	fill_slots(t);
	rank_configured(t, s);
	count_labels(t);
	t->port_limit = s->ports;
	t->idle_ns = s->idle_ns;
}

int group_table_init(struct group_table *t, const struct group_settings *settings)
{
	*t = (struct group_table){
		.family = settings->family,
		.catalogue = catalogue_ref(settings->catalogue),
	};
	for (unsigned int side = 0; side < GROUP_SIDE_END; side++) {
		t->slots[side] = calloc(PORTS, sizeof(uint16_t));
		if (!t->slots[side] || !add(t, side, GROUP_EPHEMERAL, 0) ||
		    !add(t, side, GROUP_OTHER, 0))
			return -ENOMEM;
	}
	if (add_configured(t, settings) < 0)
		return -ENOMEM;
	take_settings(t, settings);
	return 0;
}

void group_table_done(struct group_table *t)
{
	group_parts_done(&t->parts);
	for (uint32_t i = 0; i < t->count; i++)
		group_free(t->items[i]);
	for (unsigned int side = 0; side < GROUP_SIDE_END; side++)
		free(t->slots[side]);
	free(t->items);
	catalogue_unref(t->catalogue);
	memset(t, 0, sizeof(*t));
}

static int prepare_group(const struct group_table *t, struct group *g, const struct catalogue *to)
{
	free(g->next_poll);
	free(g->next_cells);
	g->next_poll = new_cells(t, to);
	g->next_cells = new_cells(t, to);
	return g->next_poll && g->next_cells ? 0 : -ENOMEM;
}

int group_table_prepare(struct group_table *t, const struct group_settings *settings)
{
	int r = add_configured(t, settings);

	for (uint32_t i = 0; r == 0 && i < group_table_count(t); i++)
		r = prepare_group(t, group_table_at(t, i), settings->catalogue);
	if (r < 0)
		group_table_discard(t);
	return r;
}

void group_table_discard(struct group_table *t)
{
	for (uint32_t i = 0; i < group_table_count(t); i++) {
		free(take_ptr(group_table_at(t, i)->next_poll));
		free(take_ptr(group_table_at(t, i)->next_cells));
	}
}

static void carry(const struct group_table *t, struct group *g, const struct catalogue *to)
{
	const struct catalogue *from = t->catalogue;

	group_cells_carry(from, g->cells, to, t->family, g->next_cells);
	/* What has accrued is still to be taken over; the rest the next poll forgets. */
	group_cells_carry(from, g->poll, to, t->family, g->next_poll);
	free(g->poll);
	free(g->cells);
	g->poll = take_ptr(g->next_poll);
	g->cells = take_ptr(g->next_cells);
}

void group_table_apply(struct group_table *t, const struct group_settings *settings)
{
	struct catalogue *before = t->catalogue;
	struct class_map map;

	class_map_init(&map, &before->names, &settings->catalogue->names);
	group_parts_rename(t, &map);
	for (uint32_t i = 0; i < group_table_count(t); i++)
		carry(t, group_table_at(t, i), settings->catalogue);
	t->catalogue = catalogue_ref(settings->catalogue);
	catalogue_unref(before);
	take_settings(t, settings);
}

int group_table_configure(struct group_table *t, const struct group_settings *settings)
{
	int r = group_table_prepare(t, settings);

	if (r == 0)
		group_table_apply(t, settings);
	return r;
}

/* Whether nothing is lost with it. */
static bool is_void(const struct group_table *t, const struct group *g)
{
	return !g->is_shown && !g->is_configured && g->parts == 0 &&
	       !group_cells_have_accrued(t->catalogue, t->family, g->poll);
}

static void begin(const struct group_table *t, struct group *g)
{
	g->is_folded = false;
	g->poll_sockets = 0;
	if (g->born_ms == 0)
		g->born_ms = t->realtime_ms;
	group_cells_begin(t->catalogue, t->family, g->poll);
}

void group_table_begin(struct group_table *t, uint32_t budget, uint64_t realtime_ms)
{
	t->budget = budget;
	t->realtime_ms = realtime_ms;
	t->poll_folds = (struct group_folds){0};
	for (uint32_t i = t->parts.count; i-- > 0;)
		if (is_void(t, t->parts.items[i]))
			group_parts_remove(t, i);
	for (uint32_t i = t->count; i-- > GROUP_SHARED;)
		if (is_void(t, t->items[i]))
			group_table_remove(t, i);
	for (uint32_t i = 0; i < group_table_count(t); i++)
		begin(t, group_table_at(t, i));
	fill_slots(t);
	group_parts_route(t);
	count_labels(t);
}

/* Whether a port inside ip_local_port_range has no label: on a client's peer port never, nor for
 * UDP, which has no listeners; on a server's until a listener on it has settled. */
static bool is_ephemeral(const struct group_table *t, enum group_side side, uint16_t port,
			 const struct listener_table *listeners)
{
	bool may_settle = side == GROUP_SERVER && t->family != POLL_FAMILY_UDP;

	return listener_table_is_ephemeral(listeners, port) &&
	       !(may_settle && listener_table_is_settled(listeners, port));
}

bool group_is_in_budget(const struct group_table *t, enum group_rank rank)
{
	uint32_t used = 0;

	for (unsigned int i = 0; i <= rank; i++)
		used += t->own[i];
	return used < t->budget;
}

static struct group *decide(struct group_table *t, enum group_side side, uint16_t port,
			    bool ephemeral)
{
	struct group *g;

	if (ephemeral)
		return group_table_shared(t, side, GROUP_EPHEMERAL);
	if (t->given[side] >= t->port_limit) {
		t->poll_folds.by_ports++;
		return group_table_shared(t, side, GROUP_OTHER);
	}
	if (!group_is_in_budget(t, (enum group_rank)side)) {
		t->poll_folds.by_series++;
		return group_table_shared(t, side, GROUP_OTHER);
	}
	g = add(t, side, GROUP_PORT, port);
	if (!g)
		return NULL;
	t->own[side]++;
	t->given[side]++;
	return g;
}

/* The place of a group that decide() returned: it is shared, or the newest. */
static uint32_t place_of(const struct group_table *t, const struct group *g)
{
	for (uint32_t i = 0; i < GROUP_SHARED; i++)
		if (t->items[i] == g)
			return i;
	return t->count - 1;
}

static struct group *get_port(struct group_table *t, enum group_side side, uint16_t port,
			      const struct listener_table *listeners)
{
	uint16_t slot = t->slots[side][port];
	struct group *g;

	if (slot)
		return t->items[slot - 1];
	g = decide(t, side, port, is_ephemeral(t, side, port, listeners));
	if (g)
		set_slot(t, side, port, place_of(t, g));
	return g;
}

struct group *group_table_get(struct group_table *t, enum group_side side, uint16_t port,
			      struct sock_class class, const struct listener_table *listeners)
{
	struct group *g = get_port(t, side, port, listeners);

	return g && !class_is_other(class) ? group_parts_get(t, g, class) : g;
}

struct group *group_table_find(const struct group_table *t, enum group_side side, uint16_t port)
{
	uint16_t slot = t->slots[side][port];

	return slot ? t->items[slot - 1] : NULL;
}

uint32_t group_table_labels(const struct group_table *t)
{
	uint32_t labels = 0;

	for (unsigned int i = 0; i < GROUP_RANK_END; i++)
		labels += t->own[i];
	return labels;
}

uint32_t group_table_count(const struct group_table *t)
{
	return t->count + t->parts.count;
}

struct group *group_table_at(const struct group_table *t, uint32_t i)
{
	return i < t->count ? t->items[i] : t->parts.items[i - t->count];
}
