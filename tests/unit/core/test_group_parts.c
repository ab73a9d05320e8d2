/* SPDX-License-Identifier: Apache-2.0 */
/* Views and peers: what has a group of its own, and what is folded into which. */
#include <stdio.h>
#include <string.h>

#include "daemon/core/group.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"
#include "tests/unit/core/group_lane.h"

TEST_SUITE(group_parts);

#define NAMES(...) ((const char *[]){__VA_ARGS__, NULL})
#define PART(side, port, sockets, view, peer) \
	{                                     \
		GROUP_##side, port, sockets,  \
		{                             \
			view, peer            \
		}                             \
	}
#define SERVERS(label, view, peer) \
	groups_part_sockets(&g, GROUP_SERVER, label, (struct sock_class){view, peer})

static void init(struct group_lane *g, struct catalogue **ret_catalogue)
{
	groups_init(g, 10);
	*ret_catalogue = core_catalogue_with_names(true, NAMES("a", "b", "c"), NAMES("x", "y"));
	g->settings.catalogue = *ret_catalogue;
	groups_configure(g);
}

static void done(struct group_lane *g, struct catalogue *c)
{
	groups_done(g);
	catalogue_unref(c);
}

static void rename_to(struct group_lane *g, struct catalogue **catalogue, const char **views,
		      const char **peers)
{
	catalogue_unref(*catalogue);
	*catalogue = core_catalogue_with_names(true, views, peers);
	g->settings.catalogue = *catalogue;
	groups_configure(g);
}

Test(group_parts, groups_of_their_own)
{
	struct group_lane g;
	struct catalogue *c;

	init(&g, &c);
	GROUPS_POLL(&g, PART(SERVER, 80, 3, 1, 0), PART(SERVER, 80, 4, 1, 2),
		    PART(SERVER, 80, 5, 0, 1), PART(SERVER, 40000, 6, 2, 0));
	cr_assert_eq(SERVERS("80", 1, 0), 3);
	cr_assert_eq(SERVERS("80", 1, 2), 4);
	cr_assert_eq(SERVERS("80", 0, 1), 5);
	cr_assert_eq(SERVERS("ephemeral", 2, 0), 6);
	cr_assert_eq(groups_shown(&g), 4, "a port whose sockets are all in parts has none itself");
	cr_assert_eq(group_table_labels(&g.groups), 4);
	cr_assert_eq(groups_find_part(&g, GROUP_SERVER, "80", (struct sock_class){1, 2})->born_ms,
		     lane_realtime_ms(&g.lane));
	GROUPS_POLL(&g, PART(SERVER, 80, 1, 0, 0), PART(SERVER, 80, 1, 1, 2));
	cr_assert_eq(SERVERS("80", 0, 0), 1);
	cr_assert_eq(SERVERS("80", 1, 0), 0, "zero beats absent");
	cr_assert_eq(group_table_labels(&g.groups), 5);
	done(&g, c);
}

/* A part leaves when it was idle for long, and its port behind the last of them. */
Test(group_parts, idle)
{
	struct group_lane g;
	struct catalogue *c;

	init(&g, &c);
	GROUPS_POLL(&g, PART(SERVER, 80, 1, 1, 0), PART(SERVER, 80, 1, 2, 0));
	g.lane.now_ns += GROUPS_IDLE_NS / 2;
	GROUPS_POLL(&g, PART(SERVER, 80, 1, 1, 0));
	g.lane.now_ns += GROUPS_IDLE_NS / 2;
	GROUPS_POLL_NONE(&g);
	cr_assert_eq(SERVERS("80", 1, 0), 0);
	cr_assert_eq(SERVERS("80", 2, 0), GROUPS_NONE);
	g.lane.now_ns += GROUPS_IDLE_NS / 2;
	GROUPS_POLL_NONE(&g);
	cr_assert_eq(groups_shown(&g), 0);
	GROUPS_POLL_NONE(&g);
	cr_assert_eq(group_table_count(&g.groups), GROUP_SHARED);
	done(&g, c);
}

