/* SPDX-License-Identifier: Apache-2.0 */
/* A line of a table of /proc; the first byte chooses its format. */
#include "collectors/procfs_parse.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/core/sock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct sock_record untouched;
	struct sock_record record = {0};
	enum procfs_format format = size > 0 && data[0] & 1 ? PROCFS_UDP : PROCFS_TCP;
	int error;

	if (size == 0)
		return 0;
	if (data[0] & 2) {
		error = procfs_parse_unix((const char *)data + 1, size - 1, &record);
		assert(error == 0 || error == -EBADMSG);
		assert(error || record.family == AF_UNIX);
		return 0;
	}
	error = procfs_parse_inet((const char *)data + 1, size - 1, format, &record);
	assert(error == 0 || error == -EBADMSG || error == -EPROTO);
	if (error) {
		assert(memcmp(&record, &untouched, sizeof(record)) == 0);
		return 0;
	}
	assert(record.family == AF_INET || record.family == AF_INET6);
	assert(record.cookie == 0 && !record.tcp_info && !record.skmem);
	if (format == PROCFS_TCP)
		assert(record.state > 0 && record.state < SOCK_STATE_END);
	return 0;
}
