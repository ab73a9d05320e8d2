/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/inetdiag_request.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/netlink_diag.h>
#include <linux/packet_diag.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* Newer than the headers of some systems. */
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
/* 253 and 254 are for experiments (RFC 3692); no kernel has sockets of them. */
#define PROTOCOL_OF_NOBODY 254
/* TCP_NEW_SYN_RECV of include/net/tcp_states.h. */
#define STATE_NEW_SYN_RECV 12

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

/* Behind the N bytes of a message; how long it is then. */
static size_t append(uint8_t *bytes, size_t n, uint16_t type, const void *payload, size_t len)
{
	struct nlmsghdr *header = (struct nlmsghdr *)bytes;
	const struct nlattr attribute = {
		.nla_len = (uint16_t)(NLA_HDRLEN + len),
		.nla_type = type,
	};

	memcpy(bytes + n, &attribute, sizeof(attribute));
	memcpy(bytes + n + NLA_HDRLEN, payload, len);
	header->nlmsg_len = (uint32_t)(n + NLA_HDRLEN + len);
	return header->nlmsg_len;
}

/* The kernel knows request sockets by another number, or by both. */
static uint32_t states_of(const struct inetdiag_request *request)
{
	const uint32_t both = SOCK_STATE_BIT(SOCK_SYN_RECV) | SOCK_STATE_BIT(STATE_NEW_SYN_RECV);
	uint32_t wanted;

	if (!request->filter)
		return request->states;
	wanted = request->filter->states & ~SOCK_STATE_BIT(STATE_NEW_SYN_RECV);
	if (wanted & both)
		wanted |= both;
	return request->states & wanted;
}

static struct inet_diag_sockid ports_of(const struct inetdiag_request *request)
{
	struct inet_diag_sockid id = {0};

	if (request->filter) {
		id.idiag_sport = htons(request->filter->local_port);
		id.idiag_dport = htons(request->filter->remote_port);
	}
	return id;
}

static size_t append_filter(const struct inetdiag_request *request, uint8_t *bytes, size_t n)
{
	if (!request->filter || request->filter->code_len == 0)
		return n;
	return append(bytes, n, INET_DIAG_REQ_BYTECODE, request->filter->code,
		      request->filter->code_len);
}

static size_t render_inet(const struct inetdiag_request *request, uint8_t protocol,
			  uint32_t sequence, uint8_t *ret_bytes)
{
	const struct inet_diag_req_v2 r = {
		.sdiag_family = request->family,
		.sdiag_protocol = protocol,
		.idiag_ext = request->extensions,
		.idiag_states = states_of(request),
		.id = ports_of(request),
	};
	size_t n = render_message(SOCK_DIAG_BY_FAMILY, sequence, &r, sizeof(r), ret_bytes);

	return append_filter(request, ret_bytes, n);
}

/* The protocol does not fit its field. A kernel before 5.9 does not read the attribute, and must
 * find nobody under the field's number: 262 & 255 would be TCP. */
static size_t render_mptcp(const struct inetdiag_request *request, uint32_t sequence,
			   uint8_t *ret_bytes)
{
	const uint32_t protocol = IPPROTO_MPTCP;
	size_t n = render_inet(request, PROTOCOL_OF_NOBODY, sequence, ret_bytes);

	return append(ret_bytes, n, INET_DIAG_REQ_PROTOCOL, &protocol, sizeof(protocol));
}

static size_t render_tcp(const struct inetdiag_request *request, uint32_t sequence,
			 uint8_t *ret_bytes)
{
	/* It has no field for the protocol, TCP is meant; nor does a dump look at its family. */
	const struct inet_diag_req legacy = {
		.idiag_ext = request->extensions,
		.idiag_states = states_of(request),
		.id = ports_of(request),
	};
	size_t n;

	if (request->family != AF_UNSPEC)
		return render_inet(request, IPPROTO_TCP, sequence, ret_bytes);
	n = render_message(TCPDIAG_GETSOCK, sequence, &legacy, sizeof(legacy), ret_bytes);
	return append_filter(request, ret_bytes, n);
}

size_t inetdiag_request_render(const struct inetdiag_request *request, uint32_t sequence,
			       uint8_t ret_bytes[INETDIAG_REQUEST_MAX])
{
	const struct unix_diag_req local = {
		.sdiag_family = AF_UNIX,
		.udiag_states = request->states,
		.udiag_show = request->extensions,
	};
	const struct packet_diag_req packet = {.sdiag_family = AF_PACKET};
	const struct netlink_diag_req netlink = {
		.sdiag_family = AF_NETLINK,
		.sdiag_protocol = NDIAG_PROTO_ALL,
	};

	memset(ret_bytes, 0, INETDIAG_REQUEST_MAX);
	switch (request->of) {
	case POLL_FAMILY_UNIX:
		return render_message(SOCK_DIAG_BY_FAMILY, sequence, &local, sizeof(local),
				      ret_bytes);
	case POLL_FAMILY_PACKET:
		return render_message(SOCK_DIAG_BY_FAMILY, sequence, &packet, sizeof(packet),
				      ret_bytes);
	case POLL_FAMILY_NETLINK:
		return render_message(SOCK_DIAG_BY_FAMILY, sequence, &netlink, sizeof(netlink),
				      ret_bytes);
	case POLL_FAMILY_RAW:
		return render_inet(request, IPPROTO_RAW, sequence, ret_bytes);
	case POLL_FAMILY_UDP:
		return render_inet(request, IPPROTO_UDP, sequence, ret_bytes);
	case POLL_FAMILY_MPTCP:
		return render_mptcp(request, sequence, ret_bytes);
	case POLL_FAMILY_TCP:
	case POLL_FAMILY_END:
		break;
	}
	return render_tcp(request, sequence, ret_bytes);
}
