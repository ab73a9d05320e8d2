/* SPDX-License-Identifier: Apache-2.0 */
/* The text of /proc/net/netstat. */
#include "collectors/netstat.h"

#include <assert.h>
#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint64_t untouched = UINT64_C(0x5a5a5a5a5a5a5a5a);
	uint64_t value = untouched;
	int error = netstat_parse((const char *)data, size, "TcpExt:", "ListenDrops", &value);

	assert(error == 0 || error == -ENOENT || error == -EBADMSG);
	assert(error == 0 || value == untouched);
	return 0;
}
