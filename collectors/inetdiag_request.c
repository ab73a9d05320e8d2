/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/inetdiag_request.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>

static size_t render_message(uint16_t type, uint32_t sequence, const void *payload, size_t n,
			     uint8_t *ret_bytes)
{
	struct nlmsghdr header = {
		.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + n),
		.nlmsg_type = type,
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		.nlmsg_seq = sequence,
	};

	memcpy(ret_bytes, &header, sizeof(header));
	memcpy(ret_bytes + NLMSG_HDRLEN, payload, n);
	return header.nlmsg_len;
}

size_t inetdiag_request_render(const struct inetdiag_request *request, uint32_t sequence,
			       uint8_t ret_bytes[INETDIAG_REQUEST_MAX])
{
	/* It has no field for the protocol, TCP is meant; nor does a dump look at its family. */
	const struct inet_diag_req legacy = {
		.idiag_ext = request->extensions,
		.idiag_states = request->states,
	};
	const struct inet_diag_req_v2 by_family = {
		.sdiag_family = request->family,
		.sdiag_protocol = IPPROTO_TCP,
		.idiag_ext = request->extensions,
		.idiag_states = request->states,
	};

	memset(ret_bytes, 0, INETDIAG_REQUEST_MAX);
	if (request->family == AF_UNSPEC)
		return render_message(TCPDIAG_GETSOCK, sequence, &legacy, sizeof(legacy),
				      ret_bytes);
	return render_message(SOCK_DIAG_BY_FAMILY, sequence, &by_family, sizeof(by_family),
			      ret_bytes);
}
