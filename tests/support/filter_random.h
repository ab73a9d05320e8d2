/* SPDX-License-Identifier: Apache-2.0 */
/* Filters at random, and records that they may match: addresses and ports are few, so that most
 * filters match some. */
#pragma once

#include "daemon/core/sock.h"

#define FILTER_RANDOM_MAX 2048

struct filter_random {
	uint64_t state;   /* the seed; not 0 */
	bool only_kernel; /* what ss and the kernel mean as well: no cgroup, no autobound */
};

/* A filter that parses, in as many parentheses as it needs. */
void filter_random_text(struct filter_random *r, char ret_text[FILTER_RANDOM_MAX]);
/* A row as netlink shows it; of /proc, where a device is not told. */
void filter_random_record(struct filter_random *r, struct sock_record *ret_record);
