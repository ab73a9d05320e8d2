/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "daemon/util/cleanup.h"

static int read_all(int fd, size_t max, struct buf *text)
{
	char chunk[16 * 1024];
	ssize_t n;

	do {
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			buf_add(text, chunk, (size_t)n);
		if (text->error)
			return text->error;
		if (text->len > max)
			return -EFBIG;
	} while (n != 0);
	return 0;
}

int config_file_read(const char *path, size_t max, struct buf *text)
{
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : read_all(fd, max, text);
}
