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

#include "collectors/netlink_attribute.h"
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

static int take_attribute(const struct nlattr *a, struct sock_record *record)
{
	const uint8_t *payload = netlink_attribute_payload(a);
	size_t n = netlink_attribute_len(a);

	switch (a->nla_type & NLA_TYPE_MASK) {
	case UNIX_DIAG_NAME:
		record->name = (const char *)payload;
		record->name_len = (uint16_t)n;
		return 0;
	case UNIX_DIAG_RQLEN:
		if (n < sizeof(struct unix_diag_rqlen))
			return -EBADMSG;
		record->receive_queue =
			sock_load_u32(payload, offsetof(struct unix_diag_rqlen, udiag_rqueue));
		record->send_queue =
			sock_load_u32(payload, offsetof(struct unix_diag_rqlen, udiag_wqueue));
		record->known |= SOCK_KNOWS_RECEIVE_QUEUE | SOCK_KNOWS_SEND_QUEUE;
		return 0;
	default:
		return 0;
	}
}

static int parse_unix(const struct nlmsghdr *message, struct sock_record *record)
{
	const struct unix_diag_msg *m = NLMSG_DATA(message);
	const uint8_t *bytes = (const uint8_t *)(m + 1);
	size_t n = message->nlmsg_len - NLMSG_LENGTH(sizeof(*m));
	const struct nlattr *a;

	record->state = m->udiag_state;
	record->inode = m->udiag_ino;
	while ((a = netlink_attribute_next(&bytes, &n)))
		if (take_attribute(a, record) < 0)
			return -EBADMSG;
	return n > 0 ? -EBADMSG : 0;
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
	if (m->udiag_family == AF_UNIX && parse_unix(message, &record) < 0)
		return -EBADMSG;
	if (m->udiag_family == AF_NETLINK)
		record.cookie = cookie_of(message);
	*ret_record = record;
	return 0;
}
