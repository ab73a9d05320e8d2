/* SPDX-License-Identifier: Apache-2.0 */
/* Finds what the cgroups of listeners are called: a look at the hierarchy behind each poll, while
 * there is one that has no name yet. */
#pragma once

#include "daemon/core/listener.h"
#include "daemon/core/self_values.h"

struct unit_search;

/* NULL: out of memory. */
struct unit_search *unit_search_new(struct self_values *self);
void unit_search_free(struct unit_search *u);
/* Whether it has not looked yet: the first look may take long, so that what starts has names from
 * the beginning. */
bool unit_search_is_first(const struct unit_search *u);
/* Behind a good poll of T: gives its series their owners, as far as they are known. ENTRIES are the
 * directory entries that may be read for it, of 0.4 µs each. */
void unit_search_run(struct unit_search *u, struct listener_table *t, unsigned int entries,
		     uint64_t now_ns);
