/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/units.h"

#include <stdlib.h>

#include "collectors/cgroup_walk.h"
#include "daemon/core/listener_owner.h"

/* Directory entries that are read at a time: a millisecond's worth; some twenty make a cgroup.
 * The first time they may take longer, so that what starts has names from the beginning: a tenth of
 * a second's worth. */
#define LOOK_ENTRIES  2048
#define FIRST_ENTRIES 262144
/* More is no hierarchy, but somebody who makes cgroups faster than they are walked. */
#define WALK_ENTRIES 4194304

struct units {
	struct cgroup_walk walk;
	uint64_t walked; /* directory entries of the walk under way */
	bool has_looked;
};

struct units *units_new(void)
{
	struct units *u = calloc(1, sizeof(*u));

	if (u)
		u->walk = (struct cgroup_walk)CGROUP_WALK_INIT;
	return u;
}

void units_free(struct units *u)
{
	if (!u)
		return;
	cgroup_walk_done(&u->walk);
	free(u);
}

/* Whether a cgroup was found. */
static bool search(struct units *u, struct cgroup_names *cgroups)
{
	unsigned int room = u->has_looked ? LOOK_ENTRIES : FIRST_ENTRIES, budget = room;
	bool has_found = false;
	const char *path;
	uint64_t id;

	if (!cgroup_walk_is_under_way(&u->walk)) {
		cgroup_names_begin_search(cgroups);
		/* Where there is no hierarchy, none of it is known. */
		(void)cgroup_walk_start(&u->walk);
		u->walked = 0;
	}
	while (cgroup_walk_next(&u->walk, &budget, &id, &path))
		has_found |= cgroup_names_found(cgroups, id, path);
	u->walked += room - budget;
	if (u->walked >= WALK_ENTRIES)
		cgroup_walk_done(&u->walk);
	if (!cgroup_walk_is_under_way(&u->walk))
		cgroup_names_end_search(cgroups);
	return has_found;
}

void units_look(struct units *u, struct listener_table *t)
{
	listener_owner_assign(t);
	if (!cgroup_walk_is_under_way(&u->walk) && t->cgroups.wanted == 0)
		return;
	t->owners_due |= search(u, &t->cgroups);
	/* Those that are not there are known to be unknown. */
	t->owners_due |= !cgroup_walk_is_under_way(&u->walk);
	u->has_looked = true;
	listener_owner_assign(t);
}
