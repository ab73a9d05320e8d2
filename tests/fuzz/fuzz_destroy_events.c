/* SPDX-License-Identifier: Apache-2.0 */
/* A datagram of the destroy groups, as it lies in its slot of a batch. */
#include "collectors/destroy_events.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/util/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_free_ uint8_t *bytes = malloc(size + 1);
	struct sock_record record = {0};
	int error;

	if (!bytes)
		return 0;
	memcpy(bytes, data, size);
	error = destroy_events_digest(bytes, size, &record);
	assert(error == 0 || error == -EBADMSG);
	if (error == 0 && record.tcp_info)
		assert(record.tcp_info >= bytes &&
		       record.tcp_info + record.tcp_info_len <= bytes + size);
	return 0;
}
