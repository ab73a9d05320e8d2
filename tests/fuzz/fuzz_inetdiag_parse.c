/* SPDX-License-Identifier: Apache-2.0 */
/* One netlink message, of which nlmsg_len alone is right, as the dump has checked it. */
#include "collectors/inetdiag_parse.h"

#include <assert.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/core/sock.h"
#include "daemon/util/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void assert_inside(const void *bytes, size_t n, const void *message, size_t size)
{
	const uint8_t *begin = message, *at = bytes;

	assert(at >= begin + NLMSG_HDRLEN && at + n <= begin + size);
	assert((uintptr_t)at % 4 == 0);
}

static void assert_record(const struct sock_record *r, const void *message, size_t size)
{
	static const uint8_t zero[12];

	assert(r->family == AF_INET || r->family == AF_INET6);
	assert(sock_state_name(r->state));
	if (r->family == AF_INET) {
		assert(memcmp(r->local.bytes + 4, zero, sizeof(zero)) == 0);
		assert(memcmp(r->remote.bytes + 4, zero, sizeof(zero)) == 0);
	}
	assert(r->tcp_info || r->tcp_info_len == 0);
	assert(r->skmem || r->skmem_len == 0);
	if (r->tcp_info)
		assert_inside(r->tcp_info, r->tcp_info_len, message, size);
	if (r->skmem)
		assert_inside(r->skmem, r->skmem_len, message, size);
	if (r->algorithm)
		assert_inside(r->algorithm, strlen(r->algorithm) + 1, message, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_free_ struct nlmsghdr *message = NULL;
	struct sock_record record;

	if (size < NLMSG_HDRLEN)
		return 0;
	message = malloc(size);
	if (!message)
		return 0;
	memcpy(message, data, size);
	message->nlmsg_len = (uint32_t)size;
	if (inetdiag_parse(message, &record) == 0)
		assert_record(&record, message, size);
	return 0;
}
