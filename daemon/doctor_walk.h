/* SPDX-License-Identifier: Apache-2.0 */
/* One walk over the sockets of a family, to see whether it can be made and what it brings. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/core/poll.h"

#define DOCTOR_CGROUPS 64

struct doctor_walk {
	enum poll_failure failure;        /* or POLL_FAILURE_NONE */
	uint64_t sockets;                 /* rows */
	uint16_t tcp_info_len, skmem_len; /* the most that a row had; 0: none had any */
	bool has_algorithm, has_cgroup;   /* some row had */
	uint64_t cgroups[DOCTOR_CGROUPS]; /* of listeners: the first */
	unsigned int cgroup_count;
};

/* PROCFS: where /proc is. Waits for the kernel, but not longer than a few seconds. */
struct doctor_walk doctor_walk_run(const char *procfs, enum poll_family family,
				   enum poll_source source);
