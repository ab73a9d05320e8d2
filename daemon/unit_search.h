/* SPDX-License-Identifier: Apache-2.0 */
/* Finds what the cgroups of listeners are called: a look at the hierarchy at each poll, while
 * there is one that has no name yet. Nothing of the collector's thread waits for it. */
#pragma once

#include "daemon/core/listener.h"

struct units;

/* NULL: out of memory. */
struct units *units_new(void);
void units_free(struct units *u);
/* Behind a good poll of T: gives its series their owners, as far as they are known. */
void units_look(struct units *u, struct listener_table *t);
