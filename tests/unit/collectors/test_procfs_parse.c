/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/procfs_parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/core/sock.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(procfs_parse);

/* An address as the kernel prints it on this machine: words in host order. */
static void print_address(char *out, const char *address)
{
	uint32_t words[4];
	int family = strchr(address, ':') ? AF_INET6 : AF_INET;

	inet_pton(family, address, words);
	for (int i = 0; i < (family == AF_INET6 ? 4 : 1); i++)
		out += sprintf(out, "%08X", words[i]);
}

struct case_of_line {
	const char *name, *local, *remote; /* addresses */
	const char *rest;                  /* behind the ports 0016 and 8AE2 */
	enum procfs_format format;
	int result;
	struct sock_record record; /* without its ends */
};

#define FULL " 20 4 30 10 -1"

static const struct case_of_line cases[] = {
	{"established",
	 "127.0.0.1",
	 "10.1.2.3",
	 " 01 00000010:00000020 02:000A7214 00000000  1000        0 12345 2 00000000deadbeef" FULL,
	 PROCFS_TCP,
	 0,
	 {.state = SOCK_ESTABLISHED,
	  .send_queue = 16,
	  .receive_queue = 32,
	  .timer = SOCK_TIMER_KEEPALIVE,
	  .timer_ms = 6845640,
	  .uid = 1000,
	  .inode = 12345,
	  .known = SOCK_KNOWS_RECEIVE_QUEUE | SOCK_KNOWS_SEND_QUEUE}},
	{"listen",
	 "0.0.0.0",
	 "0.0.0.0",
	 " 0A 00000000:00000003 00:00000000 00000000     0        0 7 1 0000000000000000 100 0 0 "
	 "10 0",
	 PROCFS_TCP,
	 0,
	 {.state = SOCK_LISTEN, .receive_queue = 3, .inode = 7, .known = SOCK_KNOWS_RECEIVE_QUEUE}},
	{"retransmits",
	 "::1",
	 "2001:db8::1",
	 " 02 00000001:00000000 01:00000064 00000002     0        0 9 2 0" FULL,
	 PROCFS_TCP,
	 0,
	 {.state = SOCK_SYN_SENT,
	  .send_queue = 1,
	  .timer = SOCK_TIMER_RETRANSMIT,
	  .timer_ms = 1000,
	  .retransmits = 2,
	  .inode = 9,
	  .known = SOCK_KNOWS_RECEIVE_QUEUE | SOCK_KNOWS_SEND_QUEUE}},
	{"time-wait",
	 "127.0.0.1",
	 "127.0.0.1",
	 " 06 00000000:00000000 03:000016B9 00000000     0        0 0 3 0000000000000000",
	 PROCFS_TCP,
	 0,
	 {.state = SOCK_TIME_WAIT, .timer = SOCK_TIMER_TIME_WAIT, .timer_ms = 58170}},
	{"time-wait, padded",
	 "127.0.0.1",
	 "127.0.0.1",
	 " 06 00000000:00000000 03:000016B9 00000000     0        0 0 3 0000000000000000      ",
	 PROCFS_TCP,
	 0,
	 {.state = SOCK_TIME_WAIT, .timer = SOCK_TIMER_TIME_WAIT, .timer_ms = 58170}},
	{"many retransmits",
	 "127.0.0.1",
	 "127.0.0.1",
	 " 03 00000000:00000000 01:00000001 00000FFF     0        0 0 1 0",
	 PROCFS_TCP,
	 0,
	 {.state = SOCK_SYN_RECV,
	  .timer = SOCK_TIMER_RETRANSMIT,
	  .timer_ms = 10,
	  .retransmits = 255}},
	{"udp",
	 "127.0.0.1",
	 "0.0.0.0",
	 " 07 00000000:00000300 00:00000000 00000000   101        0 55 2 0000000000000000 42",
	 PROCFS_UDP,
	 0,
	 {.state = SOCK_CLOSE,
	  .receive_queue = 768,
	  .uid = 101,
	  .inode = 55,
	  .drops = 42,
	  .known = SOCK_KNOWS_RECEIVE_QUEUE | SOCK_KNOWS_SEND_QUEUE | SOCK_KNOWS_DROPS}},
	{"udp without drops",
	 "127.0.0.1",
	 "0.0.0.0",
	 " 07 00000000:00000300 00:00000000 00000000   101        0 55 2 0000000000000000",
	 PROCFS_UDP,
	 -EBADMSG,
	 {0}},
	{"no state",
	 "127.0.0.1",
	 "127.0.0.1",
	 " 00 00000000:00000000 00:00000000 00000000     0        0 0 1 0" FULL,
	 PROCFS_TCP,
	 -EPROTO,
	 {0}},
	{"unknown state",
	 "127.0.0.1",
	 "127.0.0.1",
	 " 0C 00000000:00000000 00:00000000 00000000     0        0 0 1 0" FULL,
	 PROCFS_TCP,
	 -EPROTO,
	 {0}},
	{"no inode",
	 "127.0.0.1",
	 "127.0.0.1",
	 " 01 00000000:00000000 00:00000000 00000000     0        0",
	 PROCFS_TCP,
	 -EBADMSG,
	 {0}},
	{"a word for a uid",
	 "127.0.0.1",
	 "127.0.0.1",
	 " 01 00000000:00000000 00:00000000 00000000  root        0 1 1 0" FULL,
	 PROCFS_TCP,
	 -EBADMSG,
	 {0}},
	{"a uid too large",
	 "127.0.0.1",
	 "127.0.0.1",
	 " 01 00000000:00000000 00:00000000 00000000 4294967296 0 1 1 0" FULL,
	 PROCFS_TCP,
	 -EBADMSG,
	 {0}},
	{"a number too large",
	 "127.0.0.1",
	 "127.0.0.1",
	 " 01 00000000:00000000 00:00000000 00000000 0 0 99999999999999999999 1 0" FULL,
	 PROCFS_TCP,
	 -EBADMSG,
	 {0}},
	{"a queue of seven digits",
	 "127.0.0.1",
	 "127.0.0.1",
	 " 01 0000000:00000000 00:00000000 00000000 0 0 1 1 0" FULL,
	 PROCFS_TCP,
	 -EBADMSG,
	 {0}},
	{"mixed families",
	 "127.0.0.1",
	 "::1",
	 " 01 00000000:00000000 00:00000000 00000000 0 0 1 1 0" FULL,
	 PROCFS_TCP,
	 -EBADMSG,
	 {0}},
};

