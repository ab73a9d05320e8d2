/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/process_stats.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "daemon/core/metric.h"
#include "daemon/core/self_values.h"
#include "tests/support/test_support.h"

TEST_SUITE(process_stats);

Test(process_stats, ourselves)
{
	struct self_values before = {0}, after = {0};
	int fd;

	process_stats_read(&before);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	process_stats_read(&after);
	cr_assert_eq(after.process_open_fds, before.process_open_fds + 1);
	cr_assert_geq(after.process_cpu_us, before.process_cpu_us);
	cr_assert_eq(after.process_resident_bytes % (uint64_t)sysconf(_SC_PAGESIZE), 0);
	cr_assert_gt(after.process_resident_bytes, 0);
	cr_assert_lt(after.process_resident_bytes, after.process_virtual_bytes);
	cr_assert_gt(after.process_max_fds, after.process_open_fds);
	close(fd);
}

/* A command may hold what ends it in /proc/self/stat. */
Test(process_stats, any_name)
{
	struct self_values values = {0};

	cr_assert_eq(prctl(PR_SET_NAME, "s) R (1"), 0);
	process_stats_read(&values);
	cr_assert_neq(values.process_threads, METRIC_ABSENT);
	cr_assert_geq(values.process_threads, 1);
	cr_assert_lt(values.process_threads, 100);
}
