/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/group_cells.h"

#include <string.h>

#include "daemon/util/macros.h"

static bool has(const struct catalogue *c, unsigned int family, unsigned int i)
{
	return c->on[i] && metric_is_of_groups(&metrics[i], family);
}

static void fold_values(const struct metric *m, uint64_t *to, const uint64_t *from)
{
	for (unsigned int i = 0; i < metric_value_count(m); i++)
		to[i] = m->scope == METRIC_CLIENT ? MAX(to[i], from[i]) : to[i] + from[i];
}

void group_cells_fold(const struct catalogue *c, unsigned int family, uint64_t *to,
		      const uint64_t *from)
{
	for (unsigned int i = 0; i < metric_count; i++) {
		unsigned int at = c->cell[i];

		if (!has(c, family, i))
			continue;
		if (metrics[i].type == METRIC_HISTOGRAM)
			histogram_add(to + at, from + at, c->bounds[i]);
		else
			fold_values(&metrics[i], to + at, from + at);
	}
}

static void add_values(uint64_t *to, const uint64_t *from, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		to[i] += from[i];
}

void group_cells_commit(const struct catalogue *c, unsigned int family, uint64_t *cells,
			const uint64_t *poll)
{
	for (unsigned int i = 0; i < metric_count; i++) {
		unsigned int at = c->cell[i];

		if (!has(c, family, i))
			continue;
		if (metrics[i].type == METRIC_HISTOGRAM)
			histogram_add(cells + at, poll + at, c->bounds[i]);
		else if (metric_accrues(&metrics[i]))
			add_values(cells + at, poll + at, catalogue_cells(c, i));
		else
			memcpy(cells + at, poll + at, catalogue_cells(c, i) * sizeof(*cells));
	}
}

void group_cells_begin(const struct catalogue *c, unsigned int family, uint64_t *poll)
{
	memset(poll, 0, c->groups[family].accrual_cell * sizeof(*poll));
}

void group_cells_settle(const struct catalogue *c, unsigned int family, uint64_t *poll)
{
	const struct catalogue_group *g = &c->groups[family];

	memset(poll + g->accrual_cell, 0, (g->cells - g->accrual_cell) * sizeof(*poll));
}

bool group_cells_have_accrued(const struct catalogue *c, unsigned int family, const uint64_t *poll)
{
	const struct catalogue_group *g = &c->groups[family];

	for (unsigned int i = g->accrual_cell; i < g->spare_cell; i++)
		if (poll[i] != 0)
			return true;
	return false;
}

void group_cells_carry(const struct catalogue *from, const uint64_t *cells,
		       const struct catalogue *to, unsigned int family, uint64_t *ret_cells)
{
	for (unsigned int i = 0; i < metric_count; i++)
		if (has(to, family, i) && catalogue_same(from, to, i))
			memcpy(ret_cells + to->cell[i], cells + from->cell[i],
			       catalogue_cells(to, i) * sizeof(*cells));
}
