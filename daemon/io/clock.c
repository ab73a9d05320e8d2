/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/clock.h"

#include <stdio.h>
#include <time.h>

#include "daemon/util/units.h"

/* Cannot fail: these clocks exist on every Linux that has inet_diag. */
static uint64_t read_ns(clockid_t clock)
{
	struct timespec now = {0};

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
}

uint64_t clock_monotonic_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}

uint64_t clock_boottime_ns(void)
{
	return read_ns(CLOCK_BOOTTIME);
}

uint64_t clock_realtime_ns(void)
{
	return read_ns(CLOCK_REALTIME);
}

uint64_t clock_thread_cpu_ns(void)
{
	return read_ns(CLOCK_THREAD_CPUTIME_ID);
}

const char *clock_utc(uint64_t realtime_ms, char ret_text[CLOCK_UTC_BYTES])
{
	time_t seconds = (time_t)(realtime_ms / MSEC_PER_SEC);
	struct tm utc;
	size_t n;

	gmtime_r(&seconds, &utc);
	n = strftime(ret_text, CLOCK_UTC_BYTES, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(ret_text + n, CLOCK_UTC_BYTES - n, ".%03uZ",
		 (unsigned int)(realtime_ms % MSEC_PER_SEC));
	return ret_text;
}
