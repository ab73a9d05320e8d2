/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/inetdiag_parse.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/sock.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/collectors/message_builder.h"

TEST_SUITE(inetdiag_parse);

#define QUEUES (SOCK_KNOWS_RECEIVE_QUEUE | SOCK_KNOWS_SEND_QUEUE)
#define V6ONLY SOCK_KNOWS_V6ONLY

/* What tests/fixtures/inetdiag/capture.py made; full: a full socket, with all attributes. */
struct row_case {
	uint16_t local_port, remote_port;
	const char *local, *remote;
	uint8_t state, timer, known, is_v4_in_v6, v6only, full;
	uint32_t receive_queue, send_queue;
};

#define LISTENER(port, local, limit) \
	port, 0, local, "0.0.0.0", SOCK_LISTEN, SOCK_TIMER_OFF, QUEUES, 0, 0, 1, 0, limit
#define LISTENER6(port, local, v6only) \
	port, 0, local, "::", SOCK_LISTEN, SOCK_TIMER_OFF, QUEUES | V6ONLY, 0, v6only, 1, 0, 8
#define SMALL(from, to, address, state, timer, mapped) \
	from, to, address, address, state, timer, 0, mapped, 0, 0, 0, 0
#define FULL(from, to, address, state, mapped, queued) \
	from, to, address, address, state, SOCK_TIMER_OFF, QUEUES, mapped, 0, 1, queued, 0

static const struct row_case row_cases[] = {
	{LISTENER(5001, "127.0.0.1", 8)},
	{LISTENER(5002, "0.0.0.0", 8)},
	{LISTENER6(6001, "::1", 1)}, /* bound to it, the kernel makes it so */
	{LISTENER6(6002, "::", 1)},
	{LISTENER6(7001, "::", 0)},
	{7002, 0, "127.0.0.1", "0.0.0.0", SOCK_LISTEN, 0, QUEUES | V6ONLY, 1, 0, 1, 0, 8},
	{5007, 0, "127.0.0.1", "0.0.0.0", SOCK_LISTEN, 0, QUEUES, 0, 0, 1, 3, 2},
	{FULL(5001, 15001, "127.0.0.1", SOCK_ESTABLISHED, 0, 1000)},
	{FULL(15001, 5001, "127.0.0.1", SOCK_ESTABLISHED, 0, 0)},
	{FULL(6001, 16001, "::1", SOCK_ESTABLISHED, 0, 0)},
	{FULL(7001, 17001, "127.0.0.1", SOCK_ESTABLISHED, 1, 0)},
	{FULL(17001, 7001, "127.0.0.1", SOCK_ESTABLISHED, 0, 0)},
	{FULL(5005, 15005, "127.0.0.1", SOCK_CLOSE_WAIT, 0, 1)},
	{5006, 15006, "127.0.0.1", "127.0.0.1", SOCK_SYN_RECV, 1, QUEUES, 0, 0, 1, 5, 0},
	{SMALL(5003, 15003, "127.0.0.1", SOCK_SYN_RECV, SOCK_TIMER_RETRANSMIT, 0)},
	{SMALL(6003, 16003, "::1", SOCK_SYN_RECV, SOCK_TIMER_RETRANSMIT, 0)},
	{SMALL(7003, 17003, "127.0.0.1", SOCK_SYN_RECV, SOCK_TIMER_RETRANSMIT, 1)},
	{SMALL(15004, 5004, "127.0.0.1", SOCK_TIME_WAIT, SOCK_TIMER_TIME_WAIT, 0)},
	{SMALL(16004, 6004, "::1", SOCK_TIME_WAIT, SOCK_TIMER_TIME_WAIT, 0)},
	{SMALL(7004, 17004, "127.0.0.1", SOCK_TIME_WAIT, SOCK_TIMER_TIME_WAIT, 1)},
	{SMALL(15005, 5005, "127.0.0.1", SOCK_FIN_WAIT2, SOCK_TIMER_TIME_WAIT, 0)},
};

#define FIXTURE_ROWS_MAX 64

struct fixture {
	char *bytes;
	struct sock_record records[FIXTURE_ROWS_MAX];
	unsigned int count;
};

static void fixture_init(struct fixture *f, const char *path)
{
	size_t n;

	f->bytes = test_read_file(path, &n);
	f->count = 0;
	for (size_t at = 0; at < n;) {
		const struct nlmsghdr *m = (const struct nlmsghdr *)(f->bytes + at);

		cr_assert(m->nlmsg_len >= NLMSG_HDRLEN && m->nlmsg_len <= n - at);
		if (m->nlmsg_type != NLMSG_DONE) {
			cr_assert(f->count < FIXTURE_ROWS_MAX);
			cr_assert_eq(inetdiag_parse(m, &f->records[f->count++]), 0);
		}
		at += NLMSG_ALIGN(m->nlmsg_len);
	}
}

