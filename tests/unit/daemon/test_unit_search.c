/* SPDX-License-Identifier: Apache-2.0 */
/* On the real hierarchy, in which a few cgroups are the test's own. */
#include "daemon/unit_search.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collectors/cgroup_id.h"
#include "daemon/core/listener_owner.h"
#include "daemon/util/macros.h"
#include "tests/unit/collectors/cgroup_tree.h"
#include "tests/unit/core/listener_lane.h"

TestSuite(unit_search, .fini = cgroup_tree_clean_up);

#define MANY   1000000
#define MINUTE (60 * NSEC_PER_SEC)

struct scene {
	struct listener_lane lane;
	struct self_values self;
	struct unit_search *search;
	uint64_t id; /* of "/a/d.service" */
};

static bool scene_init(struct scene *s)
{
	char path[PATH_MAX];

	if (!cgroup_tree_make())
		return false;
	cgroup_tree_path("/a/d.service", path);
	s->id = cgroup_id_find(path);
	cr_assert_neq(s->id, 0);
	lane_init(&s->lane, 10);
	listener_owner_enable(&s->lane.table, true);
	s->search = unit_search_new(&s->self);
	cr_assert(s->search);
	LANE_POLL(&s->lane, {.local = "*:80", .cookie = 1, .cgroup_id = s->id});
	return true;
}

static void scene_done(struct scene *s)
{
	unit_search_free(s->search);
	lane_done(&s->lane);
}

/* A look at such a time, and the unit that is then known. */
static const char *look(struct scene *s, unsigned int entries, uint64_t now_ns)
{
	unit_search_run(s->search, &s->lane.table, entries, now_ns);
	return owner_label(lane_series(&s->lane, "*", "80")->owner, OWNER_UNIT);
}

Test(unit_search, at_once)
{
	static struct scene s;

	if (!scene_init(&s))
		return;
	cr_assert(unit_search_is_first(s.search));
	cr_assert_str_eq(look(&s, MANY, 1), "d.service");
	cr_assert(!unit_search_is_first(s.search));
	cr_assert_eq(s.lane.table.cgroups.searches, 1);
	cr_assert_str_eq(look(&s, MANY, 2), "d.service");
	cr_assert_eq(s.lane.table.cgroups.searches, 1, "nothing is looked for");
	scene_done(&s);
}

Test(unit_search, piece_by_piece)
{
	static struct scene s;
	unsigned int looks = 1;

	if (!scene_init(&s))
		return;
	while (*look(&s, 1, 1) == '\0')
		cr_assert_lt(++looks, MANY);
	cr_assert_gt(looks, 5, "the root has more files than that");
	cr_assert_eq(s.lane.table.cgroups.searches, 1, "it ends with what was looked for");
	scene_done(&s);
}

/* What is there was seen, so there is no use in looking again. */
Test(unit_search, of_one_that_is_gone)
{
	static struct scene s;

	if (!scene_init(&s))
		return;
	cgroup_tree_remove("/a/d.service");
	cr_assert_str_eq(look(&s, MANY, 1), "");
	cr_assert_eq(s.lane.table.cgroups.states[CGROUP_UNKNOWN], 1);
	cr_assert_str_eq(look(&s, MANY, 1000 * MINUTE), "");
	cr_assert_eq(s.lane.table.cgroups.searches, 1);
	cr_assert_eq(s.self.cgroup_searches_incomplete, 0);
	scene_done(&s);
}

static void set_mode(const char *name, mode_t mode)
{
	char path[PATH_MAX];

	cgroup_tree_path(name, path);
	cr_assert_eq(chmod(path, mode), 0);
}

/* Again after a minute, then after two, and so on. */
Test(unit_search, of_one_that_cannot_be_seen)
{
	static const unsigned int minutes[] = {1, 3, 7};
	static struct scene s;

	if (!scene_init(&s))
		return;
	set_mode("", 0755);
	set_mode("/a", 0);
	cr_assert_eq(seteuid(65534), 0);
	cr_assert_str_eq(look(&s, MANY, 1), "");
	for (size_t i = 0; i < ARRAY_SIZE(minutes); i++) {
		cr_assert_str_eq(look(&s, MANY, minutes[i] * MINUTE), "");
		cr_assert_eq(s.self.cgroup_searches_incomplete, i + 1, "%zu: too early", i);
		cr_assert_str_eq(look(&s, MANY, minutes[i] * MINUTE + 1), "");
		cr_assert_eq(s.self.cgroup_searches_incomplete, i + 2, "%zu", i);
	}
	cr_assert_eq(seteuid(0), 0);
	set_mode("/a", 0755);
	cr_assert_str_eq(look(&s, MANY, 15 * MINUTE + 1), "d.service");
	cr_assert_eq(s.self.cgroup_searches_incomplete, 4);
	scene_done(&s);
}
