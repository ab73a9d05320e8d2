/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/localdiag_parse.h"

#include <assert.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/netlink_diag.h>
#include <linux/packet_diag.h>
#include <linux/unix_diag.h>
#include <stddef.h>
#include <sys/socket.h>

#include "daemon/core/sock.h"

/* All begin with family and type, and none is shorter than this. */
static_assert(offsetof(struct unix_diag_msg, udiag_type) == 1, "as the others");
static_assert(offsetof(struct packet_diag_msg, pdiag_type) == 1, "as the others");
static_assert(offsetof(struct netlink_diag_msg, ndiag_type) == 1, "as the others");
static_assert(sizeof(struct packet_diag_msg) == sizeof(struct unix_diag_msg), "the shortest");

/* 0: the message is too short to have one. */
static uint64_t cookie_of(const struct nlmsghdr *message)
{
	const struct netlink_diag_msg *m = NLMSG_DATA(message);

	if (message->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return 0;
	return (uint64_t)m->ndiag_cookie[1] << 32 | m->ndiag_cookie[0];
}

int localdiag_parse(const struct nlmsghdr *message, struct sock_record *ret_record)
{
	const struct unix_diag_msg *m = NLMSG_DATA(message);
	struct sock_record record = {0};

	if (message->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return -EBADMSG;
	if (m->udiag_family != AF_UNIX && m->udiag_family != AF_PACKET &&
	    m->udiag_family != AF_NETLINK)
		return -EAFNOSUPPORT;
	record.family = m->udiag_family;
	record.type = m->udiag_type;
	if (m->udiag_family == AF_UNIX) {
		record.state = m->udiag_state;
		record.inode = m->udiag_ino;
	}
	if (m->udiag_family == AF_NETLINK)
		record.cookie = cookie_of(message);
	*ret_record = record;
	return 0;
}
