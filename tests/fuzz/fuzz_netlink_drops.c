/* SPDX-License-Identifier: Apache-2.0 */
/* A line of /proc/net/netlink. */
#include "collectors/netlink_drops.h"

#include <assert.h>
#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint32_t untouched = 0x5a5a5a5a;
	uint32_t drops = untouched;
	int error = netlink_drops_parse((const char *)data, size, 4242, &drops);

	assert(error == 0 || error == -ENOENT || error == -EBADMSG);
	assert(error == 0 || drops == untouched);
	return 0;
}
