/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/collectors/cgroup_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collectors/cgroup_id.h"
#include "daemon/util/macros.h"

static const char *const names[] = {
	"", "/a", "/a/b", "/a/b/c", "/a/d.service", "/e", "/f", "/\\x2d \xff\xc3",
};

static char top[PATH_MAX];         /* in the file system */
static const char *top_below_root; /* and below the root of the hierarchy */
static int seen[ARRAY_SIZE(names)];
static pid_t keeper;
static int keeper_fd;

/* By descriptors, since a path may be too long. */
static void remove_below(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			remove_below(fd, entry->d_name);
	if (dir)
		closedir(dir);
	unlinkat(parent, name, AT_REMOVEDIR);
}

/*
 * What the test makes goes when the test does, however it ends: a process of its own waits for
 * that, without the mounts and rights of the test.
 */
static void start_keeper(void)
{
	int ends[2];
	char c;

	cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
	keeper = fork();
	cr_assert_neq(keeper, -1);
	if (keeper == 0) {
		close(ends[1]);
		while (read(ends[0], &c, 1) < 0)
			;
		remove_below(AT_FDCWD, top);
		_exit(0);
	}
	close(ends[0]);
	keeper_fd = ends[1];
}

void cgroup_tree_clean_up(void)
{
	if (keeper > 0) {
		close(keeper_fd);
		waitpid(keeper, NULL, 0);
	}
	test_check_leaks();
}

void cgroup_tree_path(const char *name, char ret_path[PATH_MAX])
{
	cr_assert_lt(snprintf(ret_path, PATH_MAX, "%s%s", top, name), PATH_MAX);
}

bool cgroup_tree_make(void)
{
	const char *root = cgroup_id_root();
	char path[PATH_MAX];

	if (root)
		snprintf(top, sizeof(top), "%s/sockstatd-test-XXXXXX", root);
	if (!root || !mkdtemp(top)) {
		printf("SKIPPED: no cgroup v2 to make cgroups in: %s\n", strerror(errno));
		fflush(stdout);
		return false;
	}
	start_keeper();
	top_below_root = top + strlen(root);
	for (size_t i = 1; i < ARRAY_SIZE(names); i++) {
		cgroup_tree_path(names[i], path);
		cr_assert_eq(mkdir(path, 0755), 0, "%s: %s", path, strerror(errno));
	}
	return true;
}

void cgroup_tree_remove(const char *name)
{
	char path[PATH_MAX];

	cgroup_tree_path(name, path);
	cr_assert_eq(rmdir(path), 0, "%s: %s", path, strerror(errno));
}

void cgroup_tree_start(struct cgroup_walk *w)
{
	memset(seen, 0, sizeof(seen));
	cr_assert_eq(cgroup_walk_start(w), 0);
}

static bool is_own(const char *path)
{
	size_t n = strlen(top_below_root);

	return strncmp(path, top_below_root, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

int *cgroup_tree_seen(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], name) == 0)
			return &seen[i];
	cr_assert_fail("%s was never made", name);
	return NULL;
}

static void note(uint64_t id, const char *path)
{
	char full[PATH_MAX];
	struct stat st;

	if (!is_own(path))
		return;
	path += strlen(top_below_root);
	cgroup_tree_path(path, full);
	cr_assert_eq(stat(full, &st), 0, "%s", full);
	cr_assert_eq(id, st.st_ino, "%s", full);
	(*cgroup_tree_seen(path))++;
}

void cgroup_tree_step(struct cgroup_walk *w, unsigned int budget)
{
	unsigned int left = budget;
	const char *path;
	uint64_t id;

	if (cgroup_walk_next(w, &left, &id, &path))
		note(id, path);
	else
		cr_assert(left == 0 || !cgroup_walk_is_under_way(w));
	cr_assert_leq(left, budget);
	cr_assert_leq(w->waiting.len, w->waiting_max_bytes);
}

void cgroup_tree_walk(struct cgroup_walk *w, unsigned int budget, const char *name)
{
	while (cgroup_walk_is_under_way(w) && !(name && *cgroup_tree_seen(name)))
		cgroup_tree_step(w, budget);
}

void cgroup_tree_expect_all(const char *missing)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		bool is_missing = missing && strncmp(names[i], missing, strlen(missing)) == 0;

		cr_assert_eq(seen[i], !is_missing, "%s%s: seen %d times", top, names[i], seen[i]);
	}
}

void cgroup_tree_expect_ended(struct cgroup_walk *w)
{
	unsigned int budget = 10;
	const char *path;
	uint64_t id;

	cr_assert_not(cgroup_walk_is_under_way(w));
	cr_assert_not(cgroup_walk_next(w, &budget, &id, &path));
	cr_assert_eq(budget, 10);
	cr_assert_null(w->dir);
	cr_assert_null(w->waiting.data);
}

bool cgroup_tree_enter_mounts(void)
{
	if (unshare(CLONE_NEWNS) < 0) {
		printf("SKIPPED: no mount namespace: %s\n", strerror(errno));
		fflush(stdout);
		return false;
	}
	cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	return true;
}
