/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/port_range.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "daemon/util/cleanup.h"
#include "daemon/util/parse_num.h"

/* "65535\t65535\n" and the end are 13 bytes; what does not fit is no port range. */
#define PORT_RANGE_BYTES 32

int port_range_parse(const char *text, uint16_t *ret_low, uint16_t *ret_high)
{
	char copy[PORT_RANGE_BYTES], *tab, *newline;
	size_t n = strlen(text);
	uint64_t low, high;

	if (n >= sizeof(copy))
		return -EBADMSG;
	memcpy(copy, text, n + 1);
	tab = strchr(copy, '\t');
	newline = strchr(copy, '\n');
	if (!tab || !newline || newline[1] != '\0')
		return -EBADMSG;
	*tab = '\0';
	*newline = '\0';
	if (parse_u64(copy, 0, UINT16_MAX, &low) || parse_u64(tab + 1, low, UINT16_MAX, &high))
		return -EBADMSG;

	*ret_low = (uint16_t)low;
	*ret_high = (uint16_t)high;
	return 0;
}

int port_range_read(const char *path, uint16_t *ret_low, uint16_t *ret_high)
{
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[PORT_RANGE_BYTES];
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	return port_range_parse(text, ret_low, ret_high);
}
