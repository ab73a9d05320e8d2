/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a poll: what is beyond limits.series is folded, the rest is taken over, and what was
 * idle for long goes. */
#include <string.h>

#include "daemon/core/group_cells.h"
#include "daemon/core/group_internal.h"
#include "daemon/util/macros.h"

/* In this poll, or since the one before. */
static bool has_counted(const struct group_table *t, const struct group *g)
{
	return g->poll_sockets > 0 || group_cells_have_accrued(t->catalogue, t->family, g->poll);
}

/* A port's own group has none while all its sockets are in parts. */
static bool has_series(const struct group_table *t, const struct group *g)
{
	return !g->is_folded && (g->is_shown || g->is_configured || has_counted(t, g));
}

/* There is room for the shared ones in any case. */
static bool is_counted(const struct group_table *t, const struct group *g)
{
	return (g->owner || g->kind == GROUP_PORT) && has_series(t, g);
}

void group_table_count_own(struct group_table *t)
{
	memset(t->own, 0, sizeof(t->own));
	for (uint32_t i = 0; i < group_table_count(t); i++)
		if (is_counted(t, group_table_at(t, i)))
			t->own[group_rank(group_table_at(t, i))]++;
}

/* Whether A is to be folded before B. */
static bool is_quieter(const struct group *a, const struct group *b)
{
	if (a->is_configured != b->is_configured)
		return b->is_configured;
	if (a->is_shown != b->is_shown)
		return b->is_shown;
	return a->poll_sockets < b->poll_sockets;
}

#define NONE UINT32_MAX

/* The place of the group of a rank to fold next: of ports among the items, else among the parts. */
static uint32_t quietest(const struct group_table *t, enum group_rank rank)
{
	bool is_part = rank >= GROUP_RANK_VIEW;
	struct group *const *items = is_part ? t->parts.items : t->items;
	uint32_t count = is_part ? t->parts.count : t->count;
	uint32_t found = NONE;

	for (uint32_t i = is_part ? 0 : GROUP_SHARED; i < count; i++)
		if (group_rank(items[i]) == rank && has_series(t, items[i]) &&
		    (found == NONE || is_quieter(items[i], items[found])))
			found = i;
	return found;
}

static void fold_into(struct group_table *t, struct group *g, struct group *target)
{
	bool was_counted = is_counted(t, target);

	group_cells_fold(t->catalogue, t->family, target->poll, g->poll);
	group_cells_settle(t->catalogue, t->family, g->poll);
	target->poll_sockets += g->poll_sockets;
	t->own[group_rank(target)] += !was_counted && is_counted(t, target);
}

static void fold_part(struct group_table *t, uint32_t place)
{
	struct group *g = t->parts.items[place];

	/* No group is made that would have no series: nothing would fold it. */
	if (has_counted(t, g))
		fold_into(t, g, group_parts_fold_target(t, g));
	t->poll_folds.by_series++;
	t->own[group_rank(g)]--;
	group_parts_remove(t, place);
}

/* A configured one keeps its label for the polls that have room again. */
static void fold_port(struct group_table *t, uint32_t index)
{
	struct group *g = t->items[index];

	fold_into(t, g, group_table_shared(t, g->side, GROUP_OTHER));
	t->poll_folds.by_series++;
	t->own[g->side]--;
	if (g->is_configured)
		g->is_folded = true;
	else
		group_table_remove(t, index);
}

/* Parts that counted nothing: no port goes before its parts. */
static void remove_empty_parts(struct group_table *t)
{
	for (uint32_t i = t->parts.count; i-- > 0;)
		if (!has_series(t, t->parts.items[i]))
			group_parts_remove(t, i);
	group_parts_route(t);
}

static void fold_beyond_budget(struct group_table *t)
{
	remove_empty_parts(t);
	group_table_count_own(t);
	for (enum group_rank rank = GROUP_RANK_END; rank-- > 0;) {
		while (group_table_labels(t) > t->budget) {
			uint32_t place = quietest(t, rank);

			if (place == NONE)
				break;
			if (rank >= GROUP_RANK_VIEW)
				fold_part(t, place);
			else
				fold_port(t, place);
		}
	}
}

/* A group that is not freed, like any other, starts at 0 when it comes back. */
static void hide(const struct group_table *t, struct group *g)
{
	g->is_shown = false;
	g->born_ms = 0;
	memset(g->cells, 0, t->catalogue->groups[t->family].cells * sizeof(*g->cells));
}

/* Whether it was idle for long; a configured one never is. */
static bool commit(struct group_table *t, struct group *g, uint64_t now_ns)
{
	bool used = has_counted(t, g);

	if (used)
		g->used_ns = now_ns;
	if (used || g->is_configured)
		g->is_shown = true;
	group_cells_commit(t->catalogue, t->family, g->cells, g->poll);
	group_cells_settle(t->catalogue, t->family, g->poll);
	return !g->is_configured && g->is_shown && now_ns - g->used_ns > t->idle_ns;
}

static void commit_port(struct group_table *t, uint32_t index, uint64_t now_ns)
{
	struct group *g = t->items[index];

	if (!g->is_folded && !commit(t, g, now_ns))
		return;
	if (g->is_folded || g->parts > 0 || index < GROUP_SHARED)
		hide(t, g);
	else
		group_table_remove(t, index);
}

void group_table_commit(struct group_table *t, uint64_t now_ns)
{
	fold_beyond_budget(t);
	for (uint32_t i = t->parts.count; i-- > 0;)
		if (commit(t, t->parts.items[i], now_ns))
			group_parts_remove(t, i);
	for (uint32_t i = t->count; i-- > 0;)
		commit_port(t, i, now_ns);
	group_parts_route(t);
	group_table_count_own(t);
	t->folds = t->poll_folds;
}
