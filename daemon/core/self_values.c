/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/self_values.h"

#include "daemon/util/units.h"

const double self_duration_bounds[SELF_DURATION_BOUNDS] = {
	0.00001, 0.00003, 0.0001, 0.0003, 0.001, 0.002, 0.005, 0.01,
	0.03,    0.1,     0.2,    0.5,    1,     2,     5,     10,
};

void self_observe_duration(uint64_t cells[SELF_DURATION_CELLS], uint64_t duration_ns)
{
	double seconds = (double)duration_ns / (double)NSEC_PER_SEC;
	uint64_t *sum = &cells[SELF_DURATION_BOUNDS + 1];
	unsigned int i = 0;

	while (i < SELF_DURATION_BOUNDS && seconds > self_duration_bounds[i])
		i++;
	self_add(&cells[i], 1);
	/* The high word of the sum stays 0: the low one holds 584 years. */
	self_add(sum, duration_ns);
}

void self_values_copy(struct self_values *to, const struct self_values *from)
{
	uint64_t *t = (uint64_t *)to;
	const uint64_t *f = (const uint64_t *)from;

	for (unsigned int i = 0; i < sizeof(*to) / sizeof(*t); i++)
		t[i] = self_get(&f[i]);
}