/* The port's own group was idle, and its part not: when sockets come back, it starts at 0. */
Test(group_parts, of_an_idle_port)
{
	struct group_lane g;
	struct catalogue *c;

	init(&g, &c);
	GROUPS_POLL(&g, PART(SERVER, 80, 7, 0, 0), PART(SERVER, 80, 1, 1, 0));
	g.lane.now_ns += GROUPS_IDLE_NS;
	GROUPS_POLL(&g, PART(SERVER, 80, 1, 1, 0));
	cr_assert_eq(SERVERS("80", 0, 0), GROUPS_NONE);
	cr_assert_eq(SERVERS("80", 1, 0), 1);
	GROUPS_POLL(&g, PART(SERVER, 80, 2, 0, 0), PART(SERVER, 80, 1, 1, 0));
	cr_assert_eq(groups_observations(&g, GROUP_SERVER, "80"), 2);
	done(&g, c);
}

/* A poll that failed leaves no parts. */
Test(group_parts, failed_poll)
{
	struct group_lane g;
	struct catalogue *c;

	init(&g, &c);
	GROUPS_FAIL(&g, PART(SERVER, 80, 1, 1, 0), PART(SERVER, 81, 1, 1, 1));
	GROUPS_POLL(&g, PART(SERVER, 80, 2, 1, 0));
	cr_assert_eq(SERVERS("80", 1, 0), 2);
	cr_assert_eq(group_table_count(&g.groups), GROUP_SHARED + 2);
	done(&g, c);
}

/* A poll with room for all, then one with room for BUDGET groups; LEFT is what then has sockets. */
static const struct fold_case {
	const char *name;
	uint32_t budget;
	struct group_row before[5], after[6], left[5];
	uint32_t folds;
} fold_cases[] = {
	{"a peer into its view",
	 2,
	 {{0}},
	 {PART(SERVER, 80, 1, 1, 0), PART(SERVER, 80, 2, 1, 1), PART(SERVER, 80, 9, 0, 0)},
	 {PART(SERVER, 80, 3, 1, 0), PART(SERVER, 80, 9, 0, 0)},
	 1},
	{"a peer of no view into its port",
	 1,
	 {{0}},
	 {PART(SERVER, 80, 2, 0, 1), PART(SERVER, 80, 9, 0, 0)},
	 {PART(SERVER, 80, 11, 0, 0)},
	 1},
	{"peers of a view that has no group yet",
	 1,
	 {PART(SERVER, 80, 2, 1, 1), PART(SERVER, 80, 3, 1, 2)},
	 {PART(SERVER, 80, 2, 1, 1), PART(SERVER, 80, 3, 1, 2)},
	 {PART(SERVER, 80, 5, 1, 0)},
	 2},
	{"peers before views",
	 3,
	 {{0}},
	 {PART(SERVER, 80, 9, 1, 1), PART(SERVER, 80, 1, 2, 0), PART(SERVER, 80, 1, 1, 0),
	  PART(SERVER, 81, 1, 0, 0)},
	 {PART(SERVER, 80, 1, 2, 0), PART(SERVER, 80, 10, 1, 0), PART(SERVER, 81, 1, 0, 0)},
	 1},
	{"views before clients",
	 2,
	 {{0}},
	 {PART(SERVER, 80, 9, 1, 0), PART(CLIENT, 443, 1, 0, 0), PART(SERVER, 80, 1, 0, 0)},
	 {PART(SERVER, 80, 10, 0, 0), PART(CLIENT, 443, 1, 0, 0)},
	 1},
	{"the quietest view first",
	 2,
	 {PART(SERVER, 80, 1, 1, 0), PART(SERVER, 80, 1, 2, 0), PART(SERVER, 80, 1, 3, 0)},
	 {PART(SERVER, 80, 5, 1, 0), PART(SERVER, 80, 4, 2, 0), PART(SERVER, 80, 6, 3, 0)},
	 {PART(SERVER, 80, 6, 3, 0), PART(SERVER, 80, 9, 0, 0)},
	 2},
	{"a port takes a view's place",
	 2,
	 {PART(SERVER, 80, 1, 1, 0), PART(SERVER, 80, 2, 2, 0)},
	 {PART(SERVER, 80, 1, 1, 0), PART(SERVER, 80, 2, 2, 0), PART(CLIENT, 443, 1, 0, 0)},
	 {PART(SERVER, 80, 3, 0, 0), PART(CLIENT, 443, 1, 0, 0)},
	 2},
	{"all in a port that is folded itself",
	 0,
	 {PART(SERVER, 80, 1, 1, 1), PART(SERVER, 80, 2, 2, 0)},
	 {PART(SERVER, 80, 1, 1, 1), PART(SERVER, 80, 2, 2, 0)},
	 {PART(SERVER, 0, 3, 0, 0)},
	 4},
};

