/* SPDX-License-Identifier: Apache-2.0 */
/* What is folded into "other" when limits.series leaves no room. */
#include <stdio.h>
#include <string.h>

#include "daemon/core/group.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"
#include "tests/unit/core/group_lane.h"

TEST_SUITE(group_commit);

#define SERVERS(label) groups_sockets(&g, GROUP_SERVER, label)
#define CLIENTS(label) groups_sockets(&g, GROUP_CLIENT, label)

/* A poll with room for all, then one with room for BUDGET groups; LEFT has a label then. */
static const struct fold_case {
	const char *name;
	uint32_t budget;
	struct group_row before[4], after[6];
	struct group_row left[6];
	uint32_t folds;
} fold_cases[] = {
	{"room for all", 2, {{0}}, {SERVER(1, 1), CLIENT(2, 1)}, {SERVER(1, 1), CLIENT(2, 1)}, 0},
	{"clients first",
	 2,
	 {SERVER(1, 1), SERVER(2, 1), CLIENT(3, 9)},
	 {SERVER(1, 1), SERVER(2, 1), CLIENT(3, 9)},
	 {SERVER(1, 1), SERVER(2, 1)},
	 1},
	{"then servers",
	 1,
	 {SERVER(1, 1), SERVER(2, 2), CLIENT(3, 9)},
	 {SERVER(1, 1), SERVER(2, 2), CLIENT(3, 9)},
	 {SERVER(2, 2)},
	 2},
	{"the quietest first",
	 2,
	 {CLIENT(1, 1), CLIENT(2, 1), CLIENT(3, 1), CLIENT(4, 1)},
	 {CLIENT(1, 2), CLIENT(2, 9), CLIENT(3, 1), CLIENT(4, 3)},
	 {CLIENT(2, 9), CLIENT(4, 3)},
	 2},
	{"new before old",
	 2,
	 {CLIENT(1, 1), CLIENT(2, 1)},
	 {CLIENT(3, 9), CLIENT(1, 1), CLIENT(2, 1)},
	 {CLIENT(1, 1), CLIENT(2, 1)},
	 1},
	{"a server takes a client's place",
	 2,
	 {CLIENT(1, 1), CLIENT(2, 2)},
	 {CLIENT(1, 1), CLIENT(2, 2), SERVER(3, 1)},
	 {CLIENT(2, 2), SERVER(3, 1)},
	 1},
	{"also within a poll",
	 2,
	 {{0}},
	 {CLIENT(1, 1), CLIENT(2, 2), SERVER(3, 1), SERVER(4, 1)},
	 {SERVER(3, 1), SERVER(4, 1)},
	 2},
	{"new before old also where it is louder",
	 3,
	 {CLIENT(1, 1)},
	 {CLIENT(2, 9), CLIENT(1, 1), SERVER(3, 1), SERVER(4, 1)},
	 {CLIENT(1, 1), SERVER(3, 1), SERVER(4, 1)},
	 1},
	{"no room at all", 0, {SERVER(1, 1)}, {SERVER(1, 1), CLIENT(2, 1)}, {{0}}, 2},
};

static size_t rows_of(const struct group_row *rows, size_t max)
{
	size_t count = 0;

	while (count < max && rows[count].port)
		count++;
	return count;
}

static uint64_t sum_of(const struct group_row *rows, size_t count, enum group_side side)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += rows[i].side == side ? rows[i].sockets : 0;
	return sum;
}

static uint64_t all_of(const struct group_lane *g, enum group_side side)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < g->groups.count; i++) {
		const struct group *group = g->groups.items[i];

		if (group->is_shown && group->side == side)
			sum += *core_cells(g->groups.catalogue, group->cells,
					   "sockstat_tcp_sockets");
	}
	return sum;
}

Test(group_commit, order)
{
	for (size_t i = 0; i < ARRAY_SIZE(fold_cases); i++) {
		const struct fold_case *c = &fold_cases[i];
		size_t after = rows_of(c->after, ARRAY_SIZE(c->after));
		size_t left = rows_of(c->left, ARRAY_SIZE(c->left));
		struct group_lane g;
		char label[16];

		groups_init(&g, 10);
		groups_poll(&g, c->before, rows_of(c->before, ARRAY_SIZE(c->before)));
		g.budget = c->budget;
		groups_poll(&g, c->after, after);
		for (size_t j = 0; j < left; j++) {
			snprintf(label, sizeof(label), "%u", c->left[j].port);
			cr_assert_eq(groups_sockets(&g, c->left[j].side, label), c->left[j].sockets,
				     "%s: %s", c->name, label);
		}
		cr_assert_eq(g.groups.count, GROUP_SHARED + left, "%s", c->name);
		cr_assert_eq(g.groups.folds.by_series, c->folds, "%s", c->name);
		for (unsigned int side = 0; side < GROUP_SIDE_END; side++)
			cr_assert_eq(all_of(&g, side), sum_of(c->after, after, side), "%s",
				     c->name);
		groups_done(&g);
	}
}

