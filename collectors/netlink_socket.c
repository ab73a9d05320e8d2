/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/netlink_socket.h"

#include <assert.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/uio.h>

int netlink_socket_open(struct netlink_socket *s)
{
	struct mnl_socket *mnl;

	assert(!s->mnl);
	mnl = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (!mnl)
		return -errno;
	if (mnl_socket_bind(mnl, 0, MNL_SOCKET_AUTOPID) < 0) {
		int error = -errno;

		mnl_socket_close(mnl);
		return error;
	}

	s->mnl = mnl;
	s->fd = mnl_socket_get_fd(mnl);
	s->port_id = mnl_socket_get_portid(mnl);
	return 0;
}

void netlink_socket_close(struct netlink_socket *s)
{
	if (s->mnl)
		mnl_socket_close(s->mnl);
	*s = (struct netlink_socket)NETLINK_SOCKET_INIT;
}

int netlink_socket_join(struct netlink_socket *s, unsigned int group)
{
	return mnl_socket_setsockopt(s->mnl, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0
		       ? -errno
		       : 0;
}

void netlink_socket_set_receive_buffer(struct netlink_socket *s, int bytes)
{
	(void)setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

int netlink_socket_send(struct netlink_socket *s, const void *request, size_t n)
{
	return mnl_socket_sendto(s->mnl, request, n) < 0 ? -errno : 0;
}

/* mnl_socket_recvfrom() would not tell who sent it, and calls a cut datagram an error of errno
 * ENOSPC before its sender is known. */
long netlink_socket_receive(struct netlink_socket *s, void *buffer, size_t cap)
{
	struct sockaddr_nl sender = {0};
	struct iovec iov = {.iov_base = buffer, .iov_len = cap};
	struct msghdr message = {
		.msg_name = &sender,
		.msg_namelen = sizeof(sender),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	ssize_t n;

	do
		n = recvmsg(s->fd, &message, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (message.msg_namelen != sizeof(sender) || sender.nl_pid != 0)
		return -ESRCH;
	if (message.msg_flags & MSG_TRUNC)
		return -ENOSPC;
	return n;
}
