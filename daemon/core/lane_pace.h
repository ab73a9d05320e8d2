/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often a lane polls: at its interval, unless that would cost more than its share of a core;
 * then the interval stretches, up to a maximum, and beyond that whole polls are skipped. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct lane_pace {
	uint64_t interval_ns; /* as configured */
	uint64_t max_ns;      /* how far it may stretch */
	double cpu_limit;     /* of one core */
	bool may_skip;        /* whether polls are skipped when stretching does not suffice */
	uint64_t current_ns;  /* the interval as stretched now */
	uint64_t cpu_ns;      /* smoothed cost of a poll */
	uint64_t gap_ns; /* the most between two polls that are made: current_ns, unless it rests */
	uint64_t rest_until_ns;
};

void lane_pace_init(struct lane_pace *p, uint64_t interval_ns, uint64_t max_ns, double cpu_limit,
		    bool may_skip);
/* Takes the cost of a poll that began at START_NS into account; true if current_ns changed. */
bool lane_pace_observe(struct lane_pace *p, uint64_t start_ns, uint64_t cpu_ns);
/* Whether the poll that is due now is to be skipped. */
bool lane_pace_rests(const struct lane_pace *p, uint64_t now_ns);
/* How old a lane's data may become before its gauges vanish. */
uint64_t lane_pace_stale_after_ns(const struct lane_pace *p);
