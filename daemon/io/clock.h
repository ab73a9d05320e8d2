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
