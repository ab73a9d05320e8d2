/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/cgroup_id.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

#include "daemon/util/macros.h"

/* As kernfs makes the handle of a cgroup: cgroup_get_from_id() takes it back. */
static uint64_t id_of(const char *path)
{
	union {
		struct file_handle handle;
		uint8_t bytes[sizeof(struct file_handle) + sizeof(uint64_t)];
	} h = {.handle.handle_bytes = sizeof(uint64_t)};
	struct statfs fs;
	uint64_t id;
	int mount;

	if (statfs(path, &fs) < 0 || (unsigned long)fs.f_type != CGROUP2_SUPER_MAGIC)
		return 0;
	if (name_to_handle_at(AT_FDCWD, path, &h.handle, &mount, 0) < 0 ||
	    h.handle.handle_bytes != sizeof(id))
		return 0;
	memcpy(&id, h.handle.f_handle, sizeof(id));
	return id;
}

uint64_t cgroup_id_find(const char *path)
{
	static const char *const roots[] = {"", "/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
	char full[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
		uint64_t id;

		if ((size_t)snprintf(full, sizeof(full), "%s%s", roots[i], path) >= sizeof(full))
			continue;
		id = id_of(full);
		if (id)
			return id;
	}
	return 0;
}