/* "other" gets what the poll has shown of it, not its history: a counter would leap. */
Test(group_commit, histogram)
{
	struct group_lane g;

	groups_init(&g, 10);
	GROUPS_POLL(&g, CLIENT(1, 5));
	g.budget = 0;
	GROUPS_POLL(&g, CLIENT(1, 2));
	cr_assert_eq(groups_observations(&g, GROUP_CLIENT, "other"), 2);
	g.budget = 1;
	GROUPS_POLL(&g, CLIENT(1, 3));
	cr_assert_eq(groups_observations(&g, GROUP_CLIENT, "1"), 3, "back, it starts at 0");
	cr_assert_eq(groups_observations(&g, GROUP_CLIENT, "other"), 2);
	groups_done(&g);
}

/* Nothing is folded by a poll that fails. */
Test(group_commit, failed_poll)
{
	struct group_lane g;

	groups_init(&g, 10);
	GROUPS_POLL(&g, CLIENT(1, 5));
	g.budget = 0;
	GROUPS_FAIL(&g, CLIENT(1, 5), CLIENT(2, 5));
	cr_assert_eq(CLIENTS("1"), 5);
	cr_assert_eq(g.groups.folds.by_series, 0);
	g.budget = 10;
	GROUPS_POLL(&g, CLIENT(1, 5), CLIENT(2, 5));
	cr_assert_eq(CLIENTS("2"), 5);
	cr_assert_eq(CLIENTS("other"), GROUPS_NONE);
	groups_done(&g);
}

/* Configured ports are folded last of their side, and have their label again as soon as there is
 * room, with a socket or without. */
Test(group_commit, configured)
{
	static const uint16_t ports[] = {1};
	struct group_lane g;

	groups_init(&g, 10);
	g.settings.configured[GROUP_SERVER] = ports;
	g.settings.configured_count[GROUP_SERVER] = ARRAY_SIZE(ports);
	groups_configure(&g);
	GROUPS_POLL(&g, SERVER(2, 9), SERVER(1, 1));
	g.budget = 1;
	GROUPS_POLL(&g, SERVER(2, 9), SERVER(1, 1));
	cr_assert_eq(SERVERS("1"), 1);
	cr_assert_eq(SERVERS("other"), 9);
	for (int i = 0; i < 2; i++) {
		g.budget = 0;
		GROUPS_POLL(&g, SERVER(2, 9), SERVER(1, 1));
		cr_assert_eq(SERVERS("1"), GROUPS_NONE);
		cr_assert_eq(SERVERS("other"), 10);
	}
	g.budget = 1;
	GROUPS_POLL(&g, SERVER(2, 9));
	cr_assert_eq(SERVERS("1"), 0);
	cr_assert_eq(groups_observations(&g, GROUP_SERVER, "1"), 0);
	cr_assert_eq(g.groups.own[GROUP_SERVER], 1);
	groups_done(&g);
}

Test(group_commit, configured_until_a_reload)
{
	static const uint16_t ports[] = {1};
	struct group_lane g;

	groups_init(&g, 10);
	g.settings.configured[GROUP_SERVER] = ports;
	g.settings.configured_count[GROUP_SERVER] = ARRAY_SIZE(ports);
	groups_configure(&g);
	g.budget = 0;
	GROUPS_POLL(&g, SERVER(1, 1));
	g.settings.configured_count[GROUP_SERVER] = 0;
	groups_configure(&g);
	g.budget = 2;
	GROUPS_POLL(&g, SERVER(2, 9), SERVER(3, 9));
	cr_assert_eq(g.groups.count, GROUP_SHARED + 2);
	cr_assert_eq(SERVERS("2") + SERVERS("3"), 18);
	groups_done(&g);
}

struct random_run {
	struct group_lane g;
	uint64_t random;
	struct group_row rows[64];
	size_t count;
	uint16_t ports[8];
	bool has_reloaded;
	/* The histograms at the last look, by side and port label. */
	struct {
		enum group_side side;
		char label[16];
		uint64_t observations;
	} before[128];
	size_t before_count;
};

static void make_rows(struct random_run *r)
{
	r->count = core_random(&r->random, ARRAY_SIZE(r->rows));
	for (size_t i = 0; i < r->count; i++) {
		struct group_row *row = &r->rows[i];

		row->side = core_random(&r->random, GROUP_SIDE_END);
		row->port = (uint16_t)(1 + core_random(&r->random, 40));
		if (core_random(&r->random, 8) == 0)
			row->port += 40000;
		row->sockets = core_random(&r->random, 5) + 1;
	}
}

static void shuffle(struct random_run *r)
{
	for (size_t i = r->count; i > 1; i--) {
		size_t j = core_random(&r->random, (uint32_t)i);
		struct group_row row = r->rows[j];

		r->rows[j] = r->rows[i - 1];
		r->rows[i - 1] = row;
	}
}

