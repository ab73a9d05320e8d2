/* SPDX-License-Identifier: Apache-2.0 */
/* A walk over the real hierarchy, left and taken up again. */
#include "collectors/cgroup_walk.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "collectors/cgroup_id.h"
#include "daemon/util/macros.h"
#include "tests/unit/collectors/cgroup_tree.h"

TestSuite(cgroup_walk, .fini = cgroup_tree_clean_up);

#define ENDLESS 1000000000u

static void expect_root(struct cgroup_walk *w)
{
	unsigned int budget = 1;
	const char *path;
	struct stat st;
	uint64_t id;

	cr_assert(cgroup_walk_next(w, &budget, &id, &path));
	cr_assert_eq(budget, 0, "to open it is paid for");
	cr_assert_str_eq(path, "/");
	cr_assert_eq(stat(cgroup_id_root(), &st), 0);
	cr_assert_eq(id, st.st_ino);
}

Test(cgroup_walk, finds_each_once)
{
	static const unsigned int budgets[] = {1, 2, 3, 7, 50, ENDLESS};
	struct cgroup_walk w = CGROUP_WALK_INIT;

	if (!cgroup_tree_make())
		return;
	for (size_t i = 0; i < ARRAY_SIZE(budgets); i++) {
		cgroup_tree_start(&w);
		cr_assert(cgroup_walk_is_under_way(&w));
		expect_root(&w);
		cgroup_tree_walk(&w, budgets[i], NULL);
		cgroup_tree_expect_all(NULL);
		cgroup_tree_expect_ended(&w);
	}
	cgroup_walk_done(&w);
}

Test(cgroup_walk, not_started)
{
	struct cgroup_walk w = CGROUP_WALK_INIT;

	cgroup_tree_expect_ended(&w);
	cgroup_walk_done(&w);
	cgroup_walk_done(&w);
}

/* Nothing is read that nobody has paid for. */
Test(cgroup_walk, without_budget)
{
	struct cgroup_walk w = CGROUP_WALK_INIT;
	unsigned int budget = 0;
	const char *path;
	uint64_t id;

	if (!cgroup_tree_make())
		return;
	cgroup_tree_start(&w);
	cr_assert_not(cgroup_walk_next(&w, &budget, &id, &path));
	expect_root(&w);
	cr_assert_not(cgroup_walk_next(&w, &budget, &id, &path));
	cr_assert_eq(budget, 0);
	cr_assert_eq(telldir(w.dir), 0, "of the root nothing was read");
	cr_assert(cgroup_walk_is_under_way(&w));
	cgroup_walk_done(&w);
	cgroup_tree_expect_ended(&w);
}

static unsigned int count_entries(const char *name)
{
	char path[PATH_MAX];
	unsigned int count = 0;
	DIR *dir;

	cgroup_tree_path(name, path);
	dir = opendir(path);
	cr_assert(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* Also of the files that a cgroup has, which is most of what there is. */
Test(cgroup_walk, counts_what_it_reads)
{
	struct cgroup_walk w = CGROUP_WALK_INIT;
	unsigned int budget;
	size_t waiting_bytes;
	const char *path;
	uint64_t id;

	if (!cgroup_tree_make())
		return;
	budget = count_entries("/a/b/c");
	cr_assert_gt(budget, 4);
	cgroup_tree_start(&w);
	cgroup_tree_walk(&w, ENDLESS, "/a/b/c");
	waiting_bytes = w.waiting.len;
	cr_assert_not(cgroup_walk_next(&w, &budget, &id, &path));
	cr_assert_eq(budget, 0);
	cr_assert_eq(w.waiting.len, waiting_bytes, "there is no cgroup in it");
	cgroup_walk_done(&w);
}

/* What waits has gone when the walk comes to it. */
Test(cgroup_walk, removed_while_it_waits)
{
	struct cgroup_walk w = CGROUP_WALK_INIT;
	const char *gone;

	if (!cgroup_tree_make())
		return;
	cgroup_tree_start(&w);
	while (!*cgroup_tree_seen("/e") && !*cgroup_tree_seen("/f"))
		cgroup_tree_step(&w, 1);
	gone = *cgroup_tree_seen("/e") ? "/f" : "/e";
	cgroup_tree_remove(gone);
	cgroup_tree_walk(&w, 1, NULL);
	cgroup_tree_expect_all(gone);
	cgroup_tree_expect_ended(&w);
}

/* What is open has gone before the first of its entries is read. */
Test(cgroup_walk, removed_while_it_is_open)
{
	struct cgroup_walk w = CGROUP_WALK_INIT;

	if (!cgroup_tree_make())
		return;
	cgroup_tree_start(&w);
	cgroup_tree_walk(&w, 1, "/a/b/c");
	cgroup_tree_remove("/a/b/c");
	cgroup_tree_walk(&w, 1, NULL);
	cgroup_tree_expect_all(NULL);
	cgroup_tree_expect_ended(&w);
}

Test(cgroup_walk, restarts_in_the_middle)
{
	static const char *const where[] = {"", "/a", "/a/b/c", "/e"};
	struct cgroup_walk w = CGROUP_WALK_INIT;

	if (!cgroup_tree_make())
		return;
	for (size_t i = 0; i < ARRAY_SIZE(where); i++) {
		cgroup_tree_start(&w);
		cgroup_tree_walk(&w, 10, where[i]);
		cgroup_tree_start(&w);
		expect_root(&w);
		cgroup_tree_walk(&w, 10, NULL);
		cgroup_tree_expect_all(NULL);
	}
	cgroup_walk_done(&w);
}
