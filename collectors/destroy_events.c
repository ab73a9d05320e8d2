/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/destroy_events.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "collectors/inetdiag_parse.h"
#include "collectors/netlink_drops.h"

/* The kernel makes of this what net.core.rmem_max allows (sock_setsockopt()). */
#define RECEIVE_BUFFER_BYTES (256 * 1024 * 1024)

int destroy_events_open(struct destroy_events *e)
{
	static const unsigned int groups[] = {SKNLGRP_INET_TCP_DESTROY, SKNLGRP_INET6_TCP_DESTROY};
	int r;

	r = netlink_socket_open(&e->socket);
	if (r < 0)
		return r;
	e->drops = 0;
	e->is_congested = false;
	netlink_socket_set_receive_buffer(&e->socket, RECEIVE_BUFFER_BYTES);
	for (unsigned int i = 0; r == 0 && i < sizeof(groups) / sizeof(groups[0]); i++)
		r = netlink_socket_join(&e->socket, groups[i]);
	if (r < 0)
		netlink_socket_close(&e->socket);
	return r;
}

void destroy_events_close(struct destroy_events *e)
{
	if (e->socket.mnl)
		destroy_events_settle(e);
	e->is_congested = false;
	netlink_socket_close(&e->socket);
}

/* What cannot be read now is, when it next can. */
void destroy_events_settle(struct destroy_events *e)
{
	char path[PROCFS_PATH_MAX];
	uint32_t drops;

	if (!e->is_congested)
		return;
	procfs_path(e->procfs, "self/net/netlink", path);
	if (netlink_drops_read(path, e->socket.port_id, &drops) < 0)
		return;
	e->lost += drops - e->drops;
	e->drops = drops;
	e->is_congested = false;
}

int destroy_events_digest(const uint8_t *bytes, size_t n, struct sock_record *ret_record)
{
	const struct nlmsghdr *m = (const struct nlmsghdr *)bytes;

	if (n < NLMSG_HDRLEN || m->nlmsg_len < NLMSG_HDRLEN || m->nlmsg_len > n ||
	    m->nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return -EBADMSG;
	if (inetdiag_parse(m, ret_record) < 0)
		return -EBADMSG;
	ret_record->known |= SOCK_IS_DESTROYED;
	return 0;
}

static bool is_from_kernel(const struct msghdr *h)
{
	const struct sockaddr_nl *sender = h->msg_name;

	return h->msg_namelen == sizeof(*sender) && sender->nl_pid == 0 &&
	       !(h->msg_flags & MSG_TRUNC);
}

static void digest(struct destroy_events *e, struct destroy_batch *batch,
		   const struct mmsghdr *messages, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		struct sock_record *record = &batch->records[batch->count];

		if (is_from_kernel(&messages[i].msg_hdr) &&
		    destroy_events_digest(batch->bytes[i], messages[i].msg_len, record) == 0)
			batch->count++;
		else
			e->ignored++;
	}
}

/* ENOBUFS comes once, when events begin to be dropped; how many were is to be read when the queue
 * is empty, as it goes on until then (netlink_overrun(), netlink_rcv_wake()). */
static enum destroy_step step_error(struct destroy_events *e, int error)
{
	switch (error) {
	case EINTR:
		return DESTROY_STEP_MORE;
	case EAGAIN:
		destroy_events_settle(e);
		return DESTROY_STEP_EMPTY;
	case ENOBUFS:
		e->is_congested = true;
		return DESTROY_STEP_MORE;
	default:
		e->error = error;
		return DESTROY_STEP_FAILED;
	}
}

enum destroy_step destroy_events_receive(struct destroy_events *e, struct destroy_batch *batch)
{
	struct sockaddr_nl senders[DESTROY_BATCH_EVENTS];
	struct iovec pieces[DESTROY_BATCH_EVENTS];
	struct mmsghdr messages[DESTROY_BATCH_EVENTS];
	int n;

	memset(messages, 0, sizeof(messages));
	for (unsigned int i = 0; i < DESTROY_BATCH_EVENTS; i++) {
		pieces[i] = (struct iovec){batch->bytes[i], DESTROY_EVENT_BYTES};
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = &senders[i],
			.msg_namelen = sizeof(senders[i]),
			.msg_iov = &pieces[i],
			.msg_iovlen = 1,
		};
	}
	batch->count = 0;
	n = recvmmsg(e->socket.fd, messages, DESTROY_BATCH_EVENTS, MSG_DONTWAIT, NULL);
	if (n < 0)
		return step_error(e, errno);
	digest(e, batch, messages, (unsigned int)n);
	return DESTROY_STEP_MORE;
}
