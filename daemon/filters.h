/* SPDX-License-Identifier: Apache-2.0 */
/* The filters of the configuration while they are in force: what their names mean now, and what the
 * kernel is asked for. */
#pragma once

#include <stdio.h>

#include "config/config.h"
#include "daemon/core/filter_bytecode.h"

struct filters {
	const struct config *config;
	struct filter_request sockets; /* of socket_filter */
	bool without_cgroup;           /* the kernel cannot apply those */
	bool without_code;             /* it has refused some: nothing but states and ports */
};

/* NULL: out of memory. CONFIG as filters_configure(). */
struct filters *filters_new(const struct config *config);
void filters_free(struct filters *f);
/* Returns whether sockets may be watched now that were not before, or no longer. CONFIG is
 * borrowed. */
bool filters_configure(struct filters *f, const struct config *config);
/* Resolves all names anew. LOW, HIGH: ip_local_port_range. */
void filters_resolve(struct filters *f, uint16_t low, uint16_t high);
/* The kernel has refused a request, perhaps for its bytecode: the next has none. */
void filters_refused(struct filters *f);
/* NULL: everything is watched. */
const struct filter *filters_of_sockets(const struct filters *f);
const struct filter_request *filters_request(const struct filters *f);

/* One line on each filter of a configuration: what goes to the kernel, and what is matched here.
 * PROCFS: where /proc is. */
void filters_print(const struct config *config, const char *procfs, FILE *out);
