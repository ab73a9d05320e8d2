/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/aggregate_plan.h"

#include <assert.h>
#include <string.h>

/* tcpi_delivery_rate_app_limited is the lowest bit of this byte on little-endian machines and the
 * highest on big-endian ones (a bit-field of struct tcp_info). */
#define APP_LIMITED_OFFSET 7
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define APP_LIMITED_BIT 0x01
#else
#define APP_LIMITED_BIT 0x80
#endif

static bool fits(const struct aggregate_plan *p, const struct sock_record *record)
{
	return p->tcp_info_len == record->tcp_info_len && p->skmem_len == record->skmem_len &&
	       p->has_algorithm == (record->algorithm != NULL);
}

const struct aggregate_plan *aggregate_plans_get(struct aggregate_plans *p,
						 const struct catalogue *c,
						 const struct sock_record *record)
{
	for (unsigned int i = 0; i < p->count; i++)
		if (fits(&p->items[i], record))
			return &p->items[i];
	if (p->count < AGGREGATE_PLANS)
		p->next = p->count++;
	else
		p->next = (p->next + 1) % AGGREGATE_PLANS;
	aggregate_plan_make(&p->items[p->next], c, p->family, record);
	return &p->items[p->next];
}

void aggregate_plans_clear(struct aggregate_plans *p)
{
	p->count = 0;
}

/* How many bytes of the source such a row carries. */
static unsigned int source_len(const struct metric *m, const struct sock_record *record)
{
	switch (m->base) {
	case METRIC_BASE_RECORD:
		return sizeof(*record);
	case METRIC_BASE_TCP_INFO:
		return record->tcp_info_len;
	case METRIC_BASE_SKMEM:
		return record->skmem_len;
	case METRIC_BASE_NONE:
		return m->combine == METRIC_COUNT_NAME && !record->algorithm ? 0 : 1;
	}
	return 0;
}

static void add_step(struct aggregate_plan *p, const struct catalogue *c, unsigned int metric,
		     unsigned int value)
{
	const struct metric *m = &metrics[metric];

	assert(p->count < AGGREGATE_STEPS_MAX);
	p->steps[p->count++] = (struct aggregate_step){
		.combine = (uint8_t)m->combine,
		.base = (uint8_t)m->base,
		.width = m->width,
		.unless = (uint8_t)m->unless,
		.when = (uint8_t)(1U << m->when),
		.count_base = m->count_base,
		.count = (uint8_t)metric_value_count(m),
		.offset = m->offsets ? m->offsets[value] : m->offset,
		.cell = (uint16_t)(c->cell[metric] + value),
		.bounds = c->bounds[metric],
	};
	if (m->combine == METRIC_COUNT_BY)
		p->steps[p->count - 1].counted = m->counted;
}

/* What sockets' values grew by is for the plan of deltas. */
static void add_delta(struct aggregate_plan *p, const struct catalogue *c, unsigned int metric)
{
	if (delta_plan_has(&p->deltas, c->slot[metric]))
		metric_set_add(&p->present, metric);
}

static void add_metric(struct aggregate_plan *p, const struct catalogue *c, unsigned int metric,
		       const struct sock_record *record)
{
	const struct metric *m = &metrics[metric];
	unsigned int steps = m->offsets ? m->labels[0]->count : 1;
	unsigned int len = source_len(m, record);

	for (unsigned int i = 0; i < steps; i++) {
		unsigned int offset = m->offsets ? m->offsets[i] : m->offset;

		if (len == 0 || offset + m->width > len)
			continue;
		add_step(p, c, metric, i);
		p->counts_algorithms |= m->combine == METRIC_COUNT_NAME;
		metric_set_add(&p->present, metric);
	}
}

void aggregate_plan_make(struct aggregate_plan *p, const struct catalogue *c,
			 enum poll_family family, const struct sock_record *record)
{
	p->tcp_info_len = record->tcp_info_len;
	p->skmem_len = record->skmem_len;
	p->has_algorithm = record->algorithm != NULL;
	p->counts_algorithms = false;
	p->count = 0;
	memset(&p->present, 0, sizeof(p->present));
	delta_plan_make(&p->deltas, c, record);
	for (unsigned int i = 0; i < metric_count; i++) {
		if (!c->on[i] || !metric_is_of_groups(&metrics[i], family))
			continue;
		if (metrics[i].combine == METRIC_DELTA)
			add_delta(p, c, i);
		else if (metrics[i].combine != METRIC_AS_IT_IS &&
			 metrics[i].combine != METRIC_DROPS)
			add_metric(p, c, i, record);
	}
}

static uint64_t load(const struct aggregate_step *s, const struct sock_record *record)
{
	const uint8_t *base = s->base == METRIC_BASE_TCP_INFO ? record->tcp_info
			      : s->base == METRIC_BASE_SKMEM  ? record->skmem
							      : (const uint8_t *)record;

	return sock_load(base, s->offset, s->width);
}

static bool is_none(const struct aggregate_step *s, const struct sock_record *record,
		    uint64_t value)
{
	switch (s->unless) {
	case METRIC_UNLESS_ZERO:
		return value == 0;
	case METRIC_UNLESS_ALL_ONES:
		return value == (s->width == 8 ? UINT64_MAX : UINT32_MAX);
	case METRIC_UNLESS_APP_LIMITED:
		return value == 0 || record->tcp_info[APP_LIMITED_OFFSET] & APP_LIMITED_BIT;
	default:
		return false;
	}
}

static void count_by(const struct aggregate_step *s, uint64_t value, uint64_t *cells)
{
	if (!s->counted) {
		if (value - s->count_base < s->count)
			cells[value - s->count_base]++;
		return;
	}
	for (unsigned int i = 0; i < s->count; i++)
		if (s->counted[i] == value)
			cells[i]++;
}

static void run_step(const struct aggregate_step *s, const struct sock_record *record,
		     unsigned int algorithm, uint64_t *cell)
{
	uint64_t value = load(s, record);

	switch (s->combine) {
	case METRIC_SUM:
		*cell += value;
		break;
	case METRIC_COUNT:
		*cell += 1;
		break;
	case METRIC_COUNT_BY:
		count_by(s, value, cell);
		break;
	case METRIC_COUNT_NAME:
		cell[algorithm]++;
		break;
	case METRIC_OBSERVE:
		if (!is_none(s, record, value))
			histogram_observe(cell, s->bounds, value);
		break;
	}
}

void aggregate_plan_run(const struct aggregate_plan *p, const struct sock_record *record,
			unsigned int facts, unsigned int algorithm, uint64_t *cells)
{
	for (unsigned int i = 0; i < p->count; i++)
		if (p->steps[i].when & facts)
			run_step(&p->steps[i], record, algorithm, cells + p->steps[i].cell);
}
