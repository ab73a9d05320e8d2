/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "daemon/util/cleanup.h"

const char *procfs_path(const char *root, const char *path, char ret_full[PROCFS_PATH_MAX])
{
	if (snprintf(ret_full, PROCFS_PATH_MAX, "%s/%s", root, path) >= PROCFS_PATH_MAX)
		ret_full[0] = '\0';
	return ret_full;
}

int procfs_open(const char *root, const char *path)
{
	char full[PROCFS_PATH_MAX];
	int fd = open(procfs_path(root, path, full), O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

ssize_t procfs_read(const char *root, const char *path, char *ret_text, size_t cap)
{
	_close_ int fd = procfs_open(root, path);
	size_t len = 0;

	if (fd < 0)
		return fd;
	while (len < cap) {
		ssize_t n = read(fd, ret_text + len, cap - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0) {
			ret_text[len] = '\0';
			return (ssize_t)len;
		}
		len += (size_t)n;
	}
	return -EFBIG;
}
