/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/procfs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/test_support.h"

TEST_SUITE(procfs);

Test(procfs, path)
{
	static char root[PROCFS_PATH_MAX];
	char full[PROCFS_PATH_MAX];

	cr_assert_str_eq(procfs_path("/proc", "self/net/tcp", full), "/proc/self/net/tcp");
	memset(root, 'x', sizeof(root) - 1);
	cr_assert_str_eq(procfs_path(root, "self/net/tcp", full), "", "it would be cut");
	cr_assert_eq(procfs_open(root, "self/net/tcp"), -ENOENT);
}

Test(procfs, open)
{
	int fd = procfs_open("/proc", "self/comm");

	cr_assert_geq(fd, 0);
	close(fd);
	cr_assert_eq(procfs_open("/proc", "self/nothing"), -ENOENT);
}

/* A file that fills the buffer may have more, and nobody is to take the half of it for the whole.
 */
Test(procfs, read)
{
	static const char text[] = "TCP6: inuse 3\n";
	const ssize_t len = sizeof(text) - 1;
	char directory[] = "/tmp/procfs.XXXXXX", path[64], found[64];
	FILE *f;

	cr_assert(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/file", directory);
	f = fopen(path, "w");
	cr_assert(f);
	fputs(text, f);
	fclose(f);
	cr_assert_eq(procfs_read(directory, "file", found, sizeof(found)), len);
	cr_assert_str_eq(found, text);
	cr_assert_eq(procfs_read(directory, "file", found, (size_t)len + 1), len);
	cr_assert_eq(procfs_read(directory, "file", found, (size_t)len), -EFBIG);
	cr_assert_eq(procfs_read(directory, "none", found, sizeof(found)), -ENOENT);
	cr_assert_eq(procfs_read(directory, ".", found, sizeof(found)), -EISDIR);
	remove(path);
	rmdir(directory);
}
