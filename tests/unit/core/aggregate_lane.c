/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/core/aggregate_lane.h"

#include <string.h>

#include "daemon/core/listener_dump.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"

void aggregates_init(struct aggregate_lane *a)
{
	*a = (struct aggregate_lane){0};
	lane_init(&a->lane, 10);
	a->settings = (struct group_settings){
		.catalogue = a->lane.catalogue,
		.ports = 64,
		.idle_ns = AGGREGATES_IDLE_NS,
	};
	cr_assert_eq(aggregate_init(&a->aggregate, &a->settings, 1), 0);
}

void aggregates_done(struct aggregate_lane *a)
{
	aggregate_done(&a->aggregate);
	lane_done(&a->lane);
}

void aggregates_begin(struct aggregate_lane *a)
{
	a->lane.now_ns += AGGREGATES_INTERVAL_NS;
	listener_dump_begin(&a->lane.table);
	aggregate_begin(&a->aggregate, &(struct aggregate_poll){1000, a->lane.now_ns, true, 0});
}

void aggregates_add(struct aggregate_lane *a, const struct test_record *row)
{
	cr_assert_eq(aggregate_add(&a->aggregate, &a->lane.table, &row->record), 0);
}

void aggregates_add_row(struct aggregate_lane *a, unsigned int state, const char *local,
			const char *remote)
{
	struct test_record r;

	test_record_init(&r, state, local, remote);
	aggregates_add(a, &r);
}

void aggregates_commit(struct aggregate_lane *a)
{
	aggregate_commit(&a->aggregate, &a->lane.table, a->lane.now_ns);
	listener_dump_commit(&a->lane.table, false);
}

static const struct group *find(const struct aggregate_lane *a, enum group_side side,
				const char *port)
{
	const struct group_table *t = &a->aggregate.groups;

	for (uint32_t i = 0; i < group_table_count(t); i++) {
		const struct group *g = group_table_at(t, i);
		char label[16];

		group_port_label(g, label);
		if (g->is_shown && g->side == side && strcmp(label, port) == 0)
			return g;
	}
	return NULL;
}

uint64_t aggregates_value(const struct aggregate_lane *a, enum group_side side, const char *port,
			  const char *family, unsigned int index)
{
	const struct group *g = find(a, side, port);

	return g ? core_cells(a->aggregate.groups.catalogue, g->cells, family)[index]
		 : AGGREGATES_NONE;
}

uint64_t aggregates_sockets(const struct aggregate_lane *a, enum group_side side, const char *port,
			    unsigned int state)
{
	return aggregates_value(a, side, port, "sockstat_tcp_sockets", state - SOCK_ESTABLISHED);
}

uint64_t aggregates_observations(const struct aggregate_lane *a, enum group_side side,
				 const char *port, const char *family)
{
	const struct group *g = find(a, side, port);

	return g ? core_observations(a->aggregate.groups.catalogue, g->cells, family)
		 : AGGREGATES_NONE;
}
