/* SPDX-License-Identifier: Apache-2.0 */
/* A message of unix_diag, packet_diag or netlink_diag. */
#include "collectors/localdiag_parse.h"

#include <assert.h>
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/core/unix_listeners.h"
#include "daemon/util/macros.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t bytes[4096] __attribute__((aligned(8))) = {0};
	struct nlmsghdr *m = (struct nlmsghdr *)bytes;
	size_t n = MIN(size, sizeof(bytes) - NLMSG_HDRLEN);
	struct sock_record record = {0};
	int error;

	m->nlmsg_len = (uint32_t)NLMSG_LENGTH(n);
	memcpy(bytes + NLMSG_HDRLEN, data, n);
	error = localdiag_parse(m, &record);
	assert(error == 0 || error == -EBADMSG || error == -EAFNOSUPPORT);
	assert(error || record.family == AF_UNIX || record.family == AF_PACKET ||
	       record.family == AF_NETLINK);
	assert(error == 0 || record.family == 0);
	if (error == 0 && record.family == AF_UNIX) {
		char label[UNIX_LABEL_MAX];

		unix_listener_label(record.name, record.name_len, label);
		assert(strlen(label) < sizeof(label));
	}
	return 0;
}
