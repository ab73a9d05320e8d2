/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/cgroup_id.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
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

/* As kernfs makes the handle of a cgroup: cgroup_get_from_id() takes it back. */
uint64_t cgroup_id_of_directory(int fd, int *ret_mount)
{
	union {
		struct file_handle handle;
		uint8_t bytes[sizeof(struct file_handle) + sizeof(uint64_t)];
	} h = {.handle.handle_bytes = sizeof(uint64_t)};
	uint64_t id;
	int mount;

	if (name_to_handle_at(fd, "", &h.handle, &mount, AT_EMPTY_PATH) < 0 ||
	    h.handle.handle_bytes != sizeof(id))
		return 0;
	memcpy(&id, h.handle.f_handle, sizeof(id));
	*ret_mount = mount;
	return id;
}

static uint64_t id_of(const char *path)
{
	_close_ int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;
	int mount;

	if (fd < 0 || fstatfs(fd, &fs) < 0 || (unsigned long)fs.f_type != CGROUP2_SUPER_MAGIC)
		return 0;
	return cgroup_id_of_directory(fd, &mount);
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
