/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "collectors/inetdiag_parse.h"
#include "daemon/core/sock.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/collectors/message_builder.h"

TEST_SUITE(inetdiag_parse_malformed);

/* A row, then bytes that should be attributes. */
static int parse_with(const void *bytes, size_t n, struct sock_record *ret_record)
{
	static struct message_builder b;

	memset(&b, 0, sizeof(b));
	message_begin(&b, TCPDIAG_GETSOCK, 1, 1);
	message_add_row(&b);
	message_add(&b, bytes, n);
	message_last(&b)->nlmsg_len -= (uint32_t)(NLMSG_ALIGN(n) - n);
	return inetdiag_parse(message_last(&b), ret_record);
}

struct attribute_bytes {
	uint16_t len, type;
	char payload[12];
};

Test(inetdiag_parse_malformed, attributes)
{
	static const struct {
		const char *name;
		struct attribute_bytes bytes;
		size_t n;
		int result;
	} cases[] = {
		{"none", {0}, 0, 0},
		{"one byte", {8, 8, ""}, 1, -EBADMSG},
		{"half a header", {8, 8, ""}, 3, -EBADMSG},
		{"no length", {0, 8, ""}, 8, -EBADMSG},
		{"a length below the header's", {3, 8, ""}, 8, -EBADMSG},
		{"a header only", {4, 8, ""}, 4, 0},
		{"longer than what is there", {9, 8, ""}, 8, -EBADMSG},
		{"longest", {65535, 8, ""}, 8, -EBADMSG},
		{"without its padding", {5, 8, ""}, 5, 0},
		{"the second is cut", {8, 8, ""}, 10, -EBADMSG},
		{"the second has no length", {8, 8, ""}, 16, -EBADMSG},
		{"an unknown one", {8, 1000, ""}, 8, 0},
		{"algorithm", {10, INET_DIAG_CONG, "cubic"}, 12, 0},
		{"algorithm without an end", {9, INET_DIAG_CONG, "cubic"}, 12, -EBADMSG},
		{"algorithm of no bytes", {4, INET_DIAG_CONG, "cubic"}, 4, -EBADMSG},
		{"v6only", {5, INET_DIAG_SKV6ONLY, "\1"}, 8, 0},
		{"v6only of no bytes", {4, INET_DIAG_SKV6ONLY, "\1"}, 4, -EBADMSG},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sock_record r, untouched;

		memset(&r, 0xaa, sizeof(r));
		memset(&untouched, 0xaa, sizeof(untouched));
		cr_assert_eq(parse_with(&cases[i].bytes, cases[i].n, &r), cases[i].result, "%s",
			     cases[i].name);
		cr_assert_eq(memcmp(&r, &untouched, sizeof(r)) == 0, cases[i].result != 0, "%s",
			     cases[i].name);
	}
}

Test(inetdiag_parse_malformed, rows_that_are_too_short)
{
	struct message_builder b = {0};
	struct sock_record r;

	message_begin(&b, TCPDIAG_GETSOCK, 1, 1);
	message_add_row(&b);
	for (uint32_t n = NLMSG_HDRLEN; n < NLMSG_HDRLEN + sizeof(struct inet_diag_msg); n++) {
		message_last(&b)->nlmsg_len = n;
		cr_assert_eq(inetdiag_parse(message_last(&b), &r), -EBADMSG, "%u", n);
	}
	message_last(&b)->nlmsg_len = NLMSG_HDRLEN + sizeof(struct inet_diag_msg);
	cr_assert_eq(inetdiag_parse(message_last(&b), &r), 0);
}

/* Older kernels send less of tcp_info and skmem, later ones more: what came is what is said. */
Test(inetdiag_parse_malformed, no_length_of_tcp_info_or_skmem_is_a_fault)
{
	static const uint16_t types[] = {INET_DIAG_INFO, INET_DIAG_SKMEMINFO};
	static const uint8_t payload[1024];

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		for (uint16_t n = 0; n <= sizeof(payload); n++) {
			struct message_builder b = {0};
			struct sock_record r;
			bool is_info = types[i] == INET_DIAG_INFO;

			message_begin(&b, TCPDIAG_GETSOCK, 1, 1);
			message_add_row(&b);
			message_add_attribute(&b, types[i], payload, n);
			if (inetdiag_parse(message_last(&b), &r) || !r.tcp_info != !is_info ||
			    !r.skmem != is_info || r.tcp_info_len != (is_info ? n : 0) ||
			    r.skmem_len != (is_info ? 0 : n))
				cr_assert_fail("%u: %u bytes", types[i], n);
		}
	}
}

Test(inetdiag_parse_malformed, what_has_a_queue)
{
	static const struct {
		const char *name;
		uint8_t state, timer;
		bool is_full, has_queues;
	} cases[] = {
		{"established", SOCK_ESTABLISHED, SOCK_TIMER_OFF, true, true},
		{"a kernel that says less", SOCK_ESTABLISHED, SOCK_TIMER_OFF, false, true},
		{"listen", SOCK_LISTEN, SOCK_TIMER_OFF, true, true},
		{"request", SOCK_SYN_RECV, SOCK_TIMER_RETRANSMIT, false, false},
		{"request by its own state", 12, SOCK_TIMER_RETRANSMIT, false, false},
		{"fast open child", SOCK_SYN_RECV, SOCK_TIMER_RETRANSMIT, true, true},
		{"time-wait", SOCK_TIME_WAIT, SOCK_TIMER_TIME_WAIT, false, false},
		{"fin-wait-2", SOCK_FIN_WAIT2, SOCK_TIMER_KEEPALIVE, true, true},
		{"fin-wait-2 as time-wait", SOCK_FIN_WAIT2, SOCK_TIMER_TIME_WAIT, false, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct message_builder b = {0};
		struct sock_record r;
		uint32_t mark = 1;

		message_begin(&b, TCPDIAG_GETSOCK, 1, 1);
		message_add_row(&b);
		message_row(&b)->idiag_state = cases[i].state;
		message_row(&b)->idiag_timer = cases[i].timer;
		message_add_attribute(&b, INET_DIAG_MARK, &mark, sizeof(mark));
		if (cases[i].is_full)
			message_add_attribute(&b, INET_DIAG_SHUTDOWN, "", 1);
		cr_assert_eq(inetdiag_parse(message_last(&b), &r), 0, "%s", cases[i].name);
		cr_assert_eq(r.known,
			     cases[i].has_queues ? SOCK_KNOWS_RECEIVE_QUEUE | SOCK_KNOWS_SEND_QUEUE
						 : 0,
			     "%s", cases[i].name);
	}
}
