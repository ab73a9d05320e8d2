/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/lane_pace.h"

#include "daemon/util/macros.h"
#include "daemon/util/units.h"

/* The weight of the newest poll is 1/4: one odd poll does not move the interval by much. */
#define SMOOTHING 4

#define STALE_INTERVALS 5
#define STALE_LEAST_NS  (30 * NSEC_PER_SEC)

void lane_pace_init(struct lane_pace *p, uint64_t interval_ns, uint64_t max_ns, double cpu_limit,
		    bool may_skip)
{
	*p = (struct lane_pace){
		.interval_ns = interval_ns,
		.max_ns = MAX(max_ns, interval_ns),
		.cpu_limit = cpu_limit,
		.may_skip = may_skip,
		.current_ns = interval_ns,
		.gap_ns = interval_ns,
	};
}

/* Whole milliseconds, so that noise does not make a new interval after each poll. */
static uint64_t round_up_to_ms(uint64_t ns)
{
	return (ns + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC * NSEC_PER_MSEC;
}

bool lane_pace_observe(struct lane_pace *p, uint64_t start_ns, uint64_t cpu_ns)
{
	uint64_t before = p->current_ns;
	uint64_t needed;
	bool rests;

	if (p->cpu_ns == 0)
		p->cpu_ns = cpu_ns;
	p->cpu_ns = (p->cpu_ns * (SMOOTHING - 1) + cpu_ns) / SMOOTHING;
	needed = (uint64_t)((double)p->cpu_ns / p->cpu_limit);
	if (needed <= p->interval_ns)
		p->current_ns = p->interval_ns;
	else
		p->current_ns = MIN(round_up_to_ms(needed), p->max_ns);
	rests = p->may_skip && needed > p->max_ns;
	p->rest_until_ns = rests ? start_ns + needed : 0;
	p->gap_ns = p->current_ns + (rests ? needed : 0);
	return p->current_ns != before;
}

bool lane_pace_rests(const struct lane_pace *p, uint64_t now_ns)
{
	return now_ns < p->rest_until_ns;
}

uint64_t lane_pace_stale_after_ns(const struct lane_pace *p)
{
	return MAX(STALE_INTERVALS * p->gap_ns, STALE_LEAST_NS);
}