static void fixture_done(struct fixture *f)
{
	free(f->bytes);
}

static const struct sock_record *fixture_find(const struct fixture *f, uint16_t local_port,
					      uint16_t remote_port)
{
	for (unsigned int i = 0; i < f->count; i++) {
		if (f->records[i].local_port == local_port &&
		    f->records[i].remote_port == remote_port)
			return &f->records[i];
	}
	return NULL;
}

static void assert_address(const struct sock_record *r, const struct sock_address *address,
			   const char *expected, unsigned int port)
{
	struct sock_address zero = {0};
	char text[INET6_ADDRSTRLEN];

	cr_assert(inet_ntop(r->family, address->bytes, text, sizeof(text)));
	cr_assert_str_eq(text, expected, "%u: %s", port, text);
	if (r->family == AF_INET)
		cr_assert_eq(memcmp(address->bytes + 4, zero.bytes, 12), 0, "%u", port);
}

static void assert_row(const struct sock_record *r, const struct row_case *c)
{
	unsigned int port = c->local_port;

	cr_assert_eq(r->family, strchr(c->local, ':') ? AF_INET6 : AF_INET, "%u", port);
	assert_address(r, &r->local, c->local, port);
	assert_address(r, &r->remote, c->remote, port);
	cr_assert_eq(r->state, c->state, "%u: %u", port, r->state);
	cr_assert_eq(r->timer, c->timer, "%u: %u", port, r->timer);
	cr_assert_eq(r->timer_ms > 0, c->timer != SOCK_TIMER_OFF, "%u", port);
	cr_assert_eq(r->known, c->known, "%u: %u", port, r->known);
	cr_assert_eq(r->is_v4_in_v6, c->is_v4_in_v6, "%u", port);
	cr_assert_eq(r->v6only, c->v6only, "%u", port);
	cr_assert_eq(r->receive_queue, c->receive_queue, "%u: %u", port, r->receive_queue);
	cr_assert_eq(r->send_queue, c->send_queue, "%u: %u", port, r->send_queue);
	cr_assert_eq(r->interface, port == 5002 ? 1 : 0, "%u", port);
	cr_assert_neq(r->cookie, 0, "%u", port);
}

static void assert_attributes(const struct sock_record *r, const struct row_case *c)
{
	unsigned int port = c->local_port;

	if (!c->full) {
		cr_assert(!r->tcp_info && !r->skmem && !r->algorithm, "%u", port);
		cr_assert(r->tcp_info_len == 0 && r->skmem_len == 0 && r->inode == 0, "%u", port);
		return;
	}
	cr_assert_eq(r->tcp_info_len, 280, "%u: %u", port, r->tcp_info_len);
	cr_assert_eq(r->skmem_len, 36, "%u: %u", port, r->skmem_len);
	cr_assert_eq(r->tcp_info[0], r->state, "%u", port);
	cr_assert_gt(sock_load_u32(r->skmem, SOCK_SKMEM_RCVBUF * 4), 0, "%u", port);
	cr_assert_str_eq(r->algorithm, port == 15001 ? "reno" : "cubic", "%u", port);
}

static bool skip_big_endian(void)
{
	if (BYTE_ORDER == LITTLE_ENDIAN)
		return false;
	printf("SKIPPED: the fixtures are little-endian\n");
	return true;
}

Test(inetdiag_parse, both_families_as_a_kernel_wrote_them)
{
	struct fixture f;

	if (skip_big_endian())
		return;
	fixture_init(&f, "tests/fixtures/inetdiag/legacy.bin");
	for (size_t i = 0; i < ARRAY_SIZE(row_cases); i++) {
		const struct row_case *c = &row_cases[i];
		const struct sock_record *r = fixture_find(&f, c->local_port, c->remote_port);

		cr_assert(r, "%u to %u", c->local_port, c->remote_port);
		assert_row(r, c);
		assert_attributes(r, c);
	}
	cr_assert_eq(fixture_find(&f, 5001, 0)->uid, 65534);
	cr_assert_neq(fixture_find(&f, 5001, 15001)->inode, 0);
	cr_assert_eq(fixture_find(&f, 5007, 15008)->inode, 0, "not yet accepted");
	fixture_done(&f);
}

