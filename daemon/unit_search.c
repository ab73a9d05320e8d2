/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/unit_search.h"

#include <errno.h>
#include <stdlib.h>

#include "collectors/cgroup_walk.h"
#include "daemon/core/listener_owner.h"
#include "daemon/io/log.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"

/* Directory entries of one walk. More is no hierarchy, but somebody who makes cgroups faster than
 * they are walked. */
#define WALK_ENTRIES UINT64_C(4194304)
/* When a walk that has not seen all is made again; then after twice as long, and so on. */
#define RETRY_MIN_NS (60 * NSEC_PER_SEC)
#define RETRY_MAX_NS (3600 * NSEC_PER_SEC)

struct unit_search {
	struct cgroup_walk walk;
	struct self_values *self;
	uint64_t walked;             /* entries of the walk under way */
	uint64_t retry_ns, wait_ns;  /* when, 0: not; how long was waited for it */
	bool has_looked, has_failed; /* has_failed: it was said in the log */
	bool could_begin;            /* the walk under way */
};

struct unit_search *unit_search_new(struct self_values *self)
{
	struct unit_search *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->walk = (struct cgroup_walk)CGROUP_WALK_INIT;
	u->self = self;
	return u;
}

void unit_search_free(struct unit_search *u)
{
	if (!u)
		return;
	cgroup_walk_done(&u->walk);
	free(u);
}

bool unit_search_is_first(const struct unit_search *u)
{
	return !u->has_looked;
}

static void begin(struct unit_search *u, struct cgroup_names *cgroups)
{
	int r = cgroup_walk_start(&u->walk);

	/* Where there is no hierarchy, there is nothing more to see. */
	u->could_begin = r == 0 || r == -ENOENT;
	u->walked = 0;
	cgroup_names_begin_search(cgroups);
}

static void note_failure(struct unit_search *u, uint64_t now_ns)
{
	self_add(&u->self->cgroup_searches_incomplete, 1);
	if (!u->has_failed)
		log_warn("not all cgroups can be seen; units of listeners may be missing",
			 "left_out=%lu", (unsigned long)u->walk.left_out);
	u->has_failed = true;
	u->wait_ns = u->wait_ns ? MIN(2 * u->wait_ns, RETRY_MAX_NS) : RETRY_MIN_NS;
	u->retry_ns = now_ns + u->wait_ns;
}

static void end(struct unit_search *u, struct cgroup_names *cgroups, uint64_t now_ns)
{
	bool is_whole = u->could_begin && u->walk.left_out == 0 && u->walked < WALK_ENTRIES;

	cgroup_walk_done(&u->walk);
	if (cgroups->states[CGROUP_SOUGHT] == 0 || is_whole)
		u->wait_ns = 0;
	else
		note_failure(u, now_ns);
	cgroup_names_end_search(cgroups);
}

/* Whether there is something new. */
static bool search(struct unit_search *u, struct cgroup_names *cgroups, unsigned int entries,
		   uint64_t now_ns)
{
	const uint32_t *sought = &cgroups->states[CGROUP_SOUGHT];
	unsigned int budget = entries;
	bool has_found = false;
	const char *path;
	uint64_t id;

	if (!cgroup_walk_is_under_way(&u->walk))
		begin(u, cgroups);
	while (*sought > 0 && cgroup_walk_next(&u->walk, &budget, &id, &path))
		has_found |= cgroup_names_found(cgroups, id, path);
	u->walked += entries - budget;
	if (*sought > 0 && u->walked < WALK_ENTRIES && cgroup_walk_is_under_way(&u->walk))
		return has_found;
	end(u, cgroups, now_ns);
	return true;
}

void unit_search_run(struct unit_search *u, struct listener_table *t, unsigned int entries,
		     uint64_t now_ns)
{
	if (u->retry_ns && now_ns >= u->retry_ns) {
		u->retry_ns = 0;
		cgroup_names_retry(&t->cgroups);
	}
	listener_owner_assign(t);
	u->has_looked = true;
	if (!cgroup_walk_is_under_way(&u->walk) && t->cgroups.states[CGROUP_WANTED] == 0)
		return;
	t->owners_due |= search(u, &t->cgroups, entries, now_ns);
	listener_owner_assign(t);
}
