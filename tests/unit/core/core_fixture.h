/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of aggregation share: a catalogue, and the way from a family's name to its cells.
 */
#pragma once

#include "daemon/core/snapshot.h"

/* With the built-in bounds of the configuration. The caller unrefs it. */
struct catalogue *core_catalogue(bool extended);
/* The same with another set of bounds for the RTT. */
struct catalogue *core_catalogue_with_rtt(bool extended, const double *bounds, unsigned int count);
/* The same with names of views and of peers, terminated by NULL; NULL: there are none. */
struct catalogue *core_catalogue_native(bool extended);
struct catalogue *core_catalogue_with_names(bool extended, const char **views, const char **peers);
/* The row of a family in the metric table; fails the test if there is none. */
unsigned int core_metric(const char *name);
/* The first cell of a family among CELLS; fails the test if the family is off. */
const uint64_t *core_cells(const struct catalogue *c, const uint64_t *cells, const char *name);
/* The number of observations of a histogram. */
uint64_t core_observations(const struct catalogue *c, const uint64_t *cells, const char *name);
/* The part of TCP. */
struct snapshot_sockets *core_sockets_part(const struct aggregate *a,
					   const struct snapshot_age *age);
/* A random number below N (xorshift64*). */
uint32_t core_random(uint64_t *state, uint32_t n);
