/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/group_cells.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"

TEST_SUITE(group_cells);

static uint64_t *new_cells(const struct catalogue *c)
{
	uint64_t *cells = calloc(c->groups[POLL_FAMILY_TCP].cells, sizeof(*cells));

	cr_assert(cells);
	return cells;
}

static bool is_of_group(const struct catalogue *c, unsigned int i)
{
	return c->on[i] && metric_is_of_groups(&metrics[i], POLL_FAMILY_TCP);
}

/* Fills each cell with a number of its own. */
static void fill(const struct catalogue *c, uint64_t *cells, uint64_t base)
{
	for (unsigned int i = 0; i < c->groups[POLL_FAMILY_TCP].cells; i++)
		cells[i] = base + i;
}

static bool is_high_word(const struct catalogue *c, unsigned int metric, unsigned int i)
{
	return metrics[metric].type == METRIC_HISTOGRAM && i == c->bounds[metric]->count + 2;
}

/* Each cell of each family, by what the family is. */
Test(group_cells, fold)
{
	struct catalogue *c = core_catalogue(true);
	uint64_t *to = new_cells(c), *from = new_cells(c);

	fill(c, to, 1000);
	fill(c, from, 5000);
	group_cells_fold(c, POLL_FAMILY_TCP, to, from);
	for (unsigned int i = 0; i < metric_count; i++) {
		for (unsigned int j = 0; is_of_group(c, i) && j < catalogue_cells(c, i); j++) {
			unsigned int at = c->cell[i] + j;
			uint64_t largest = 5000 + at, sum = 6000 + 2 * at;

			cr_assert_eq(to[at], metrics[i].scope == METRIC_CLIENT ? largest : sum,
				     "%s: cell %u", metrics[i].name, j);
		}
	}
	group_cells_fold(c, POLL_FAMILY_TCP, from, to);
	cr_assert_eq(*core_cells(c, from, "sockstat_tcp_ephemeral_ports_used"),
		     *core_cells(c, to, "sockstat_tcp_ephemeral_ports_used"));
	free(to);
	free(from);
	catalogue_unref(c);
}

Test(group_cells, commit)
{
	struct catalogue *c = core_catalogue(true);
	uint64_t *cells = new_cells(c), *poll = new_cells(c);

	fill(c, cells, 1000);
	fill(c, poll, 5000);
	group_cells_commit(c, POLL_FAMILY_TCP, cells, poll);
	for (unsigned int i = 0; i < metric_count; i++) {
		for (unsigned int j = 0; is_of_group(c, i) && j < catalogue_cells(c, i); j++) {
			unsigned int at = c->cell[i] + j;
			bool grows = metrics[i].type != METRIC_GAUGE;

			cr_assert_eq(cells[at], grows ? 6000 + 2 * at : 5000 + at, "%s: cell %u",
				     metrics[i].name, j);
		}
	}
	free(cells);
	free(poll);
	catalogue_unref(c);
}

/* A sum of a histogram does not wrap at 64 bits. */
Test(group_cells, sum_carries)
{
	static const char family[] = "sockstat_tcp_rtt_seconds";
	struct catalogue *c = core_catalogue(true);
	uint64_t *cells = new_cells(c), *poll = new_cells(c);
	unsigned int metric = core_metric(family), low = c->cell[metric];

	while (!is_high_word(c, metric, low - c->cell[metric]))
		low++;
	low--;
	cells[low] = UINT64_MAX;
	poll[low] = 2;
	group_cells_commit(c, POLL_FAMILY_TCP, cells, poll);
	cr_assert_eq(cells[low], 1);
	cr_assert_eq(cells[low + 1], 1);
	free(cells);
	free(poll);
	catalogue_unref(c);
}

/* Every family that both have is carried; with other bounds a histogram starts anew. */
static void assert_carried(struct catalogue *from, struct catalogue *to, const char *name)
{
	uint64_t *before = new_cells(from), *after = new_cells(to);

	fill(from, before, 1000);
	group_cells_carry(from, before, to, POLL_FAMILY_TCP, after);
	for (unsigned int i = 0; i < metric_count; i++) {
		bool carried = is_of_group(to, i) && catalogue_same(from, to, i);

		for (unsigned int j = 0; is_of_group(to, i) && j < catalogue_cells(to, i); j++)
			cr_assert_eq(after[to->cell[i] + j],
				     carried ? before[from->cell[i] + j] : 0, "%s: %s: cell %u",
				     name, metrics[i].name, j);
	}
	free(before);
	free(after);
}

Test(group_cells, carry)
{
	static const double other_bounds[] = {0.001, 0.1};
	struct catalogue *core = core_catalogue(false);
	struct catalogue *extended = core_catalogue(true);
	struct catalogue *again = core_catalogue(true);
	struct catalogue *other = core_catalogue_with_rtt(true, other_bounds, 2);
	unsigned int rtt = core_metric("sockstat_tcp_rtt_seconds");

	assert_carried(extended, again, "the same");
	assert_carried(core, extended, "core to extended");
	assert_carried(extended, core, "extended to core");
	assert_carried(extended, other, "other bounds");
	cr_assert(catalogue_same(core, extended, rtt) && !catalogue_same(extended, other, rtt));
	catalogue_unref(core);
	catalogue_unref(extended);
	catalogue_unref(again);
	catalogue_unref(other);
}
