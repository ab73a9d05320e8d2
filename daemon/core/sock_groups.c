/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/sock_groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void find_drops_metric(struct sock_groups *g)
{
	g->drops_metric = -1;
	for (unsigned int i = 0; i < metric_count; i++)
		if (g->groups.catalogue->on[i] && metrics[i].combine == METRIC_DROPS &&
		    metrics[i].family == g->groups.family)
			g->drops_metric = (int)i;
}

struct sock_groups *sock_groups_new(const struct group_settings *settings, uint64_t seed)
{
	struct sock_groups *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->plans.family = settings->family;
	sock_drops_init(&g->drops, seed);
	if (group_table_init(&g->groups, settings) < 0) {
		sock_groups_free(g);
		return NULL;
	}
	find_drops_metric(g);
	return g;
}

void sock_groups_free(struct sock_groups *g)
{
	if (!g)
		return;
	sock_drops_done(&g->drops);
	group_table_done(&g->groups);
	free(g);
}

void sock_groups_apply(struct sock_groups *g, const struct group_settings *settings)
{
	group_table_apply(&g->groups, settings);
	aggregate_plans_clear(&g->plans);
	find_drops_metric(g);
	/* When they are wanted again, what was dropped meanwhile is nobody's. */
	if (g->drops_metric < 0)
		sock_drops_begin(&g->drops, 0);
}

void sock_groups_start_over(struct sock_groups *g)
{
	g->drops.has_polled = false;
}

void sock_groups_begin(struct sock_groups *g, const struct sock_groups_walk *walk)
{
	g->is_from_procfs = walk->is_from_procfs;
	group_table_begin(&g->groups, walk->budget, walk->realtime_ms);
	sock_drops_begin(&g->drops, g->drops_metric < 0 ? 0 : walk->tracked);
	memset(&g->poll_present, 0, sizeof(g->poll_present));
}

static enum group_side find_side(const struct sock_groups *g, struct listener_table *listeners,
				 const struct sock_record *record)
{
	if (g->groups.family == POLL_FAMILY_UDP || record->state == SOCK_LISTEN ||
	    listener_table_match(listeners, record))
		return GROUP_SERVER;
	return GROUP_CLIENT;
}

static void add_drops(struct sock_groups *g, const struct sock_record *record, struct group *group)
{
	uint32_t growth;

	if (g->drops_metric < 0 || !sock_drops_observe(&g->drops, record, &growth))
		return;
	metric_set_add(&g->poll_present, (unsigned int)g->drops_metric);
	group->poll[g->groups.catalogue->cell[g->drops_metric]] += growth;
}

int sock_groups_add(struct sock_groups *g, struct listener_table *listeners,
		    const struct sock_record *record)
{
	enum group_side side = find_side(g, listeners, record);
	uint16_t port = side == GROUP_SERVER ? record->local_port : record->remote_port;
	struct sock_class class = g->classes ? classes_find(g->classes, record) : CLASS_OTHER;
	struct group *group = group_table_get(&g->groups, side, port, class, listeners);
	const struct aggregate_plan *plan;

	if (!group)
		return -ENOMEM;
	plan = aggregate_plans_get(&g->plans, g->groups.catalogue, record);
	group->poll_sockets++;
	metric_set_merge(&g->poll_present, &plan->present);
	aggregate_plan_run(plan, record, 1U << METRIC_WHEN_ANY, 0, group->poll);
	add_drops(g, record, group);
	return 0;
}

void sock_groups_commit(struct sock_groups *g, uint64_t now_ns, uint64_t taken_ns)
{
	g->taken_ns = taken_ns;
	sock_drops_commit(&g->drops);
	group_table_commit(&g->groups, now_ns);
	metric_set_merge(&g->present, &g->poll_present);
}
