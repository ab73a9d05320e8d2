/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The largest value of a sliding window, in bounded memory: the window is cut into slots, each
 * keeps its maximum. What is read covers the whole window and at most one slot more, and reading
 * changes nothing, so that several scrapers do not take peaks from each other.
 */
#pragma once

#include <stdint.h>

#define PEAK_WINDOW_SLOTS 60

struct peak_window {
	uint64_t slot_ns;
	uint64_t newest; /* number of the newest slot: time / slot_ns */
	uint64_t values[PEAK_WINDOW_SLOTS + 1];
};

void peak_window_init(struct peak_window *w, uint64_t window_ns, uint64_t now_ns);
/* Times never fall. */
void peak_window_observe(struct peak_window *w, uint64_t now_ns, uint64_t value);
uint64_t peak_window_max(struct peak_window *w, uint64_t now_ns);
