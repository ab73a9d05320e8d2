/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one configuration makes of the metric table: which families are on, the bounds of the
 * histograms, where each family's cells lie, and what a group costs in series. Immutable, shared
 * by reference between the collector and the snapshots that it made with it.
 */
#pragma once

#include <stddef.h>

#include "daemon/core/class_names.h"
#include "daemon/core/metric.h"
#include "daemon/core/poll.h"

struct catalogue_settings {
	bool extended;
	bool once;    /* for --once: no counters, no histograms, what is sampled left out */
	bool counts;  /* sockets are followed, so there are counters of them */
	bool created; /* it is told when counters and histograms began */
	bool native;  /* histograms of sockets and listeners are counted as native ones, too */
	bool is_off[POLL_FAMILY_END]; /* families that are not watched */
	struct class_names names;     /* borrowed */
	const char *const *include;   /* patterns of family names, * allowed */
	const char *const *exclude;
	size_t include_count, exclude_count;
	/* Bounds in base units, by enum metric_buckets; the durations' are built in. */
	struct {
		const double *bounds;
		unsigned int count;
	} buckets[METRIC_BUCKETS_END];
};

struct catalogue {
	unsigned int refs;
	bool on[METRIC_COUNT_MAX];
	uint16_t cell[METRIC_COUNT_MAX]; /* its first, in a group, a listener or the host */
	bool counts, created;
	uint64_t since_ms[METRIC_COUNT_MAX]; /* realtime: since when its counts are kept */
	struct class_names names;            /* of views and peers */
	/* A group's cells: those of one poll, from accrual_cell on those that accrue, and one that
	 * takes what nobody wants to know; and what they cost. */
	struct catalogue_group {
		unsigned int cells, accrual_cell, spare_cell, series;
	} groups[POLL_FAMILY_PORTS];
	unsigned int listener_cells, host_cells;
	unsigned int listener_series, unix_series, host_series, self_series;
	uint8_t slot[METRIC_COUNT_MAX]; /* of a followed value, the same in every catalogue */
	/* One for each family that is a histogram, as its unit differs; index: the metric's. */
	struct histogram_bounds *bounds[METRIC_COUNT_MAX];
};

/* 0 or -ENOMEM. */
int catalogue_new(const struct catalogue_settings *settings, struct catalogue **ret_catalogue);
/* Before anybody else sees it: says that it is in force from NOW_MS on, after BEFORE, NULL:
 * nothing. */
void catalogue_begin(struct catalogue *c, const struct catalogue *before, uint64_t now_ms);
struct catalogue *catalogue_ref(struct catalogue *c);
void catalogue_unref(struct catalogue *c);

/* Whether the sockets of a family are wanted for any metric. */
bool catalogue_watches(const struct catalogue *c, enum poll_family family);
/* The number of cells and of series of one value-set of a family. */
unsigned int catalogue_cells(const struct catalogue *c, unsigned int metric);
unsigned int catalogue_series(const struct catalogue *c, unsigned int metric);
/* Where a followed value lies among those of a record, by its place in tcp_info; TRACK_VALUE_BYTES:
 * nobody follows it. */
unsigned int catalogue_slot(const struct catalogue *c, unsigned int tcp_info_offset);
/* Whether both have this family, and with the same bounds: then its counts may be carried over. */
bool catalogue_same(const struct catalogue *a, const struct catalogue *b, unsigned int metric);
