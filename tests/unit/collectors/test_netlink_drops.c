/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/netlink_drops.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "collectors/netlink_socket.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(netlink_drops);

#define HEADING \
	"sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode"
#define PORT_ID 4294952013U
/* As Linux 6.18 writes it. */
#define ROW(protocol, port, drops)              \
	"00000000dc5d3b5d " protocol "   " port \
	" 00000005 0        0        0     2        " drops "        4242    "

Test(netlink_drops, parse)
{
	static const struct {
		const char *line;
		int result;
		uint32_t drops;
	} cases[] = {
		{ROW("4", "4294952013", "0"), 0, 0},
		{ROW("4", "4294952013", "5834"), 0, 5834},
		{ROW("4", "4294952013", "4294967295"), 0, UINT32_MAX},
		{"0 4 4294952013 0 0 0 0 2 7", 0, 7},
		{HEADING, -ENOENT, 0},
		{ROW("0", "4294952013", "1"), -ENOENT, 0},
		{ROW("4", "4294952014", "1"), -ENOENT, 0},
		{ROW("4", "0", "1"), -ENOENT, 0},
		{"", -EBADMSG, 0},
		{"0 4 4294952013 0 0 0 0 2", -EBADMSG, 0},
		{ROW("4", "4294952013", "4294967296"), -EBADMSG, 0},
		{ROW("4", "4294952013", "-1"), -EBADMSG, 0},
		{ROW("x", "4294952013", "1"), -EBADMSG, 0},
		{ROW("4", "pid", "1"), -EBADMSG, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t drops = 0;

		cr_assert_eq(
			netlink_drops_parse(cases[i].line, strlen(cases[i].line), PORT_ID, &drops),
			cases[i].result, "\"%s\"", cases[i].line);
		cr_assert_eq(drops, cases[i].drops, "\"%s\"", cases[i].line);
	}
}

Test(netlink_drops, parse_what_is_no_line)
{
	char line[300];
	uint32_t drops;

	memset(line, ' ', sizeof(line));
	cr_assert_eq(netlink_drops_parse(line, sizeof(line), PORT_ID, &drops), -EBADMSG);
	memcpy(line, "0 4 4294952013 0 0 0 0 2 \0007", 26);
	cr_assert_eq(netlink_drops_parse(line, 26, PORT_ID, &drops), -EBADMSG);
}

/* A table with many other sockets before ours, of which one line is as no kernel writes it. */
static void write_table(char path[64], int *ret_fd, const char *own)
{
	int fd = memfd_create("netlink", MFD_CLOEXEC);

	dprintf(fd, "%s\n", HEADING);
	for (int i = 0; i < 5000; i++)
		dprintf(fd, "00000000dc5d3b5d 4   %-10d 00000000 0 0 0 2 %d 1\n", i, i);
	dprintf(fd, "nonsense\n%0300d\n%s\n", 1, own);
	snprintf(path, 64, "/proc/self/fd/%d", fd);
	*ret_fd = fd;
}

Test(netlink_drops, read)
{
	uint32_t drops = 9;
	char path[64];
	int fd;

	write_table(path, &fd, ROW("4", "4294952013", "5834"));
	cr_assert_eq(netlink_drops_read(path, PORT_ID, &drops), 0);
	cr_assert_eq(drops, 5834);
	cr_assert_eq(netlink_drops_read(path, 4999, &drops), 0);
	cr_assert_eq(drops, 4999);
	close(fd);
}

Test(netlink_drops, read_what_is_not_there)
{
	uint32_t drops = 9;
	char path[64];
	int fd;

	write_table(path, &fd, HEADING);
	cr_assert_lt(netlink_drops_read(path, PORT_ID, &drops), 0);
	cr_assert_eq(netlink_drops_read("/nonexistent/netlink", PORT_ID, &drops), -ENOENT);
	cr_assert_eq(netlink_drops_read("/", PORT_ID, &drops), -EIO);
	cr_assert_eq(drops, 9);
	close(fd);
}

Test(netlink_drops, of_a_socket_that_is_there)
{
	struct netlink_socket s = NETLINK_SOCKET_INIT;
	uint32_t drops = 9;

	cr_assert_eq(netlink_socket_open(&s), 0);
	cr_assert_eq(netlink_drops_read("/proc/self/net/netlink", s.port_id, &drops), 0);
	cr_assert_eq(drops, 0);
	netlink_socket_close(&s);
}
