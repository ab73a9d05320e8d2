/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What files below /proc tell of the host and of the network namespace: the rows of the metric
 * table whose terms name them. A number that is not there, or cannot be read, is absent.
 */
#pragma once

#include <stdint.h>

struct catalogue;
struct host_counters;

/* PROCFS, borrowed: where /proc is. NULL: out of memory. */
struct host_counters *host_counters_new(const char *procfs);
void host_counters_free(struct host_counters *h);
/* Reads all that the catalogue has on, into the cells of a struct snapshot_host. */
void host_counters_read(struct host_counters *h, const struct catalogue *catalogue,
			uint64_t *ret_cells);