Test(inetdiag_parse, each_family_gives_the_same_rows)
{
	static const char *const paths[] = {"tests/fixtures/inetdiag/ipv4.bin",
					    "tests/fixtures/inetdiag/ipv6.bin"};
	struct fixture both, one;
	unsigned int count = 0;

	if (skip_big_endian())
		return;
	fixture_init(&both, "tests/fixtures/inetdiag/legacy.bin");
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		fixture_init(&one, paths[i]);
		for (unsigned int k = 0; k < one.count; k++) {
			const struct sock_record *r = &one.records[k], *same;

			same = fixture_find(&both, r->local_port, r->remote_port);
			cr_assert(same, "%u", r->local_port);
			cr_assert(same->cookie == r->cookie && same->family == r->family &&
					  same->state == r->state && same->known == r->known,
				  "%u", r->local_port);
			count++;
		}
		fixture_done(&one);
	}
	cr_assert_eq(count, both.count);
	fixture_done(&both);
}

Test(inetdiag_parse, every_field_in_host_order)
{
	struct message_builder b = {0};
	struct sock_record r;
	struct inet_diag_msg *row;

	message_begin(&b, SOCK_DIAG_BY_FAMILY, 1, 1);
	message_add_row(&b);
	row = message_row(&b);
	row->idiag_state = SOCK_FIN_WAIT1;
	row->idiag_timer = 77;
	row->idiag_retrans = 3;
	row->id.idiag_if = 9;
	row->id.idiag_cookie[0] = 0x33221100;
	row->id.idiag_cookie[1] = 0x77665544;
	row->idiag_expires = 4;
	row->idiag_rqueue = 5;
	row->idiag_wqueue = 6;
	row->idiag_uid = 7;
	row->idiag_inode = 8;
	memset(&r, 0xaa, sizeof(r));
	cr_assert_eq(inetdiag_parse(message_last(&b), &r), 0);

	cr_assert_eq(r.cookie, UINT64_C(0x7766554433221100));
	cr_assert_eq(memcmp(r.local.bytes, "\x0a\0\0\x01\0\0\0\0\0\0\0\0\0\0\0", 16), 0);
	cr_assert_eq(memcmp(r.remote.bytes, "\x0a\0\0\x02\0\0\0\0\0\0\0\0\0\0\0", 16), 0);
	cr_assert(r.local_port == 80 && r.remote_port == 50000);
	cr_assert(r.family == AF_INET && r.state == SOCK_FIN_WAIT1 && r.is_v4_in_v6 == 0);
	cr_assert(r.timer == 77 && r.retransmits == 3 && r.timer_ms == 4 && r.interface == 9);
	cr_assert(r.known == QUEUES && r.receive_queue == 5 && r.send_queue == 6);
	cr_assert(r.uid == 7 && r.inode == 8);
	cr_assert(!r.tcp_info && !r.skmem && !r.algorithm && !r.v6only);
	cr_assert(r.tcp_info_len == 0 && r.skmem_len == 0);
}

/* The six attributes, added in the order that the number N stands for. */
static void add_attributes(struct message_builder *b, unsigned int n)
{
	static const struct {
		uint16_t type, len;
	} attributes[] = {
		{INET_DIAG_INFO | NLA_F_NESTED, 200},
		{INET_DIAG_SKMEMINFO, 36},
		{INET_DIAG_CONG, sizeof("bbr")},
		{INET_DIAG_SKV6ONLY, 1},
		{INET_DIAG_SHUTDOWN, 1},
		{999, 7},
	};
	unsigned int left[] = {0, 1, 2, 3, 4, 5};
	uint8_t payload[200];

	for (unsigned int count = ARRAY_SIZE(left); count > 0; count--) {
		unsigned int pick = n % count, which = left[pick];

		n /= count;
		memmove(left + pick, left + pick + 1, (count - pick - 1) * sizeof(left[0]));
		memset(payload, (int)which + 1, sizeof(payload));
		if (attributes[which].type == INET_DIAG_CONG)
			memcpy(payload, "bbr", sizeof("bbr"));
		message_add_attribute(b, attributes[which].type, payload, attributes[which].len);
	}
}

static bool all_attributes_are_there(const struct sock_record *r)
{
	return r->tcp_info && r->tcp_info[0] == 1 && r->tcp_info_len == 200 && r->skmem &&
	       r->skmem[0] == 2 && r->skmem_len == 36 && r->algorithm &&
	       strcmp(r->algorithm, "bbr") == 0 && r->v6only == 1 && r->known == (QUEUES | V6ONLY);
}

