/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/cpu_meter.h"

#include "daemon/io/clock.h"

void cpu_meter_switch(struct cpu_meter *meter, uint64_t *owner_ns)
{
	uint64_t now_ns;

	if (meter->owner_ns == owner_ns)
		return;
	now_ns = clock_thread_cpu_ns();
	if (meter->owner_ns)
		*meter->owner_ns += now_ns - meter->since_ns;
	meter->owner_ns = owner_ns;
	meter->since_ns = now_ns;
}
