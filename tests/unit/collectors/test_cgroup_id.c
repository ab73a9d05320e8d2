/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/cgroup_id.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(cgroup_id);

/* Where cgroup v2 is mounted; NULL: nowhere. */
static const char *find_root(void)
{
	static const char *const roots[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
	struct statfs fs;

	for (size_t i = 0; i < ARRAY_SIZE(roots); i++)
		if (statfs(roots[i], &fs) == 0 && (unsigned long)fs.f_type == CGROUP2_SUPER_MAGIC)
			return roots[i];
	return NULL;
}

/* The id is the inode's number, on 64-bit machines (kernfs_gen_ino()). */
Test(cgroup_id, of_the_root)
{
	const char *root = find_root();
	struct stat st;

	if (!root) {
		printf("SKIPPED: no cgroup v2\n");
		return;
	}
	cr_assert_eq(stat(root, &st), 0);
	cr_assert_eq(cgroup_id_find(root), st.st_ino);
	cr_assert_eq(cgroup_id_find("/"), st.st_ino, "below the root of the hierarchy");
}

Test(cgroup_id, of_an_open_directory)
{
	const char *root = find_root();
	int other = open("/etc", O_PATH | O_CLOEXEC);
	int fd = root ? open(root, O_PATH | O_CLOEXEC) : -1;
	uint64_t id = 0, mount = 0;

	if (!root) {
		printf("SKIPPED: no cgroup v2\n");
		return;
	}
	cr_assert_str_eq(cgroup_id_root(), root);
	cr_assert_eq(cgroup_id_of_directory(fd, &id, &mount), 0);
	cr_assert_eq(id, cgroup_id_find("/"));
	cr_assert_neq(mount, 0);
	cr_assert_eq(cgroup_id_of_directory(other, &id, &mount), -ENOENT);
	close(fd);
	close(other);
	cr_assert_eq(cgroup_id_of_directory(fd, &id, &mount), -EBADF);
}

Test(cgroup_id, what_is_none)
{
	char path[PATH_MAX + 8];

	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	cr_assert_eq(cgroup_id_find("/no/such/cgroup"), 0);
	cr_assert_eq(cgroup_id_find("/etc"), 0, "no cgroup, but a directory");
	cr_assert_eq(cgroup_id_find(path), 0);
	cr_assert_eq(cgroup_id_find("/cgroup.procs"), 0, "in a cgroup, but a file");
}
