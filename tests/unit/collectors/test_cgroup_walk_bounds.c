/* SPDX-License-Identifier: Apache-2.0 */
/* What a walk meets that it must not follow, and what it has no room for. */
#include "collectors/cgroup_walk.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collectors/cgroup_id.h"
#include "daemon/util/macros.h"
#include "tests/unit/collectors/cgroup_tree.h"

TestSuite(cgroup_walk_bounds, .fini = cgroup_tree_clean_up);

#define ENDLESS 1000000000u

/* A user may make more cgroups than there is room for. */
Test(cgroup_walk_bounds, bounds_what_waits)
{
	struct cgroup_walk w = CGROUP_WALK_INIT;

	if (!cgroup_tree_make())
		return;
	for (size_t max = 1; max <= 4096; max += max < 128 ? 1 : 64) {
		w.waiting_max_bytes = max;
		cgroup_tree_start(&w);
		cr_assert_eq(w.left_out, 0);
		cgroup_tree_walk(&w, 1, NULL);
		cgroup_tree_expect_ended(&w);
		cr_assert_leq(*cgroup_tree_seen("/a/b"), 1);
		if (max < sizeof("/sockstatd-test-XXXXXX")) {
			cr_assert_eq(*cgroup_tree_seen(""), 0);
			cr_assert_gt(w.left_out, 0);
		}
	}
	w.waiting_max_bytes = CGROUP_WALK_WAITING_MAX_BYTES;
	cgroup_tree_start(&w);
	cgroup_tree_walk(&w, 1, NULL);
	cgroup_tree_expect_all(NULL);
}

/* A cgroup in FD whose name is LEN times C; its descriptor instead of FD. */
static int make_in(int fd, char c, size_t len)
{
	char name[NAME_MAX + 1];
	int below;

	memset(name, c, len);
	name[len] = '\0';
	cr_assert_eq(mkdirat(fd, name, 0755), 0, "%s", strerror(errno));
	below = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert(below >= 0);
	close(fd);
	return below;
}

/* By one step at a time, as no path leads there: at the bottom are the longest path there is, and
 * one that is longer by a byte. */
static void make_deep(const char *top)
{
	int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t left = PATH_MAX - 1 - strlen(top);
	int bottom;

	for (; left > NAME_MAX + 1; left -= NAME_MAX + 1)
		fd = make_in(fd, 'd', NAME_MAX);
	cr_assert_gt(left, 1);
	bottom = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	close(make_in(fd, 'l', left - 1));
	close(make_in(bottom, 'm', left));
}

Test(cgroup_walk_bounds, deeper_than_a_path)
{
	struct cgroup_walk w = CGROUP_WALK_INIT;
	unsigned int budget = ENDLESS;
	size_t longest = 0, root_len;
	char top[PATH_MAX];
	const char *path;
	uint64_t id;

	if (!cgroup_tree_make())
		return;
	cgroup_tree_path("", top);
	make_deep(top);
	root_len = strlen(cgroup_id_root());
	cgroup_tree_start(&w);
	while (cgroup_walk_next(&w, &budget, &id, &path)) {
		if (strncmp(path, top + root_len, strlen(top + root_len)) != 0)
			continue;
		cr_assert_not(strstr(path, "/mm"));
		longest = MAX(longest, strlen(path));
	}
	cr_assert_eq(longest, PATH_MAX - 1 - root_len);
	cr_assert_gt(w.left_out, 0);
}

static bool hides_types;

/* Of a file system that does not tell them. */
struct dirent *readdir(DIR *dir)
{
	static struct dirent *(*next)(DIR *);
	struct dirent *entry;

	if (!next)
		next = (struct dirent * (*)(DIR *)) dlsym(RTLD_NEXT, "readdir64");
	entry = next(dir);
	if (entry && hides_types)
		entry->d_type = DT_UNKNOWN;
	return entry;
}

