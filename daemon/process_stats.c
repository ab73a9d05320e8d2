/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/process_stats.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/core/metric.h"
#include "daemon/core/self_values.h"
#include "daemon/util/cleanup.h"
#include "daemon/util/units.h"

static uint64_t limit_of(int resource)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) < 0)
		return METRIC_ABSENT;
	/* RLIM_INFINITY is all ones: no limit, no value. */
	return limit.rlim_cur;
}

static uint64_t microseconds(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * USEC_PER_SEC + (uint64_t)t->tv_usec;
}

static void read_cpu(struct self_values *v)
{
	struct rusage usage;

	v->process_cpu_us = METRIC_ABSENT;
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		v->process_cpu_us = microseconds(&usage.ru_utime) + microseconds(&usage.ru_stime);
}

/* Field 20 of proc(5)'s stat is the number of threads; the command before, in parentheses, may hold
 * anything. */
static void read_threads(struct self_values *v)
{
	_fclose_ FILE *f = fopen("/proc/self/stat", "re");
	char line[1024] = "";
	unsigned long threads;
	const char *rest;

	v->process_threads = METRIC_ABSENT;
	if (!f || !fgets(line, sizeof(line), f))
		return;
	rest = strrchr(line, ')');
	if (rest && sscanf(rest + 1,
			   " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
			   "%lu",
			   &threads) == 1)
		v->process_threads = threads;
}

static void read_memory(struct self_values *v)
{
	_fclose_ FILE *f = fopen("/proc/self/statm", "re");
	unsigned long size, resident;
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	v->process_virtual_bytes = METRIC_ABSENT;
	v->process_resident_bytes = METRIC_ABSENT;
	if (!f || fscanf(f, "%lu %lu", &size, &resident) != 2)
		return;
	v->process_virtual_bytes = size * page;
	v->process_resident_bytes = resident * page;
}

static void count_fds(struct self_values *v)
{
	DIR *dir = opendir("/proc/self/fd");

	v->process_open_fds = METRIC_ABSENT;
	if (!dir)
		return;
	v->process_open_fds = 0;
	for (const struct dirent *entry; (entry = readdir(dir));)
		v->process_open_fds += entry->d_name[0] != '.';
	/* The directory itself was open while it was read. */
	v->process_open_fds--;
	closedir(dir);
}

void process_stats_read(struct self_values *values)
{
	read_cpu(values);
	read_threads(values);
	read_memory(values);
	count_fds(values);
	values->process_max_fds = limit_of(RLIMIT_NOFILE);
	values->process_virtual_max_bytes = limit_of(RLIMIT_AS);
}
