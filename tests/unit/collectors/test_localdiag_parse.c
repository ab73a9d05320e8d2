/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/localdiag_parse.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/netlink_diag.h>
#include <linux/packet_diag.h>
#include <linux/unix_diag.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/core/sock.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(localdiag_parse);

struct message {
	struct nlmsghdr header;
	uint8_t payload[64];
};

static int parse(const void *payload, size_t n, struct sock_record *ret_record)
{
	struct message m = {.header.nlmsg_len = (uint32_t)NLMSG_LENGTH(n)};

	memcpy(m.payload, payload, n);
	return localdiag_parse(&m.header, ret_record);
}

Test(localdiag_parse, unix_socket)
{
	const struct unix_diag_msg m = {
		.udiag_family = AF_UNIX,
		.udiag_type = SOCK_SEQPACKET,
		.udiag_state = SOCK_LISTEN,
		.udiag_ino = 4711,
	};
	struct sock_record r;

	cr_assert_eq(parse(&m, sizeof(m), &r), 0);
	cr_assert_eq(r.family, AF_UNIX);
	cr_assert_eq(r.type, SOCK_SEQPACKET);
	cr_assert_eq(r.state, SOCK_LISTEN);
	cr_assert_eq(r.inode, 4711);
}

/* A UNIX socket's message with one attribute, of which LEN is said. */
static int parse_attribute(uint16_t type, uint16_t len, const void *payload, size_t n,
			   struct sock_record *ret_record)
{
	static struct message m;
	struct unix_diag_msg *head = (struct unix_diag_msg *)m.payload;
	struct nlattr *a = (struct nlattr *)(head + 1);

	*head = (struct unix_diag_msg){.udiag_family = AF_UNIX, .udiag_state = SOCK_LISTEN};
	*a = (struct nlattr){.nla_type = type, .nla_len = len};
	memcpy(a + 1, payload, n);
	m.header.nlmsg_len = (uint32_t)(NLMSG_LENGTH(sizeof(*head)) + NLA_HDRLEN + n);
	return localdiag_parse(&m.header, ret_record);
}

Test(localdiag_parse, name_and_queues)
{
	const struct unix_diag_rqlen queues = {.udiag_rqueue = 5, .udiag_wqueue = 128};
	struct sock_record r;

	cr_assert_eq(parse_attribute(UNIX_DIAG_NAME, NLA_HDRLEN + 3, "\0ab", 3, &r), 0);
	cr_assert_eq(r.name_len, 3);
	cr_assert_eq(memcmp(r.name, "\0ab", 3), 0);
	cr_assert_eq(r.known, 0);
	cr_assert_eq(parse_attribute(UNIX_DIAG_NAME, NLA_HDRLEN, "", 0, &r), 0);
	cr_assert_eq(r.name_len, 0);
	cr_assert_eq(parse_attribute(UNIX_DIAG_RQLEN, NLA_HDRLEN + 8, &queues, 8, &r), 0);
	cr_assert_eq(r.known, SOCK_KNOWS_RECEIVE_QUEUE | SOCK_KNOWS_SEND_QUEUE);
	cr_assert_eq(r.receive_queue, 5);
	cr_assert_eq(r.send_queue, 128);
	cr_assert_eq(r.name_len, 0);
	cr_assert_eq(parse_attribute(99, NLA_HDRLEN + 8, &queues, 8, &r), 0, "one unknown to us");
	cr_assert_eq(r.known, 0);
}

Test(localdiag_parse, malformed_attributes)
{
	const uint8_t zeros[16] = {0};
	struct sock_record r;

	cr_assert_eq(parse_attribute(UNIX_DIAG_RQLEN, NLA_HDRLEN + 4, zeros, 4, &r), -EBADMSG);
	cr_assert_eq(parse_attribute(UNIX_DIAG_NAME, NLA_HDRLEN + 9, zeros, 8, &r), -EBADMSG);
	cr_assert_eq(parse_attribute(UNIX_DIAG_NAME, NLA_HDRLEN - 1, zeros, 8, &r), -EBADMSG);
	cr_assert_eq(parse_attribute(UNIX_DIAG_NAME, 0, zeros, 8, &r), -EBADMSG);
}

Test(localdiag_parse, packet_and_netlink)
{
	const struct packet_diag_msg packet = {.pdiag_family = AF_PACKET, .pdiag_type = SOCK_RAW};
	const struct netlink_diag_msg netlink = {.ndiag_family = AF_NETLINK,
						 .ndiag_type = SOCK_DGRAM};
	struct sock_record r;

	cr_assert_eq(parse(&packet, sizeof(packet), &r), 0);
	cr_assert_eq(r.family, AF_PACKET);
	cr_assert_eq(parse(&netlink, sizeof(netlink), &r), 0);
	cr_assert_eq(r.family, AF_NETLINK);
	cr_assert_eq(r.type, SOCK_DGRAM);
}

Test(localdiag_parse, what_is_none)
{
	const struct unix_diag_msg other = {.udiag_family = AF_INET};
	const struct unix_diag_msg whole = {.udiag_family = AF_UNIX};
	struct sock_record r = {.inode = 99};

	cr_assert_eq(parse(&other, sizeof(other), &r), -EAFNOSUPPORT);
	for (size_t n = 0; n < sizeof(whole); n++)
		cr_assert_eq(parse(&whole, n, &r), -EBADMSG, "%zu", n);
	cr_assert_eq(r.inode, 99);
}
