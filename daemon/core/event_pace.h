/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether destroy events are worth their price now: the kernel makes one for each socket that
 * closes, so they are given up where connections come too fast, and taken up again after a calm
 * time, which is longer the more often that was in vain. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct event_pace {
	bool wanted;
	uint8_t busy;      /* observations in a row that were too fast */
	uint64_t calm_ns;  /* how long it has been calm without interruption */
	uint64_t needs_ns; /* how long it must have been to take events up again */
};

/* Wants events at first. */
void event_pace_init(struct event_pace *p);
/* OPENED connections in the ELAPSED_NS since the observation before. Returns whether events are
 * wanted. */
bool event_pace_observe(struct event_pace *p, uint64_t opened, uint64_t elapsed_ns);
