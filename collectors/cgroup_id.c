/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/cgroup_id.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "daemon/util/cleanup.h"
#include "daemon/util/macros.h"

const char *cgroup_id_root(void)
{
	static const char *const roots[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
	struct statfs fs;

	for (size_t i = 0; i < ARRAY_SIZE(roots); i++)
		if (statfs(roots[i], &fs) == 0 && (unsigned long)fs.f_type == CGROUP2_SUPER_MAGIC)
			return roots[i];
	return NULL;
}

/* The number of the inode is the id (kernfs_ino() in include/linux/kernfs.h); where it has 32 bits,
 * as long as the kernel has made less than that many. A handle would say as much, but container
 * engines used to forbid name_to_handle_at(). */
int cgroup_id_of_directory(int fd, uint64_t *ret_id, uint64_t *ret_mount)
{
	struct statfs fs;
	struct statx st;

	if (fstatfs(fd, &fs) < 0)
		return -errno;
	if ((unsigned long)fs.f_type != CGROUP2_SUPER_MAGIC)
		return -ENOENT;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &st) < 0)
		return -errno;
	*ret_id = st.stx_ino;
	*ret_mount = st.stx_mask & STATX_MNT_ID ? st.stx_mnt_id : 0;
	return 0;
}

static uint64_t id_of(const char *path)
{
	_close_ int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	uint64_t id = 0, mount = 0;

	return fd >= 0 && cgroup_id_of_directory(fd, &id, &mount) == 0 ? id : 0;
}

uint64_t cgroup_id_find(const char *path)
{
	const char *root = cgroup_id_root();
	uint64_t id = id_of(path);
	char full[PATH_MAX];

	if (id || !root || (size_t)snprintf(full, sizeof(full), "%s%s", root, path) >= sizeof(full))
		return id;
	return id_of(full);
}
