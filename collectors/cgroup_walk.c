/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/cgroup_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "collectors/cgroup_id.h"
#include "daemon/util/cleanup.h"

static void close_directory(struct cgroup_walk *w)
{
	if (w->dir)
		closedir(take_ptr(w->dir));
}

void cgroup_walk_done(struct cgroup_walk *w)
{
	close_directory(w);
	buf_done(&w->waiting);
}

/* The path of NAME in the directory that is open; its root has none. */
static void push(struct cgroup_walk *w, const char *name)
{
	const char *parent = w->path + w->root_len;
	size_t len = strlen(w->path) + 1 + strlen(name);

	if (len >= sizeof(w->path) ||
	    w->waiting.len + 1 + len - w->root_len > w->waiting_max_bytes) {
		w->left_out++;
		return;
	}
	buf_add_format(&w->waiting, "%c%s/%s", '\0', parent, name);
	/* All of it or nothing was added, and what waits already can still be visited. */
	if (w->waiting.error)
		w->left_out++;
	w->waiting.error = 0;
}

static void pop(struct cgroup_walk *w)
{
	const char *next = memrchr(w->waiting.data, '\0', w->waiting.len);
	size_t len = (size_t)(w->waiting.data + w->waiting.len - next - 1);

	memcpy(w->path + w->root_len, next + 1, len);
	w->path[w->root_len + len] = '\0';
	w->waiting.len -= len + 1;
}

int cgroup_walk_start(struct cgroup_walk *w)
{
	const char *root = cgroup_id_root();

	cgroup_walk_done(w);
	if (!root)
		return -ENOENT;
	w->left_out = 0;
	w->root_len = strlen(root);
	memcpy(w->path, root, w->root_len + 1);
	buf_add_char(&w->waiting, '\0');
	return w->waiting.error;
}

bool cgroup_walk_is_under_way(const struct cgroup_walk *w)
{
	return w->dir || w->waiting.len > 0;
}

/* Of its subdirectories only, the rest are the files that each cgroup has. */
static void read_directory(struct cgroup_walk *w, unsigned int *budget)
{
	for (; *budget > 0; (*budget)--) {
		const struct dirent *entry = readdir(w->dir);

		/* An error as well: the cgroup has gone. */
		if (!entry) {
			close_directory(w);
			return;
		}
		if (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN)
			continue;
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			push(w, entry->d_name);
	}
}

/* That of W's path. 0: it has gone, may not be read, or is not of this hierarchy. */
static uint64_t open_directory(struct cgroup_walk *w)
{
	_close_ int fd = open(w->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	uint64_t id = 0, mount = 0;
	int r = fd < 0 ? -errno : cgroup_id_of_directory(fd, &id, &mount);

	if (r < 0) {
		/* It has gone, or is a file. */
		w->left_out += r != -ENOENT && r != -ENODEV && r != -ENOTDIR;
		return 0;
	}
	if (!w->path[w->root_len])
		w->mount = mount;
	if (mount != w->mount)
		return 0;
	w->dir = fdopendir(fd);
	if (!w->dir) {
		w->left_out++;
		return 0;
	}
	take_fd(&fd);
	return id;
}

bool cgroup_walk_next(struct cgroup_walk *w, unsigned int *budget, uint64_t *ret_id,
		      const char **ret_path)
{
	while (*budget > 0 && cgroup_walk_is_under_way(w)) {
		uint64_t id;

		if (w->dir) {
			read_directory(w, budget);
			continue;
		}
		pop(w);
		(*budget)--;
		id = open_directory(w);
		if (id) {
			*ret_id = id;
			*ret_path = w->path[w->root_len] ? w->path + w->root_len : "/";
			return true;
		}
	}
	if (!cgroup_walk_is_under_way(w))
		cgroup_walk_done(w);
	return false;
}
