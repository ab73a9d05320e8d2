/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/group_item.h"

#include <stdio.h>
#include <stdlib.h>

struct group *group_new(enum group_side side, enum group_kind kind, uint16_t port,
			unsigned int cells)
{
	struct group *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->side = (uint8_t)side;
	g->kind = (uint8_t)kind;
	g->port = port;
	g->poll = calloc(cells, sizeof(*g->poll));
	g->cells = calloc(cells, sizeof(*g->cells));
	if (!g->poll || !g->cells) {
		group_free(g);
		return NULL;
	}
	return g;
}

void group_free(struct group *g)
{
	if (!g)
		return;
	free(g->poll);
	free(g->cells);
	free(g->next_poll);
	free(g->next_cells);
	free(g);
}

enum group_rank group_rank(const struct group *g)
{
	if (!g->owner)
		return g->side == GROUP_SERVER ? GROUP_RANK_SERVER : GROUP_RANK_CLIENT;
	return g->class.peer ? GROUP_RANK_PEER : GROUP_RANK_VIEW;
}

void group_port_label(const struct group *g, char ret_label[16])
{
	static const char *const names[] = {
		[GROUP_EPHEMERAL] = "ephemeral",
		[GROUP_OTHER] = "other",
	};

	if (g->kind == GROUP_PORT)
		snprintf(ret_label, 16, "%u", g->port);
	else
		snprintf(ret_label, 16, "%s", names[g->kind]);
}

const char *group_side_name(unsigned int side)
{
	static const char *const names[GROUP_SIDE_END] = {"server", "client"};

	return names[side];
}
