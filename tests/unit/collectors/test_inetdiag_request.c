/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/inetdiag_request.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>

#include "daemon/core/sock.h"
#include "tests/support/test_support.h"

TEST_SUITE(inetdiag_request);

struct request_bytes {
	uint8_t bytes[INETDIAG_REQUEST_MAX] __attribute__((aligned(8)));
};

static size_t render(uint8_t family, struct request_bytes *ret_request)
{
	const struct inetdiag_request request = {
		.family = family,
		.extensions = INETDIAG_EXT_INFO | INETDIAG_EXT_SKMEM,
		.states = SOCK_STATES_ALL,
	};

	memset(ret_request, 0xaa, sizeof(*ret_request));
	return inetdiag_request_render(&request, 0x01020304, ret_request->bytes);
}

static void assert_header(const struct request_bytes *request, size_t n, uint16_t type)
{
	const struct nlmsghdr *m = (const struct nlmsghdr *)request->bytes;

	cr_assert_eq(m->nlmsg_len, n);
	cr_assert_eq(m->nlmsg_type, type);
	cr_assert_eq(m->nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
	cr_assert_eq(m->nlmsg_seq, 0x01020304);
	cr_assert_eq(m->nlmsg_pid, 0);
}

static void assert_zero_but(struct request_bytes *request, void *asked, size_t n)
{
	static const struct request_bytes zero;

	memset(asked, 0, n);
	memset(request->bytes, 0, NLMSG_HDRLEN);
	cr_assert_eq(memcmp(request, &zero, sizeof(zero)), 0);
}

Test(inetdiag_request, both_families_in_one_walk)
{
	struct request_bytes request;
	struct inet_diag_req *r = NLMSG_DATA((struct nlmsghdr *)request.bytes);
	size_t n = render(AF_UNSPEC, &request);

	assert_header(&request, n, TCPDIAG_GETSOCK);
	cr_assert_eq(n, NLMSG_LENGTH(sizeof(*r)));
	cr_assert_eq(r->idiag_ext, 0x42);
	cr_assert_eq(r->idiag_states, 0x1f7e);
	r->idiag_states = 0;
	assert_zero_but(&request, &r->idiag_ext, sizeof(r->idiag_ext));
}

Test(inetdiag_request, one_family)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < sizeof(families); i++) {
		struct request_bytes request;
		struct inet_diag_req_v2 *r = NLMSG_DATA((struct nlmsghdr *)request.bytes);
		size_t n = render(families[i], &request);

		assert_header(&request, n, SOCK_DIAG_BY_FAMILY);
		cr_assert_eq(n, NLMSG_LENGTH(sizeof(*r)));
		cr_assert_eq(r->sdiag_family, families[i]);
		cr_assert_eq(r->sdiag_protocol, IPPROTO_TCP);
		cr_assert_eq(r->idiag_ext, 0x42);
		cr_assert_eq(r->pad, 0);
		cr_assert_eq(r->idiag_states, 0x1f7e);
		assert_zero_but(&request, r, offsetof(struct inet_diag_req_v2, id));
	}
}

static size_t render_of(enum poll_family of, uint8_t family, struct request_bytes *ret_request)
{
	const struct inetdiag_request request = {
		.of = of,
		.family = family,
		.extensions = INETDIAG_EXT_SKMEM,
		.states = UINT32_MAX,
	};

	memset(ret_request, 0xaa, sizeof(*ret_request));
	return inetdiag_request_render(&request, 0x01020304, ret_request->bytes);
}

Test(inetdiag_request, udp)
{
	struct request_bytes request;
	struct inet_diag_req_v2 *r = NLMSG_DATA((struct nlmsghdr *)request.bytes);
	size_t n = render_of(POLL_FAMILY_UDP, AF_INET6, &request);

	assert_header(&request, n, SOCK_DIAG_BY_FAMILY);
	cr_assert_eq(n, NLMSG_LENGTH(sizeof(*r)));
	cr_assert_eq(r->sdiag_family, AF_INET6);
	cr_assert_eq(r->sdiag_protocol, IPPROTO_UDP);
	cr_assert_eq(r->idiag_ext, 0x40);
	cr_assert_eq(r->idiag_states, UINT32_MAX);
	assert_zero_but(&request, r, offsetof(struct inet_diag_req_v2, id));
}

