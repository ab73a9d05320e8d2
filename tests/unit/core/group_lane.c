/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/core/group_lane.h"

#include <string.h>

#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"

#define RTT "sockstat_tcp_rtt_seconds"

void groups_init(struct group_lane *g, uint32_t ports)
{
	*g = (struct group_lane){.budget = 1000};
	lane_init(&g->lane, 10);
	g->settings = (struct group_settings){
		.catalogue = g->lane.catalogue,
		.ports = ports,
		.idle_ns = GROUPS_IDLE_NS,
	};
	cr_assert_eq(group_table_init(&g->groups, &g->settings), 0);
}

void groups_done(struct group_lane *g)
{
	group_table_done(&g->groups);
	lane_done(&g->lane);
}

void groups_configure(struct group_lane *g)
{
	cr_assert_eq(group_table_configure(&g->groups, &g->settings), 0);
}

void groups_fail(struct group_lane *g, const struct group_row *rows, size_t count)
{
	const struct catalogue *c = g->groups.catalogue;
	unsigned int rtt = core_metric(RTT);

	g->lane.now_ns += GROUPS_INTERVAL_NS;
	group_table_begin(&g->groups, g->budget, lane_realtime_ms(&g->lane));
	for (size_t i = 0; i < count; i++) {
		struct group *group = group_table_get(&g->groups, rows[i].side, rows[i].port,
						      rows[i].class, &g->lane.table);

		cr_assert(group);
		group->poll_sockets += rows[i].sockets;
		group->poll[c->cell[core_metric("sockstat_tcp_sockets")]] += rows[i].sockets;
		for (uint32_t j = 0; j < rows[i].sockets; j++)
			histogram_observe(group->poll + c->cell[rtt], c->bounds[rtt], 1000);
	}
}

void groups_poll(struct group_lane *g, const struct group_row *rows, size_t count)
{
	groups_fail(g, rows, count);
	group_table_commit(&g->groups, g->lane.now_ns);
}

const struct group *groups_find_part(const struct group_lane *g, enum group_side side,
				     const char *label, struct sock_class class)
{
	const struct group *found = NULL;

	for (uint32_t i = 0; i < group_table_count(&g->groups); i++) {
		const struct group *group = group_table_at(&g->groups, i);
		char text[16];

		group_port_label(group, text);
		if (!group->is_shown || group->side != side || strcmp(text, label) != 0 ||
		    group->class.view != class.view || group->class.peer != class.peer)
			continue;
		cr_assert_null(found, "two groups %s %s", group_side_name(side), label);
		found = group;
	}
	return found;
}

const struct group *groups_find(const struct group_lane *g, enum group_side side, const char *label)
{
	return groups_find_part(g, side, label, CLASS_OTHER);
}

static uint64_t sockets_of(const struct group_lane *g, const struct group *group)
{
	return group ? *core_cells(g->groups.catalogue, group->cells, "sockstat_tcp_sockets")
		     : GROUPS_NONE;
}

uint64_t groups_sockets(const struct group_lane *g, enum group_side side, const char *label)
{
	return sockets_of(g, groups_find(g, side, label));
}

uint64_t groups_part_sockets(const struct group_lane *g, enum group_side side, const char *label,
			     struct sock_class class)
{
	return sockets_of(g, groups_find_part(g, side, label, class));
}

uint64_t groups_observations(const struct group_lane *g, enum group_side side, const char *label)
{
	const struct group *group = groups_find(g, side, label);

	return group ? core_observations(g->groups.catalogue, group->cells, RTT) : GROUPS_NONE;
}

uint32_t groups_shown(const struct group_lane *g)
{
	uint32_t shown = 0;

	for (uint32_t i = 0; i < group_table_count(&g->groups); i++)
		shown += group_table_at(&g->groups, i)->is_shown;
	return shown;
}