static size_t print_line(char line[512], const struct case_of_line *c)
{
	char local[40], remote[40];

	print_address(local, c->local);
	print_address(remote, c->remote);
	return (size_t)sprintf(line, "   4: %s:0016 %s:8AE2%s", local, remote, c->rest);
}

static void assert_address(const struct sock_address *found, const char *expected, const char *name)
{
	struct sock_address a = {0};

	inet_pton(strchr(expected, ':') ? AF_INET6 : AF_INET, expected, a.bytes);
	cr_assert(sock_address_equal(found, &a), "%s: %s", name, expected);
}

Test(procfs_parse, lines)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct case_of_line *c = &cases[i];
		struct sock_record r = {0}, expected = c->record;
		char line[512];
		size_t n = print_line(line, c);

		cr_assert_eq(procfs_parse_inet(line, n, c->format, &r), c->result, "%s", c->name);
		if (c->result < 0)
			continue;
		assert_address(&r.local, c->local, c->name);
		assert_address(&r.remote, c->remote, c->name);
		cr_assert_eq(r.family, strchr(c->local, ':') ? AF_INET6 : AF_INET, "%s", c->name);
		cr_assert_eq(r.local_port, 22, "%s", c->name);
		cr_assert_eq(r.remote_port, 0x8ae2, "%s", c->name);
		expected.local = r.local;
		expected.remote = r.remote;
		expected.family = r.family;
		expected.local_port = r.local_port;
		expected.remote_port = r.remote_port;
		cr_assert_eq(memcmp(&r, &expected, sizeof(r)), 0, "%s", c->name);
	}
}