/* Files are tried as well, and are none. */
Test(cgroup_walk_bounds, types_that_are_not_told)
{
	struct cgroup_walk w = CGROUP_WALK_INIT;

	if (!cgroup_tree_make())
		return;
	hides_types = true;
	cgroup_tree_start(&w);
	cgroup_tree_walk(&w, 100, NULL);
	cgroup_tree_expect_all(NULL);
	cr_assert_eq(w.left_out, 0);
}

static bool refuses_statx;

/* As a sandbox does that does not know the call. */
int statx(int fd, const char *path, int flags, unsigned int mask, struct statx *ret_st)
{
	static int (*next)(int, const char *, int, unsigned int, struct statx *);

	if (!next)
		next = (int (*)(int, const char *, int, unsigned int, struct statx *))dlsym(
			RTLD_NEXT, "statx");
	if (!refuses_statx)
		return next(fd, path, flags, mask, ret_st);
	errno = EPERM;
	return -1;
}

Test(cgroup_walk_bounds, where_ids_are_refused)
{
	struct cgroup_walk w = CGROUP_WALK_INIT;

	if (!cgroup_tree_make())
		return;
	cgroup_tree_start(&w);
	refuses_statx = true;
	cgroup_tree_step(&w, 100);
	cgroup_tree_expect_ended(&w);
	cr_assert_eq(w.left_out, 1, "the root is");
}

Test(cgroup_walk_bounds, what_may_not_be_read)
{
	struct cgroup_walk w = CGROUP_WALK_INIT;
	char path[PATH_MAX];

	if (!cgroup_tree_make())
		return;
	cgroup_tree_path("", path);
	cr_assert_eq(chmod(path, 0755), 0);
	cgroup_tree_path("/a", path);
	cr_assert_eq(chmod(path, 0), 0);
	cr_assert_eq(seteuid(65534), 0);
	cgroup_tree_start(&w);
	while (cgroup_walk_is_under_way(&w))
		cgroup_tree_step(&w, 100);
	cr_assert_eq(seteuid(0), 0);
	cr_assert_geq(w.left_out, 1);
	cgroup_tree_expect_all("/a");
}

/* Neither another file system nor a second sight of this one. */
Test(cgroup_walk_bounds, other_mounts)
{
	struct cgroup_walk w = CGROUP_WALK_INIT;
	char path[PATH_MAX], source[PATH_MAX];

	if (!cgroup_tree_make() || !cgroup_tree_enter_mounts())
		return;
	cgroup_tree_path("/a", source);
	cgroup_tree_path("/f", path);
	cr_assert_eq(mount(source, path, NULL, MS_BIND, NULL), 0, "%s", strerror(errno));
	cgroup_tree_path("/a/b", path);
	cr_assert_eq(mount("none", path, "tmpfs", 0, NULL), 0, "%s", strerror(errno));
	cgroup_tree_start(&w);
	/* These are not to be come by. */
	*cgroup_tree_seen("/f") = *cgroup_tree_seen("/a/b") = *cgroup_tree_seen("/a/b/c") = 1;
	cgroup_tree_walk(&w, 100, NULL);
	cgroup_tree_expect_all(NULL);
}

/* What is there when the walk begins is no cgroup. */
Test(cgroup_walk_bounds, root_that_is_covered)
{
	struct cgroup_walk w = CGROUP_WALK_INIT;
	const char *root = cgroup_id_root();

	if (!cgroup_tree_make() || !cgroup_tree_enter_mounts())
		return;
	cgroup_tree_start(&w);
	cr_assert_eq(mount("none", root, "tmpfs", 0, NULL), 0, "%s", strerror(errno));
	cgroup_tree_step(&w, 10);
	cgroup_tree_expect_ended(&w);
}

Test(cgroup_walk_bounds, no_hierarchy)
{
	struct cgroup_walk w = CGROUP_WALK_INIT;

	if (!cgroup_tree_enter_mounts())
		return;
	cr_assert_eq(mount("none", "/sys/fs/cgroup", "tmpfs", 0, NULL), 0, "%s", strerror(errno));
	cr_assert_eq(cgroup_walk_start(&w), -ENOENT);
	cgroup_tree_expect_ended(&w);
	cgroup_walk_done(&w);
}
