/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/inetdiag_parse.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <string.h>

#include "collectors/netlink_attribute.h"
#include "daemon/core/sock.h"

static_assert(sizeof(struct inet_diag_msg) == 72, "what every kernel sends");

/* TCP_NEW_SYN_RECV of include/net/tcp_states.h. */
#define STATE_NEW_SYN_RECV 12

/* What a record keeps of a row's attributes. */
struct attributes {
	const struct nlattr *info, *skmem, *algorithm, *v6only, *cgroup;
	/* The kernel says how every full socket was shut down, and of no request or time-wait
	 * socket (inet_diag_msg_attrs_fill()). */
	bool is_full_socket;
};

/* As the kernel sends it, the end is the last byte. */
static bool is_terminated(const uint8_t *text, size_t n)
{
	return n > 0 && (text[n - 1] == '\0' || memchr(text, '\0', n));
}

static int attributes_take(struct attributes *attributes, const struct nlattr *a)
{
	switch (a->nla_type & NLA_TYPE_MASK) {
	case INET_DIAG_INFO:
		attributes->info = a;
		return 0;
	case INET_DIAG_SKMEMINFO:
		attributes->skmem = a;
		return 0;
	case INET_DIAG_CONG:
		attributes->algorithm = a;
		return is_terminated(netlink_attribute_payload(a), netlink_attribute_len(a))
			       ? 0
			       : -EBADMSG;
	case INET_DIAG_SKV6ONLY:
		attributes->v6only = a;
		return netlink_attribute_len(a) > 0 ? 0 : -EBADMSG;
	case INET_DIAG_CGROUP_ID:
		attributes->cgroup = a;
		return netlink_attribute_len(a) >= sizeof(uint64_t) ? 0 : -EBADMSG;
	case INET_DIAG_SHUTDOWN:
		attributes->is_full_socket = true;
		return 0;
	default:
		return 0;
	}
}

static int attributes_parse(const uint8_t *bytes, size_t n, struct attributes *ret_attributes)
{
	struct attributes attributes = {0};
	const struct nlattr *a;

	while ((a = netlink_attribute_next(&bytes, &n)))
		if (attributes_take(&attributes, a) < 0)
			return -EBADMSG;
	if (n > 0)
		return -EBADMSG;
	*ret_attributes = attributes;
	return 0;
}

/* ::ffff:a.b.c.d */
static bool is_mapped(const __be32 address[4])
{
	return address[0] == 0 && address[1] == 0 && address[2] == htonl(0xffff);
}

/* A listener has no remote address that could be mapped. */
static bool is_v4_in_v6(const struct inet_diag_msg *m)
{
	return m->idiag_family == AF_INET6 && is_mapped(m->id.idiag_src) &&
	       (is_mapped(m->id.idiag_dst) || m->idiag_state == SOCK_LISTEN);
}

static void parse_addresses(const struct inet_diag_msg *m, struct sock_record *record)
{
	const __be32 *local = m->id.idiag_src, *remote = m->id.idiag_dst;

	record->is_v4_in_v6 = is_v4_in_v6(m);
	if (record->is_v4_in_v6) {
		/* Of a listener's remote address, ::, this takes a zero as well. */
		local += 3;
		remote += 3;
	}
	if (record->is_v4_in_v6 || m->idiag_family == AF_INET) {
		record->family = AF_INET;
		memcpy(record->local.bytes, local, sizeof(*local));
		memcpy(record->remote.bytes, remote, sizeof(*remote));
	} else {
		record->family = AF_INET6;
		memcpy(record->local.bytes, local, sizeof(record->local));
		memcpy(record->remote.bytes, remote, sizeof(record->remote));
	}
}

static void parse_attributes(const struct attributes *attributes, struct sock_record *record)
{
	if (attributes->info) {
		record->tcp_info = netlink_attribute_payload(attributes->info);
		record->tcp_info_len = (uint16_t)netlink_attribute_len(attributes->info);
	}
	if (attributes->skmem) {
		record->skmem = netlink_attribute_payload(attributes->skmem);
		record->skmem_len = (uint16_t)netlink_attribute_len(attributes->skmem);
	}
	if (attributes->algorithm)
		record->algorithm = (const char *)netlink_attribute_payload(attributes->algorithm);
	if (attributes->cgroup)
		record->cgroup_id = sock_load_u64(netlink_attribute_payload(attributes->cgroup), 0);
	if (attributes->v6only) {
		record->known |= SOCK_KNOWS_V6ONLY;
		record->v6only = *netlink_attribute_payload(attributes->v6only) != 0;
	}
}

/* Request sockets and time-wait sockets (also those in FIN_WAIT2) are small and carry no queue; the
 * kernel writes 0 for them. A TCP Fast Open child in SYN_RECV is a full socket. */
static bool has_queues(const struct sock_record *record, bool is_full_socket)
{
	if (record->state == SOCK_SYN_RECV)
		return is_full_socket;
	return record->timer != SOCK_TIMER_TIME_WAIT && record->state != SOCK_TIME_WAIT;
}

static void parse_fields(const struct inet_diag_msg *m, struct sock_record *record)
{
	const struct inet_diag_sockid *id = &m->id;

	record->cookie = (uint64_t)id->idiag_cookie[1] << 32 | id->idiag_cookie[0];
	record->interface = id->idiag_if;
	record->local_port = ntohs(id->idiag_sport);
	record->remote_port = ntohs(id->idiag_dport);
	record->state =
		m->idiag_state == STATE_NEW_SYN_RECV ? (uint8_t)SOCK_SYN_RECV : m->idiag_state;
	record->timer = m->idiag_timer;
	record->retransmits = m->idiag_retrans;
	record->timer_ms = m->idiag_expires;
	record->receive_queue = m->idiag_rqueue;
	record->send_queue = m->idiag_wqueue;
	record->uid = m->idiag_uid;
	record->inode = m->idiag_inode;
}

static bool is_known_state(uint8_t state)
{
	return (state > 0 && state < SOCK_STATE_END) || state == STATE_NEW_SYN_RECV;
}

int inetdiag_parse(const struct nlmsghdr *message, struct sock_record *ret_record)
{
	static const struct sock_record blank;
	const struct inet_diag_msg *m = NLMSG_DATA(message);
	struct attributes attributes;

	if (message->nlmsg_len < NLMSG_LENGTH(sizeof(*m)) ||
	    attributes_parse((const uint8_t *)(m + 1),
			     message->nlmsg_len - NLMSG_LENGTH(sizeof(*m)), &attributes) < 0)
		return -EBADMSG;
	if (m->idiag_family != AF_INET && m->idiag_family != AF_INET6)
		return -EAFNOSUPPORT;
	if (!is_known_state(m->idiag_state))
		return -EPROTO;

	/* Of memset() of this size gcc makes a rep stos, which takes a fifth of the whole parse. */
	*ret_record = blank;
	parse_fields(m, ret_record);
	parse_addresses(m, ret_record);
	parse_attributes(&attributes, ret_record);
	if (has_queues(ret_record, attributes.is_full_socket))
		ret_record->known |= SOCK_KNOWS_RECEIVE_QUEUE | SOCK_KNOWS_SEND_QUEUE;
	return 0;
}
