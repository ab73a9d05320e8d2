/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a poll: what is beyond limits.series is folded, the rest is taken over, and what was
 * idle for long goes. */
#include <string.h>

#include "daemon/core/group_cells.h"
#include "daemon/core/group_internal.h"
#include "daemon/util/macros.h"

/* Whether A is to be folded before B. */
static bool is_quieter(const struct group *a, const struct group *b)
{
	if (a->is_configured != b->is_configured)
		return b->is_configured;
	if (a->is_shown != b->is_shown)
		return b->is_shown;
	return a->poll_sockets < b->poll_sockets;
}

/* The group of this side to fold next, 0 if there is none. */
static uint32_t quietest(const struct group_table *t, enum group_side side)
{
	uint32_t found = 0;

	for (uint32_t i = GROUP_SHARED; i < t->count; i++)
		if (t->items[i]->side == side && !t->items[i]->is_folded &&
		    (!found || is_quieter(t->items[i], t->items[found])))
			found = i;
	return found;
}

/* A configured one keeps its label for the polls that have room again. */
static void fold(struct group_table *t, uint32_t index)
{
	struct group *g = t->items[index];
	struct group *other = group_table_shared(t, g->side, GROUP_OTHER);

	group_cells_fold(t->catalogue, t->family, other->poll, g->poll);
	group_cells_settle(t->catalogue, t->family, g->poll);
	other->poll_sockets += g->poll_sockets;
	t->poll_folds.by_series++;
	if (!g->is_configured) {
		group_table_remove(t, index);
		return;
	}
	g->is_folded = true;
	t->own[g->side]--;
}

static void fold_beyond_budget(struct group_table *t)
{
	static const enum group_side order[] = {GROUP_CLIENT, GROUP_SERVER};

	for (unsigned int i = 0; i < ARRAY_SIZE(order); i++) {
		while (group_table_labels(t) > t->budget) {
			uint32_t index = quietest(t, order[i]);

			if (!index)
				break;
			fold(t, index);
		}
	}
}

/* A group that is not freed, like any other, starts at 0 when it comes back. */
static void hide(const struct group_table *t, struct group *g)
{
	g->is_shown = false;
	memset(g->cells, 0, t->catalogue->groups[t->family].cells * sizeof(*g->cells));
}

static void retire(struct group_table *t, uint32_t index)
{
	if (index >= GROUP_SHARED)
		group_table_remove(t, index);
	else
		hide(t, t->items[index]);
}

static void commit(struct group_table *t, uint32_t index, uint64_t now_ns)
{
	struct group *g = t->items[index];
	bool used =
		g->poll_sockets > 0 || group_cells_have_accrued(t->catalogue, t->family, g->poll);

	if (used)
		g->used_ns = now_ns;
	if (used || g->is_configured)
		g->is_shown = true;
	group_cells_commit(t->catalogue, t->family, g->cells, g->poll);
	group_cells_settle(t->catalogue, t->family, g->poll);
	if (!g->is_configured && g->is_shown && now_ns - g->used_ns > t->idle_ns)
		retire(t, index);
}

void group_table_commit(struct group_table *t, uint64_t now_ns)
{
	fold_beyond_budget(t);
	for (uint32_t i = t->count; i-- > 0;) {
		if (t->items[i]->is_folded)
			hide(t, t->items[i]);
		else
			commit(t, i, now_ns);
	}
	t->folds = t->poll_folds;
}
