/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a socket's values grew by since it was last seen, for rows of one shape: the rows of the
 * metric table that follow a value, compacted. Every value is followed, whether or not its family
 * is on now, so that a reload may turn it on.
 */
#pragma once

#include "daemon/core/catalogue.h"

#define DELTA_STEPS_MAX  32
#define DELTA_PULSES_MAX 4

struct delta_step {
	uint16_t offset, cell;
	uint8_t slot; /* where the value lies among those of a record */
	uint8_t width, base, derive;
};

struct delta_plan {
	uint8_t wide_count, narrow_count, pulse_count;
	struct delta_step wide[DELTA_STEPS_MAX / 2]; /* of eight bytes */
	struct delta_step narrow[DELTA_STEPS_MAX];   /* of four and two */
	struct delta_step pulses[DELTA_PULSES_MAX];
};

void delta_plan_make(struct delta_plan *p, const struct catalogue *c,
		     const struct sock_record *record);
/* Whether such rows carry the value of a slot. */
bool delta_plan_has(const struct delta_plan *p, uint8_t slot);
/* Whether RECORD may differ from VALUES at all: most sockets are idle from one poll to the next. */
bool delta_plan_is_news(const struct delta_plan *p, const struct sock_record *record,
			const uint8_t *values);
/* Adds to CELLS what RECORD's values are above VALUES, and takes them over. A value that fell adds
 * nothing; one of two or four bytes may have wrapped around once. */
void delta_plan_run(const struct delta_plan *p, const struct sock_record *record, uint8_t *values,
		    uint64_t *cells);
/* Takes them over and adds nothing: what a socket had before it was first seen. */
void delta_plan_take(const struct delta_plan *p, const struct sock_record *record, uint8_t *values);
/* Writes VALUES where they lie in a struct tcp_info, of which the rest stays as it is. */
void delta_plan_replay(const struct delta_plan *p, const uint8_t *values, uint8_t *tcp_info);