static void remember(struct random_run *r)
{
	r->before_count = 0;
	for (uint32_t i = 0; i < r->g.groups.count; i++) {
		const struct group *group = r->g.groups.items[i];

		if (!group->is_shown)
			continue;
		r->before[r->before_count].side = group->side;
		group_port_label(group, r->before[r->before_count].label);
		r->before[r->before_count].observations =
			groups_observations(&r->g, group->side, r->before[r->before_count].label);
		r->before_count++;
	}
}

/* A label that leaves, by idleness or by folding, may come back at 0; one that stays never falls.
 */
static void assert_histograms(const struct random_run *r, int step)
{
	for (size_t i = 0; i < r->before_count; i++) {
		uint64_t now = groups_observations(&r->g, r->before[i].side, r->before[i].label);

		cr_assert_geq(now, r->before[i].observations, "step %d: %s", step,
			      r->before[i].label);
	}
}

static void assert_sums(const struct random_run *r, int step)
{
	const struct group_table *t = &r->g.groups;
	uint32_t own = t->own[GROUP_SERVER] + t->own[GROUP_CLIENT];
	uint32_t folded = 0;

	for (uint32_t i = 0; i < t->count; i++)
		folded += t->items[i]->is_folded;
	cr_assert_leq(own, r->g.budget, "step %d", step);
	cr_assert_eq(t->count, GROUP_SHARED + own + folded, "step %d", step);
	for (unsigned int side = 0; side < GROUP_SIDE_END; side++) {
		cr_assert(r->has_reloaded || t->given[side] <= t->port_limit, "step %d", step);
		cr_assert_eq(all_of(&r->g, side), sum_of(r->rows, r->count, side), "step %d", step);
	}
}

/* Other ports are configured, and as often as not the reload fails elsewhere. */
static void reload(struct random_run *r)
{
	struct group_settings *s = &r->g.settings;

	r->has_reloaded = true;
	for (size_t i = 0; i < ARRAY_SIZE(r->ports); i++)
		r->ports[i] = (uint16_t)(1 + core_random(&r->random, 40));
	for (unsigned int side = 0; side < GROUP_SIDE_END; side++) {
		s->configured[side] = r->ports;
		s->configured_count[side] = core_random(&r->random, ARRAY_SIZE(r->ports));
	}
	cr_assert_eq(group_table_prepare(&r->g.groups, s), 0);
	if (core_random(&r->random, 2))
		group_table_apply(&r->g.groups, s);
	else
		group_table_discard(&r->g.groups);
}

static void run(struct random_run *r, uint64_t seed, bool reloads)
{
	*r = (struct random_run){.random = seed};
	groups_init(&r->g, core_random(&r->random, 30));
	for (int step = 0; step < 200; step++) {
		r->g.budget = core_random(&r->random, 60);
		make_rows(r);
		remember(r);
		if (core_random(&r->random, 4) == 0) {
			groups_fail(&r->g, r->rows, r->count);
		} else {
			groups_poll(&r->g, r->rows, r->count);
			assert_sums(r, step);
		}
		assert_histograms(r, step);
		if (reloads && core_random(&r->random, 4) == 0)
			reload(r);
		r->g.lane.now_ns += core_random(&r->random, 2) * GROUPS_IDLE_NS / 3;
	}
	groups_done(&r->g);
}

/* Whatever the limits: nothing is lost or counted twice, and the limits hold. */
Test(group_commit, random)
{
	static struct random_run r;

	for (uint64_t seed = 1; seed <= 10; seed++)
		run(&r, seed, false);
}

Test(group_commit, random_with_reloads)
{
	static struct random_run r;

	for (uint64_t seed = 1; seed <= 10; seed++)
		run(&r, seed, true);
}

static bool is_same(const struct group_lane *a, const struct group_lane *b, enum group_side side,
		    const char *label)
{
	return groups_sockets(a, side, label) == groups_sockets(b, side, label) &&
	       groups_observations(a, side, label) == groups_observations(b, side, label);
}

/* While there is room the order of rows does not matter at all; when there is not, it does for who
 * has a label, and not for the sum (above). */
Test(group_commit, order_of_rows)
{
	static struct random_run r;
	struct group_lane shuffled;
	char label[16];

	r = (struct random_run){.random = 1};
	groups_init(&r.g, 1000);
	groups_init(&shuffled, 1000);
	for (int step = 0; step < 200; step++) {
		make_rows(&r);
		groups_poll(&r.g, r.rows, r.count);
		shuffle(&r);
		groups_poll(&shuffled, r.rows, r.count);
		cr_assert_eq(groups_shown(&r.g), groups_shown(&shuffled), "step %d", step);
		for (uint32_t i = 0; i < r.g.groups.count; i++) {
			const struct group *group = r.g.groups.items[i];

			group_port_label(group, label);
			cr_assert(is_same(&r.g, &shuffled, group->side, label), "step %d: %s", step,
				  label);
		}
	}
	groups_done(&shuffled);
	groups_done(&r.g);
}
