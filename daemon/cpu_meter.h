/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom the CPU time of a thread belongs to. Reading that clock is a system call, so it is read when
 * the work changes hands, not at each step of it: what the loop itself costs falls to whoever
 * worked last.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct cpu_meter {
	uint64_t *owner_ns; /* whose account is open, or NULL */
	uint64_t since_ns;
};

/* From now on time goes to OWNER_NS, or to nobody. */
void cpu_meter_switch(struct cpu_meter *meter, uint64_t *owner_ns);