Test(inetdiag_parse, the_order_of_attributes_does_not_matter)
{
	for (unsigned int order = 0; order < 720; order++) {
		struct message_builder b = {0};
		struct sock_record r;

		message_begin(&b, TCPDIAG_GETSOCK, 1, 1);
		message_add_row(&b);
		message_row(&b)->idiag_state = SOCK_SYN_RECV;
		add_attributes(&b, order);
		if (inetdiag_parse(message_last(&b), &r) || !all_attributes_are_there(&r))
			cr_assert_fail("order %u", order);
	}
}

Test(inetdiag_parse, which_states_and_families_are_known)
{
	static const struct {
		const char *name;
		uint8_t family, state;
		int result;
		uint8_t becomes;
	} cases[] = {
		{"established", AF_INET, 1, 0, SOCK_ESTABLISHED},
		{"closing", AF_INET6, 11, 0, SOCK_CLOSING},
		{"close", AF_INET, 7, 0, SOCK_CLOSE},
		{"new syn_recv", AF_INET, 12, 0, SOCK_SYN_RECV},
		{"no state", AF_INET, 0, -EPROTO, 0},
		{"bound inactive", AF_INET6, 13, -EPROTO, 0},
		{"the last state", AF_INET, 255, -EPROTO, 0},
		{"no family", AF_UNSPEC, 1, -EAFNOSUPPORT, 0},
		{"a unix socket", AF_UNIX, 1, -EAFNOSUPPORT, 0},
		{"neither", 255, 255, -EAFNOSUPPORT, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct message_builder b = {0};
		struct sock_record r = {0};

		message_begin(&b, TCPDIAG_GETSOCK, 1, 1);
		message_add_row(&b);
		message_row(&b)->idiag_family = cases[i].family;
		message_row(&b)->idiag_state = cases[i].state;
		cr_assert_eq(inetdiag_parse(message_last(&b), &r), cases[i].result, "%s",
			     cases[i].name);
		cr_assert_eq(r.state, cases[i].becomes, "%s", cases[i].name);
	}
}

Test(inetdiag_parse, what_is_folded)
{
	static const struct {
		const char *name, *local, *remote;
		uint8_t state, folded;
	} cases[] = {
		{"both mapped", "::ffff:10.0.0.1", "::ffff:10.0.0.2", SOCK_ESTABLISHED, 1},
		{"both mapped, small", "::ffff:10.0.0.1", "::ffff:10.0.0.2", SOCK_TIME_WAIT, 1},
		{"a mapped listener", "::ffff:10.0.0.1", "::", SOCK_LISTEN, 1},
		{"a mapped wildcard", "::ffff:0.0.0.0", "::", SOCK_LISTEN, 1},
		{"any address", "::", "::", SOCK_LISTEN, 0},
		{"local only", "::ffff:10.0.0.1", "2001:db8::1", SOCK_ESTABLISHED, 0},
		{"remote only", "2001:db8::1", "::ffff:10.0.0.1", SOCK_ESTABLISHED, 0},
		{"compatible", "::10.0.0.1", "::10.0.0.2", SOCK_ESTABLISHED, 0},
		{"nearly mapped", "::1:ffff:10.0.0.1", "::1:ffff:10.0.0.2", SOCK_ESTABLISHED, 0},
		{"with one more bit", "0:0:0:1:0:ffff:a00:1", "0:0:0:1:0:ffff:a00:2",
		 SOCK_ESTABLISHED, 0},
		{"translated", "64:ff9b::10.0.0.1", "64:ff9b::10.0.0.2", SOCK_ESTABLISHED, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct message_builder b = {0};
		struct inet_diag_msg *row;
		struct sock_record r;

		message_begin(&b, TCPDIAG_GETSOCK, 1, 1);
		message_add_row(&b);
		row = message_row(&b);
		row->idiag_family = AF_INET6;
		row->idiag_state = cases[i].state;
		inet_pton(AF_INET6, cases[i].local, row->id.idiag_src);
		inet_pton(AF_INET6, cases[i].remote, row->id.idiag_dst);
		cr_assert_eq(inetdiag_parse(message_last(&b), &r), 0, "%s", cases[i].name);
		cr_assert_eq(r.is_v4_in_v6, cases[i].folded, "%s", cases[i].name);
		cr_assert_eq(r.family, cases[i].folded ? AF_INET : AF_INET6, "%s", cases[i].name);
		cr_assert_eq(memcmp(r.local.bytes, &row->id.idiag_src[cases[i].folded ? 3 : 0],
				    cases[i].folded ? 4 : 16),
			     0, "%s", cases[i].name);
		cr_assert_eq(r.local.bytes[15] != 0, !cases[i].folded && i != 4, "%s",
			     cases[i].name);
	}
}
