/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/clock.h"

#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/util/macros.h"
#include "daemon/util/units.h"
#include "tests/support/test_support.h"

typedef uint64_t (*clock_fn)(void);

static const struct {
	const char *name;
	clock_fn read_ns;
	clockid_t clock;
} clocks[] = {
	{"monotonic", clock_monotonic_ns, CLOCK_MONOTONIC},
	{"boottime", clock_boottime_ns, CLOCK_BOOTTIME},
	{"realtime", clock_realtime_ns, CLOCK_REALTIME},
	{"thread CPU", clock_thread_cpu_ns, CLOCK_THREAD_CPUTIME_ID},
};

TEST_SUITE(clock);

static uint64_t read_kernel_ns(clockid_t clock)
{
	struct timespec now;

	cr_assert_eq(clock_gettime(clock, &now), 0);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
}

/* Each reads the clock that it is named for, in nanoseconds: it lies between two of the kernel's.
 */
Test(clock, is_the_kernels)
{
	uint64_t before_ns, between_ns, after_ns;

	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
		before_ns = read_kernel_ns(clocks[i].clock);
		between_ns = clocks[i].read_ns();
		after_ns = read_kernel_ns(clocks[i].clock);
		cr_assert_leq(before_ns, between_ns, "%s", clocks[i].name);
		cr_assert_leq(between_ns, after_ns, "%s", clocks[i].name);
	}
}

Test(clock, thread_cpu_grows_with_work)
{
	uint64_t start_ns = clock_thread_cpu_ns();
	uint64_t end_ns = clock_monotonic_ns() + 10 * NSEC_PER_SEC;

	while (clock_thread_cpu_ns() == start_ns)
		cr_assert_lt(clock_monotonic_ns(), end_ns, "it stands still");
}

/* Whatever the time zone. */
Test(clock, utc)
{
	char text[CLOCK_UTC_BYTES];

	setenv("TZ", "XYZ+5:30", 1);
	tzset();
	cr_assert_str_eq(clock_utc(0, text), "1970-01-01T00:00:00.000Z");
	cr_assert_str_eq(clock_utc(UINT64_C(951782399999), text), "2000-02-28T23:59:59.999Z");
	cr_assert_str_eq(clock_utc(UINT64_C(4102444800007), text), "2100-01-01T00:00:00.007Z");
}
