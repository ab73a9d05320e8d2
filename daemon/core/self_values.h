/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon about itself, as the metric table addresses it: counters that their owner, one thread,
 * raises with relaxed atomics and any thread reads. METRIC_ABSENT: no value. */
#pragma once

#include <stdint.h>

#include "daemon/core/poll.h"

/* Bounds of the durations' histograms, plus those three cells that histogram.h adds. */
#define SELF_DURATION_BOUNDS 16
#define SELF_DURATION_CELLS  (SELF_DURATION_BOUNDS + 3)

enum self_route {
	SELF_ROUTE_METRICS,
	SELF_ROUTE_INDEX,
	SELF_ROUTE_HEALTHY,
	SELF_ROUTE_READY,
	SELF_ROUTE_RELOAD,
	SELF_ROUTE_OTHER, /* a path that is none of ours */
	SELF_ROUTE_END,
};

enum self_status {
	SELF_STATUS_200,
	SELF_STATUS_400,
	SELF_STATUS_401,
	SELF_STATUS_403,
	SELF_STATUS_404,
	SELF_STATUS_405,
	SELF_STATUS_429,
	SELF_STATUS_500,
	SELF_STATUS_503,
	SELF_STATUS_OTHER,
	SELF_STATUS_END,
};

enum self_fold {
	SELF_FOLD_LISTENERS, /* beyond limits.listeners */
	SELF_FOLD_PORTS,     /* beyond limits.ports */
	SELF_FOLD_SERIES,    /* beyond limits.series */
	SELF_FOLD_END,
};

struct self_values {
	/* The collector's. */
	uint64_t source[POLL_FAMILY_END][POLL_SOURCE_END]; /* 0 or 1 */
	uint64_t polls[LANE_END];
	uint64_t poll_duration[LANE_END][SELF_DURATION_CELLS];
	uint64_t poll_cpu_ns[LANE_END];
	uint64_t poll_sockets[LANE_END];
	uint64_t poll_failures[LANE_END][POLL_FAILURE_END - 1]; /* without POLL_FAILURE_NONE */
	uint64_t poll_rows_ignored[LANE_END][POLL_IGNORED_END];
	uint64_t polls_skipped[LANE_END];
	uint64_t poll_success[LANE_END];
	uint64_t poll_last_success_ms[LANE_END]; /* realtime */
	uint64_t poll_interval_ns[LANE_END];
	uint64_t loop_busy[SELF_DURATION_CELLS];
	uint64_t events_active; /* 0 or 1 */
	uint64_t events, events_ignored, events_lost;
	uint64_t tracked, tracked_limit, untracked;
	uint64_t folded[SELF_FOLD_END], cgroup_searches_incomplete;
	uint64_t reload_successful;
	uint64_t reload_success_ms; /* realtime */
	/* The server's. */
	uint64_t http_requests[SELF_ROUTE_END][SELF_STATUS_END];
	uint64_t http_connections;
	/* Filled for each scrape. */
	uint64_t build_info;
	uint64_t process_cpu_us;
	uint64_t process_open_fds, process_max_fds;
	uint64_t process_resident_bytes, process_virtual_bytes, process_virtual_max_bytes;
	uint64_t process_start_ms; /* realtime */
	uint64_t process_threads;
	uint64_t series_limit;
	uint64_t series;
};

static inline void self_set(uint64_t *value, uint64_t n)
{
	__atomic_store_n(value, n, __ATOMIC_RELAXED);
}

/* For the one thread that owns the value. */
static inline void self_add(uint64_t *value, uint64_t n)
{
	self_set(value, *value + n);
}

static inline uint64_t self_get(const uint64_t *value)
{
	return __atomic_load_n(value, __ATOMIC_RELAXED);
}

/* The bounds of the durations, in seconds: 10 µs to 10 s. */
extern const double self_duration_bounds[SELF_DURATION_BOUNDS];
/* Observes a duration in the cells of a histogram; for the thread that owns them. */
void self_observe_duration(uint64_t cells[SELF_DURATION_CELLS], uint64_t duration_ns);
/* A copy that no thread changes any more. */
void self_values_copy(struct self_values *to, const struct self_values *from);
