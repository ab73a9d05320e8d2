/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/peak_window.h"

#include <string.h>

#include "daemon/util/macros.h"

#define SLOTS (PEAK_WINDOW_SLOTS + 1)

void peak_window_init(struct peak_window *w, uint64_t window_ns, uint64_t now_ns)
{
	memset(w, 0, sizeof(*w));
	/* Rounded up, so that the slots cover the window. */
	w->slot_ns = MAX((window_ns + PEAK_WINDOW_SLOTS - 1) / PEAK_WINDOW_SLOTS, 1);
	w->newest = now_ns / w->slot_ns;
}

static void advance(struct peak_window *w, uint64_t now_ns)
{
	uint64_t slot = now_ns / w->slot_ns;
	uint64_t steps = slot - w->newest;

	for (uint64_t i = 0; i < MIN(steps, SLOTS); i++)
		w->values[(slot - i) % SLOTS] = 0;
	w->newest = slot;
}

void peak_window_observe(struct peak_window *w, uint64_t now_ns, uint64_t value)
{
	uint64_t *slot;

	advance(w, now_ns);
	slot = &w->values[w->newest % SLOTS];
	*slot = MAX(*slot, value);
}

uint64_t peak_window_max(struct peak_window *w, uint64_t now_ns)
{
	uint64_t max = 0;

	advance(w, now_ns);
	for (unsigned int i = 0; i < SLOTS; i++)
		max = MAX(max, w->values[i]);
	return max;
}
