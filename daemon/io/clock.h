/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clocks, each with its one use: monotonic for intervals, boottime to notice a suspend,
 * realtime for timestamps that people and Prometheus read, thread CPU for what a poll costs.
 * All in nanoseconds.
 */
#pragma once

#include <stdint.h>

uint64_t clock_monotonic_ns(void);
uint64_t clock_boottime_ns(void);
uint64_t clock_realtime_ns(void);
uint64_t clock_thread_cpu_ns(void);

/* "2026-01-02T03:04:05.678Z" and the end. */
#define CLOCK_UTC_BYTES 32
/* A time of the realtime clock for people; returns RET_TEXT. */
const char *clock_utc(uint64_t realtime_ms, char ret_text[CLOCK_UTC_BYTES]);
