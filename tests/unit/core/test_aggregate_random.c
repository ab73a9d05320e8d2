/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random rows, in polls of which some fail, given to three aggregates: as they are, in another
 * order, and with no room for any label. All three must say the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/aggregate.h"
#include "daemon/core/group_cells.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/aggregate_lane.h"
#include "tests/unit/core/core_fixture.h"

TEST_SUITE(aggregate_random);

#define ROWS  60
#define PORTS 12

struct run {
	struct aggregate_lane plain, shuffled, folded;
	struct test_record rows[ROWS];
	unsigned int order[ROWS];
	unsigned int count;
	uint64_t random;
};

static const char *const algorithms[] = {"cubic", "bbr", "reno"};

static void start(struct aggregate_lane *a, uint32_t ports)
{
	aggregates_init(a);
	a->settings.ports = ports;
	cr_assert_eq(aggregate_configure(&a->aggregate, &a->settings), 0);
	LANE_POLL(&a->lane, {"*:1", 1, 0, 7, 0}, {"10.0.0.1:2", 2, 0, 7, 0}, {"[::]:3", 3, 0, 7, 0},
		  {"*:40001", 4, 0, 7, 0});
}

/* Bytes at random, but for the ages, which are small. */
static void fill_tcp_info(struct run *r, struct test_record *row)
{
	static const unsigned int lens[] = {104, 160, 192, 232, 280};

	test_record_add_tcp_info(row, lens[core_random(&r->random, ARRAY_SIZE(lens))]);
	for (unsigned int i = 0; i < row->record.tcp_info_len; i += 4)
		test_record_set(row, i, 4, core_random(&r->random, UINT32_MAX));
	test_record_set(row, 1, 1, core_random(&r->random, 6));
	test_record_set(row, 44, 4, core_random(&r->random, 10000));
	test_record_set(row, 56, 4, core_random(&r->random, 10000));
	test_record_set(row, 68, 4, core_random(&r->random, 3) * 1000);
}

static void fill_attributes(struct run *r, struct test_record *row)
{
	if (core_random(&r->random, 4) == 0)
		return;
	fill_tcp_info(r, row);
	test_record_add_skmem(row, core_random(&r->random, 2) + 8);
	for (unsigned int i = 0; i < row->record.skmem_len / 4U; i++)
		row->skmem[i] = core_random(&r->random, UINT32_MAX);
	row->record.algorithm = algorithms[core_random(&r->random, ARRAY_SIZE(algorithms))];
}

static void write_end(struct run *r, bool is_v6, char text[32])
{
	unsigned int host = core_random(&r->random, 2) + 1;
	unsigned int port = core_random(&r->random, PORTS) + 1;

	if (core_random(&r->random, 4) == 0)
		port += 40000;
	snprintf(text, 32, "%s%u%s:%u", is_v6 ? "[fd00::" : "10.0.0.", host, is_v6 ? "]" : "",
		 port);
}

static void make_row(struct run *r, struct test_record *row)
{
	char local[32], remote[32];
	bool is_v6 = core_random(&r->random, 3) == 0;

	write_end(r, is_v6, local);
	write_end(r, is_v6, remote);
	test_record_init(row, core_random(&r->random, SOCK_STATE_END - 1) + 1, local, remote);
	if (row->record.state == SOCK_LISTEN)
		row->record.state = SOCK_ESTABLISHED;
	row->record.receive_queue = core_random(&r->random, UINT32_MAX);
	row->record.send_queue = core_random(&r->random, UINT32_MAX);
	row->record.timer = (uint8_t)core_random(&r->random, SOCK_TIMER_END + 1);
	row->record.inode *= core_random(&r->random, 2);
	fill_attributes(r, row);
}

static void make_rows(struct run *r)
{
	r->count = core_random(&r->random, ROWS + 1);
	for (unsigned int i = 0; i < r->count; i++) {
		unsigned int j = core_random(&r->random, i + 1);

		make_row(r, &r->rows[i]);
		r->order[i] = r->order[j];
		r->order[j] = i;
	}
}

static void poll_rows(const struct run *r, struct aggregate_lane *a, bool shuffled, bool fails)
{
	aggregates_begin(a);
	for (unsigned int i = 0; i < r->count; i++)
		aggregates_add(a, &r->rows[shuffled ? r->order[i] : i]);
	if (!fails)
		aggregates_commit(a);
}