/* Where the attribute is not read, nobody must be found by what the field holds. */
Test(inetdiag_request, mptcp)
{
	struct request_bytes request;
	struct inet_diag_req_v2 *r = NLMSG_DATA((struct nlmsghdr *)request.bytes);
	struct nlattr *a = (struct nlattr *)(r + 1);
	uint32_t protocol;
	size_t n = render_of(POLL_FAMILY_MPTCP, AF_INET, &request);

	assert_header(&request, n, SOCK_DIAG_BY_FAMILY);
	cr_assert_eq(n, NLMSG_LENGTH(sizeof(*r)) + NLA_HDRLEN + sizeof(protocol));
	cr_assert_eq(r->sdiag_family, AF_INET);
	cr_assert_neq(r->sdiag_protocol, IPPROTO_TCP);
	cr_assert_neq(r->sdiag_protocol, 262 & UINT8_MAX);
	cr_assert_eq(a->nla_type, INET_DIAG_REQ_PROTOCOL);
	cr_assert_eq(a->nla_len, NLA_HDRLEN + sizeof(protocol));
	memcpy(&protocol, a + 1, sizeof(protocol));
	cr_assert_eq(protocol, 262);
	memset(a, 0, NLA_HDRLEN + sizeof(protocol));
	assert_zero_but(&request, r, offsetof(struct inet_diag_req_v2, id));
}

/* States and ports go into the request, the rest behind it; request sockets have two numbers. */
Test(inetdiag_request, filter)
{
	static struct filter_request filter = {
		.local_port = 443,
		.remote_port = 80,
		.code_len = 8,
		.code = {1, 2, 3, 4, 5, 6, 7, 8},
	};
	static const struct {
		uint32_t filter, request, expected;
	} states[] = {
		{UINT32_MAX, SOCK_STATES_ALL, SOCK_STATES_ALL},
		{SOCK_STATE_BIT(SOCK_ESTABLISHED), SOCK_STATES_ALL, 0x2},
		{SOCK_STATE_BIT(SOCK_SYN_RECV), SOCK_STATES_ALL, 0x1008},
		{~SOCK_STATE_BIT(SOCK_SYN_RECV), SOCK_STATES_ALL, SOCK_STATES_ALL & ~0x1008U},
		{UINT32_MAX, SOCK_STATE_BIT(SOCK_LISTEN), SOCK_STATE_BIT(SOCK_LISTEN)},
	};
	struct inetdiag_request request = {.filter = &filter};
	struct request_bytes udp;
	struct inet_diag_req_v2 *v2 = NLMSG_DATA((struct nlmsghdr *)udp.bytes);

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		struct request_bytes bytes;
		struct inet_diag_req *r = NLMSG_DATA((struct nlmsghdr *)bytes.bytes);
		struct nlattr *a = (struct nlattr *)(r + 1);
		size_t n;

		filter.states = states[i].filter;
		request.states = states[i].request;
		n = inetdiag_request_render(&request, 0x01020304, bytes.bytes);
		assert_header(&bytes, n, TCPDIAG_GETSOCK);
		cr_assert_eq(n, NLMSG_LENGTH(sizeof(*r)) + NLA_HDRLEN + 8);
		cr_assert_eq(r->idiag_states, states[i].expected, "%zu: %x", i, r->idiag_states);
		cr_assert_eq(r->id.idiag_sport, htons(443));
		cr_assert_eq(r->id.idiag_dport, htons(80));
		cr_assert_eq(a->nla_type, INET_DIAG_REQ_BYTECODE);
		cr_assert_eq(a->nla_len, NLA_HDRLEN + 8);
		cr_assert_eq(memcmp(a + 1, filter.code, 8), 0);
	}
	request.of = POLL_FAMILY_UDP;
	request.family = AF_INET;
	filter.code_len = 0;
	cr_assert_eq(inetdiag_request_render(&request, 1, udp.bytes), NLMSG_LENGTH(sizeof(*v2)));
	cr_assert_eq(v2->id.idiag_sport, htons(443));
}
