/* SPDX-License-Identifier: Apache-2.0 */
/* Finds what the cgroups of listeners are called: a look at the hierarchy at each poll, while
 * there is one that has no name yet. Nothing of the collector's thread waits for it. */
#pragma once

#include "collectors/cgroup_walk.h"
#include "daemon/core/listener.h"

struct units {
	struct cgroup_walk walk;
	uint64_t walked; /* directory entries of the walk under way */
	bool has_looked;
};

#define UNITS_INIT                       \
	{                                \
		.walk = CGROUP_WALK_INIT \
	}

void units_done(struct units *u);
/* Behind a good poll of T: gives its series their owners, as far as they are known. */
void units_look(struct units *u, struct listener_table *t);
