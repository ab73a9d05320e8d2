/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What to do with a row of one shape: the rows of the metric table that are on and whose source
 * such a row carries, compacted. Presence is resolved here, once, and never again per row.
 */
#pragma once

#include "daemon/core/delta_plan.h"

/* A bit for each metric. */
struct metric_set {
	uint64_t bits[(METRIC_COUNT_MAX + 63) / 64];
};

static inline void metric_set_add(struct metric_set *s, unsigned int metric)
{
	s->bits[metric / 64] |= UINT64_C(1) << (metric % 64);
}

static inline bool metric_set_has(const struct metric_set *s, unsigned int metric)
{
	return s->bits[metric / 64] >> (metric % 64) & 1;
}

static inline void metric_set_merge(struct metric_set *s, const struct metric_set *from)
{
	for (unsigned int i = 0; i < sizeof(s->bits) / sizeof(s->bits[0]); i++)
		s->bits[i] |= from->bits[i];
}

struct aggregate_step {
	uint8_t combine, base, width, unless;
	uint8_t when;       /* a bit of the facts about a row, 1 << enum metric_when */
	uint8_t count_base; /* METRIC_COUNT_BY, */
	uint8_t count;      /* and how many values it has */
	uint16_t offset, cell;
	union {
		const struct histogram_bounds *bounds; /* METRIC_OBSERVE */
		const uint8_t *counted;                /* METRIC_COUNT_BY */
	};
};

#define AGGREGATE_STEPS_MAX 64

struct aggregate_plan {
	uint16_t tcp_info_len, skmem_len;
	bool has_algorithm;
	bool counts_algorithms; /* and a family that is on wants to know it */
	unsigned int count;
	struct aggregate_step steps[AGGREGATE_STEPS_MAX];
	struct delta_plan deltas;
	struct metric_set present;
};

/* Rows come in few shapes: full sockets, request sockets, timewait sockets, destroyed ones. */
#define AGGREGATE_PLANS 6

struct aggregate_plans {
	enum poll_family family; /* whose rows they are for; set by the owner */
	struct aggregate_plan items[AGGREGATE_PLANS];
	unsigned int count, next;
};

/* The plan for rows of this shape, made if there is none; good until the next call. Clear when the
 * catalogue is another. */
const struct aggregate_plan *aggregate_plans_get(struct aggregate_plans *p,
						 const struct catalogue *c,
						 const struct sock_record *record);
void aggregate_plans_clear(struct aggregate_plans *p);

void aggregate_plan_make(struct aggregate_plan *p, const struct catalogue *c,
			 enum poll_family family, const struct sock_record *record);
/* Lets a row count in the cells of a group. FACTS: which of enum metric_when are true of it, as
 * bits; ALGORITHM: the index of its congestion control algorithm. */
void aggregate_plan_run(const struct aggregate_plan *p, const struct sock_record *record,
			unsigned int facts, unsigned int algorithm, uint64_t *cells);
