/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/cpu_meter.h"

#include "daemon/io/clock.h"
#include "daemon/util/units.h"
#include "tests/support/test_support.h"

TEST_SUITE(cpu_meter);

static void burn(void)
{
	uint64_t end_ns = clock_thread_cpu_ns() + 5 * NSEC_PER_MSEC;

	while (clock_thread_cpu_ns() < end_ns)
		continue;
}

Test(cpu_meter, each_pays_for_its_own)
{
	struct cpu_meter meter = {0};
	uint64_t start_ns = clock_thread_cpu_ns();
	uint64_t first_ns = 0, second_ns = 0;

	burn();
	cpu_meter_switch(&meter, &first_ns);
	burn();
	cpu_meter_switch(&meter, &second_ns);
	burn();
	burn();
	cpu_meter_switch(&meter, &first_ns);
	burn();
	cpu_meter_switch(&meter, NULL);
	burn();
	cr_assert_geq(first_ns, 10 * NSEC_PER_MSEC);
	cr_assert_geq(second_ns, 10 * NSEC_PER_MSEC);
	cr_assert_leq(first_ns + second_ns + 10 * NSEC_PER_MSEC, clock_thread_cpu_ns() - start_ns);
}