Test(procfs_parse, mapped_addresses_are_folded)
{
	static const struct case_of_line mapped = {
		.local = "::ffff:127.0.0.1",
		.remote = "::ffff:10.0.0.1",
		.rest = " 01 00000000:00000000 00:00000000 00000000 0 0 1 1 0" FULL,
	};
	struct sock_record r;
	char line[512];
	size_t n = print_line(line, &mapped);

	cr_assert_eq(procfs_parse_inet(line, n, PROCFS_TCP, &r), 0);
	cr_assert_eq(r.family, AF_INET);
	cr_assert_eq(r.is_v4_in_v6, 1);
	assert_address(&r.local, "127.0.0.1", "local");
	assert_address(&r.remote, "10.0.0.1", "remote");
}

/* A line that is cut is a socket only if all that a socket needs was there. */
Test(procfs_parse, cut_anywhere)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char line[512], copy[512];
		size_t n = print_line(line, &cases[i]);

		for (size_t cut = 0; cut < n; cut++) {
			struct sock_record r;

			memcpy(copy, line, cut);
			if (procfs_parse_inet(copy, cut, cases[i].format, &r) == 0)
				cr_assert_gt(cut, 100 - 27, "%s %zu", cases[i].name, cut);
		}
	}
}

/* What unix_seq_show() prints, and what it makes of a state. */
Test(procfs_parse, unix_lines)
{
	static const struct {
		const char *line;
		int result;
		uint8_t type, state;
		uint32_t inode;
	} lines[] = {
		{"0000000000000000: 00000002 00000000 00010000 0001 01 12345 /run/x", 0,
		 SOCK_STREAM, SOCK_LISTEN, 12345},
		{"0000000000000000: 00000003 00000000 00000000 0001 03 7", 0, SOCK_STREAM,
		 SOCK_ESTABLISHED, 7},
		{"00000000: 00000002 00000000 00000000 0002 01     9 @a b", 0, SOCK_DGRAM,
		 SOCK_CLOSE, 9},
		{"0000000000000000: 00000002 00000000 00000000 0005 02     0", 0, SOCK_SEQPACKET,
		 SOCK_ESTABLISHED, 0},
		{"0000000000000000: 00000002 00000000 00010000 0001 01", -EBADMSG, 0, 0, 0},
		{"0000000000000000: 00000002 00000000 00010000 0001 01 x", -EBADMSG, 0, 0, 0},
		{"Num       RefCount Protocol Flags    Type St Inode Path", -EBADMSG, 0, 0, 0},
		{"", -EBADMSG, 0, 0, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct sock_record r = {0};

		cr_assert_eq(procfs_parse_unix(lines[i].line, strlen(lines[i].line), &r),
			     lines[i].result, "%s", lines[i].line);
		cr_assert_eq(r.type, lines[i].type, "%s", lines[i].line);
		cr_assert_eq(r.state, lines[i].state, "%s", lines[i].line);
		cr_assert_eq(r.inode, lines[i].inode, "%s", lines[i].line);
	}
}

Test(procfs_parse, lines_that_are_counted)
{
	static const char packet[] =
		"0000000000000000 3      3    0003   0     1 0      0      4711";
	static const char netlink[] =
		"0000000000000000 0   12345  00000000 0        0        0     2        0        7";
	struct sock_record r;

	cr_assert_eq(procfs_parse_packet(packet, strlen(packet), &r), 0);
	cr_assert_eq(r.family, AF_PACKET);
	cr_assert_eq(procfs_parse_packet(packet, strlen(packet) - 5, &r), -EBADMSG);
	cr_assert_eq(procfs_parse_netlink(netlink, strlen(netlink), &r), 0);
	cr_assert_eq(r.family, AF_NETLINK);
	cr_assert_eq(procfs_parse_netlink(packet, strlen(packet), &r), -EBADMSG);
}
