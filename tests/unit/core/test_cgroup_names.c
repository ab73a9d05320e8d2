/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/cgroup_names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/test_support.h"

TEST_SUITE(cgroup_names);

/* A round in which the ids from LOW to HIGH are in use. */
static void use(struct cgroup_names *n, uint64_t low, uint64_t high)
{
	cgroup_names_begin_round(n);
	for (uint64_t id = low; id <= high; id++)
		cr_assert_eq(cgroup_names_get(n, id), 0);
	cgroup_names_end_round(n);
}

static enum cgroup_state state(const struct cgroup_names *n, uint64_t id)
{
	const struct cgroup_name *name = cgroup_names_find(n, id);

	cr_assert(name, "%lu", id);
	return name->state;
}

Test(cgroup_names, a_search)
{
	struct cgroup_names n;

	cgroup_names_init(&n, 1);
	use(&n, 1, 3);
	cr_assert_eq(n.states[CGROUP_WANTED], 3);
	cgroup_names_begin_search(&n);
	cr_assert_eq(n.states[CGROUP_WANTED], 0);
	use(&n, 1, 4);
	cr_assert_eq(n.states[CGROUP_WANTED], 1, "asked for when the search had begun");
	cr_assert(cgroup_names_found(&n, 2, "/a.slice/b.service"));
	cr_assert(!cgroup_names_found(&n, 2, "/c"), "the same id is the same cgroup");
	cr_assert(!cgroup_names_found(&n, 99, "/d"), "nobody asked for it");
	cgroup_names_end_search(&n);
	cr_assert_eq(state(&n, 1), CGROUP_UNKNOWN);
	cr_assert_eq(state(&n, 2), CGROUP_NAMED);
	cr_assert_eq(state(&n, 4), CGROUP_WANTED);
	cr_assert_str_eq(cgroup_names_find(&n, 2)->path, "/a.slice/b.service");
	cr_assert_str_eq(cgroup_names_find(&n, 2)->name.unit, "b.service");
	cr_assert_str_eq(cgroup_names_find(&n, 1)->path, "");
	cgroup_names_done(&n);
	cgroup_names_done(&n);
}

/* What was unknown is not wanted for its own sake, but found when it is met. */
Test(cgroup_names, unknown_ones)
{
	struct cgroup_names n;

	cgroup_names_init(&n, 1);
	use(&n, 1, 2);
	cgroup_names_begin_search(&n);
	cgroup_names_end_search(&n);
	use(&n, 1, 2);
	cr_assert_eq(n.states[CGROUP_WANTED], 0);
	cgroup_names_begin_search(&n);
	cr_assert(cgroup_names_found(&n, 2, "/later"));
	cgroup_names_end_search(&n);
	cgroup_names_retry(&n);
	cr_assert_eq(n.states[CGROUP_WANTED], 1);
	cr_assert_eq(state(&n, 1), CGROUP_WANTED);
	cr_assert_eq(state(&n, 2), CGROUP_NAMED);
	cgroup_names_done(&n);
}

Test(cgroup_names, what_nobody_uses_is_forgotten)
{
	struct cgroup_names n;

	cgroup_names_init(&n, 1);
	use(&n, 1, 100);
	cgroup_names_begin_search(&n);
	cr_assert(cgroup_names_found(&n, 60, "/sixty"));
	use(&n, 50, 120);
	cr_assert_eq(n.count, 71);
	cr_assert_eq(n.states[CGROUP_WANTED], 20);
	cr_assert_null(cgroup_names_find(&n, 49));
	for (uint64_t id = 50; id <= 120; id++)
		cr_assert(cgroup_names_find(&n, id), "%lu", id);
	cr_assert_str_eq(cgroup_names_find(&n, 60)->path, "/sixty");
	use(&n, 60, 60);
	cr_assert_eq(n.states[CGROUP_WANTED], 0);
	cr_assert_str_eq(cgroup_names_find(&n, 60)->path, "/sixty");
	use(&n, 1, 0);
	cr_assert_eq(n.count, 0);
	cgroup_names_done(&n);
}

Test(cgroup_names, bounds)
{
	char path[2 * CGROUP_PATH_MAX];
	struct cgroup_names n;

	cgroup_names_init(&n, 1);
	use(&n, 1, CGROUP_NAMES_MAX);
	cgroup_names_begin_round(&n);
	cr_assert_eq(cgroup_names_get(&n, CGROUP_NAMES_MAX + 1), -ENOSPC);
	cr_assert_eq(cgroup_names_get(&n, CGROUP_NAMES_MAX), 0, "it is known already");
	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	cr_assert(cgroup_names_found(&n, 1, path));
	cr_assert_eq(strlen(cgroup_names_find(&n, 1)->path), CGROUP_PATH_MAX - 1);
	cgroup_names_done(&n);
}