static size_t rows_of(const struct group_row *rows, size_t max)
{
	size_t count = 0;

	while (count < max && rows[count].sockets)
		count++;
	return count;
}

Test(group_parts, order)
{
	for (size_t i = 0; i < ARRAY_SIZE(fold_cases); i++) {
		const struct fold_case *c = &fold_cases[i];
		struct group_lane g;
		struct catalogue *catalogue;
		char label[16];

		init(&g, &catalogue);
		groups_poll(&g, c->before, rows_of(c->before, ARRAY_SIZE(c->before)));
		g.budget = c->budget;
		groups_poll(&g, c->after, rows_of(c->after, ARRAY_SIZE(c->after)));
		for (size_t j = 0; j < rows_of(c->left, ARRAY_SIZE(c->left)); j++) {
			const struct group_row *left = &c->left[j];

			snprintf(label, sizeof(label), "%u", left->port);
			cr_assert_eq(groups_part_sockets(&g, left->side,
							 left->port ? label : "other", left->class),
				     left->sockets, "%s: %zu", c->name, j);
		}
		cr_assert_leq(group_table_labels(&g.groups), c->budget, "%s", c->name);
		cr_assert_eq(g.groups.folds.by_series, c->folds, "%s: %u", c->name,
			     g.groups.folds.by_series);
		done(&g, catalogue);
	}
}

/* Of a view that is gone the series go; what others counted stays, and nothing comes to them but
 * what came since the last poll. */
Test(group_parts, renamed)
{
	struct group_lane g;
	struct catalogue *c;
	unsigned int closed;
	struct group *part;

	init(&g, &c);
	GROUPS_POLL(&g, PART(SERVER, 80, 1, 1, 0), PART(SERVER, 80, 2, 2, 1),
		    PART(SERVER, 80, 3, 2, 2), PART(SERVER, 80, 4, 0, 0));
	closed = c->cell[core_metric("sockstat_tcp_connections_closed_total")];
	part = group_table_get(&g.groups, GROUP_SERVER, 80, (struct sock_class){1, 0},
			       &g.lane.table);
	part->poll[closed] = 7;
	rename_to(&g, &c, NAMES("new", "b"), NAMES("y"));
	cr_assert_eq(groups_shown(&g), 2);
	cr_assert_eq(SERVERS("80", 2, 1), 3, "b and y");
	GROUPS_POLL(&g, PART(SERVER, 80, 5, 2, 1), PART(SERVER, 80, 4, 0, 0));
	cr_assert_eq(SERVERS("80", 2, 1), 5);
	cr_assert_eq(*core_cells(c, groups_find(&g, GROUP_SERVER, "80")->cells,
				 "sockstat_tcp_connections_closed_total"),
		     7);
	rename_to(&g, &c, NULL, NULL);
	cr_assert_eq(groups_shown(&g), 1);
	done(&g, c);
}

/* More classes than are told apart: each socket counts once, and memory is bounded. */
Test(group_parts, without_room)
{
	struct group_lane g;
	struct catalogue *c;

	init(&g, &c);
	g.budget = 0;
	group_table_begin(&g.groups, g.budget, lane_realtime_ms(&g.lane));
	for (uint16_t view = 1; view <= CLASS_VIEWS_MAX; view++)
		for (unsigned int peer = 0; peer <= CLASS_PEERS_MAX; peer++)
			group_table_get(&g.groups, GROUP_SERVER, 80,
					(struct sock_class){view, (uint8_t)peer}, &g.lane.table)
				->poll_sockets++;
	cr_assert_eq(g.groups.parts.count, 0);
	cr_assert_eq(g.groups.parts.route_count, 65536);
	group_table_commit(&g.groups, g.lane.now_ns);
	cr_assert_eq(g.groups.folds.by_series, 65536 + 1, "and the port");
	cr_assert_eq(groups_find(&g, GROUP_SERVER, "other")->poll_sockets,
		     CLASS_VIEWS_MAX * (CLASS_PEERS_MAX + 1));
	done(&g, c);
}