/* The algorithms have the order in which they were seen: here, that of the names. */
static void name_algorithms(struct aggregate_lane *a)
{
	struct aggregate_algorithms *t = &a->aggregate.algorithms;

	for (; t->count < ARRAY_SIZE(algorithms); t->count++)
		strcpy(t->names[t->count], algorithms[t->count]);
}

/* All groups of a side together. */
static void add_up(const struct aggregate_lane *a, enum group_side side, uint64_t *ret_cells)
{
	const struct group_table *t = &a->aggregate.groups;

	memset(ret_cells, 0, t->catalogue->groups[POLL_FAMILY_TCP].cells * sizeof(*ret_cells));
	for (uint32_t i = 0; i < t->count; i++)
		if (t->items[i]->is_shown && t->items[i]->side == side)
			group_cells_fold(t->catalogue, POLL_FAMILY_TCP, ret_cells,
					 t->items[i]->cells);
}

static void assert_same_totals(const struct run *r, int step)
{
	unsigned int cells = r->plain.aggregate.groups.catalogue->groups[POLL_FAMILY_TCP].cells;
	uint64_t *plain = calloc(cells, sizeof(*plain)), *folded = calloc(cells, sizeof(*folded));

	for (unsigned int side = 0; side < GROUP_SIDE_END; side++) {
		add_up(&r->plain, side, plain);
		add_up(&r->folded, side, folded);
		for (unsigned int i = 0; i < cells; i++)
			cr_assert_eq(plain[i], folded[i], "step %d: %s: cell %u", step,
				     group_side_name(side), i);
	}
	free(plain);
	free(folded);
}

static const struct group *find(const struct group_table *t, const struct group *like)
{
	for (uint32_t i = 0; i < t->count; i++)
		if (t->items[i]->side == like->side && t->items[i]->kind == like->kind &&
		    t->items[i]->port == like->port)
			return t->items[i];
	return NULL;
}

static void assert_same_groups(const struct run *r, int step)
{
	const struct group_table *t = &r->plain.aggregate.groups;

	cr_assert_eq(t->count, r->shuffled.aggregate.groups.count, "step %d", step);
	for (uint32_t i = 0; i < t->count; i++) {
		const struct group *g = find(&r->shuffled.aggregate.groups, t->items[i]);

		cr_assert(g, "step %d", step);
		cr_assert_eq(g->is_shown, t->items[i]->is_shown, "step %d", step);
		cr_assert_eq(memcmp(g->cells, t->items[i]->cells,
				    t->catalogue->groups[POLL_FAMILY_TCP].cells * sizeof(uint64_t)),
			     0, "step %d: port %u", step, g->port);
	}
}

/* What the listeners have seen of the rows is the same as well. */
static void assert_same_listeners(const struct run *r, int step)
{
	const struct listener_table *a = &r->plain.lane.table, *b = &r->shuffled.lane.table;

	cr_assert_eq(a->series_count, b->series_count);
	for (uint32_t i = 0; i < a->series_count; i++)
		cr_assert_eq(memcmp(&a->series[i]->values, &b->series[i]->values,
				    sizeof(a->series[i]->values)),
			     0, "step %d", step);
}

static void run(struct run *r, uint64_t seed)
{
	r->random = seed;
	start(&r->plain, 1000);
	start(&r->shuffled, 1000);
	start(&r->folded, 0);
	name_algorithms(&r->plain);
	name_algorithms(&r->shuffled);
	name_algorithms(&r->folded);
	for (int step = 0; step < 100; step++) {
		bool fails = core_random(&r->random, 4) == 0;

		make_rows(r);
		poll_rows(r, &r->plain, false, fails);
		poll_rows(r, &r->shuffled, true, fails);
		poll_rows(r, &r->folded, false, fails);
		assert_same_totals(r, step);
		assert_same_groups(r, step);
		assert_same_listeners(r, step);
		if (!fails)
			cr_assert_eq(r->plain.aggregate.rows, r->count);
	}
	aggregates_done(&r->plain);
	aggregates_done(&r->shuffled);
	aggregates_done(&r->folded);
}

Test(aggregate_random, folding_and_order)
{
	struct run *r = calloc(1, sizeof(*r));

	cr_assert(r);
	for (uint64_t seed = 1; seed <= 10; seed++)
		run(r, seed);
	free(r);
}