struct random_run {
	struct group_lane g;
	struct catalogue *catalogue;
	uint64_t random;
	struct group_row rows[64];
	size_t count;
};

static void make_rows(struct random_run *r)
{
	r->count = core_random(&r->random, ARRAY_SIZE(r->rows));
	for (size_t i = 0; i < r->count; i++) {
		struct group_row *row = &r->rows[i];

		row->side = core_random(&r->random, GROUP_SIDE_END);
		row->port = (uint16_t)(1 + core_random(&r->random, 6));
		if (core_random(&r->random, 8) == 0)
			row->port += 40000;
		row->sockets = core_random(&r->random, 5) + 1;
		row->class.view = (uint16_t)core_random(&r->random, 4);
		row->class.peer = (uint8_t)core_random(&r->random, 3);
	}
}

/* Folded or not: all sockets of a side are there, once, and no more groups than there is room for.
 */
static void assert_sums(const struct random_run *r, int step)
{
	const struct group_table *t = &r->g.groups;
	uint64_t expected[GROUP_SIDE_END] = {0}, found[GROUP_SIDE_END] = {0};
	uint32_t with_series = 0;

	for (size_t i = 0; i < r->count; i++)
		expected[r->rows[i].side] += r->rows[i].sockets;
	for (uint32_t i = 0; i < group_table_count(t); i++) {
		const struct group *group = group_table_at(t, i);

		if (!group->is_shown)
			continue;
		with_series += i >= GROUP_SHARED;
		found[group->side] +=
			*core_cells(t->catalogue, group->cells, "sockstat_tcp_sockets");
	}
	cr_assert_eq(with_series, group_table_labels(t), "step %d", step);
	cr_assert_leq(with_series, r->g.budget, "step %d", step);
	for (unsigned int side = 0; side < GROUP_SIDE_END; side++)
		cr_assert_eq(found[side], expected[side], "step %d: side %u", step, side);
}

static void rename_at_random(struct random_run *r)
{
	static const char *all[] = {"a", "b", "c", "d", "e"};
	const char *views[4] = {all[core_random(&r->random, 5)], NULL};
	const char *peers[3] = {all[core_random(&r->random, 3)],
				all[3 + core_random(&r->random, 2)]};

	for (unsigned int i = 1; i < 3; i++) {
		const char *name = all[core_random(&r->random, 5)];

		if (strcmp(name, views[0]) != 0 && (i == 1 || strcmp(name, views[1]) != 0))
			views[i] = name;
		else
			break;
	}
	rename_to(&r->g, &r->catalogue, views, peers);
}

/* Only classes that have names. */
static void clamp_rows(struct random_run *r)
{
	const char *const *views = r->catalogue->names.views;
	uint16_t count = 0;

	while (views[count])
		count++;
	for (size_t i = 0; i < r->count; i++)
		r->rows[i].class.view %= count + 1;
}

Test(group_parts, random)
{
	static struct random_run r;

	for (uint64_t seed = 1; seed <= 20; seed++) {
		r = (struct random_run){.random = seed};
		init(&r.g, &r.catalogue);
		for (int step = 0; step < 200; step++) {
			r.g.budget = core_random(&r.random, 40);
			make_rows(&r);
			clamp_rows(&r);
			if (core_random(&r.random, 4) == 0) {
				groups_fail(&r.g, r.rows, r.count);
			} else {
				groups_poll(&r.g, r.rows, r.count);
				assert_sums(&r, step);
			}
			if (core_random(&r.random, 6) == 0)
				rename_at_random(&r);
			r.g.lane.now_ns += core_random(&r.random, 2) * GROUPS_IDLE_NS / 3;
		}
		done(&r.g, r.catalogue);
	}
}
