/* SPDX-License-Identifier: Apache-2.0 */
/* A sock_diag netlink socket: opened, bound, and read with the checks that every reader owes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct mnl_socket;

struct netlink_socket {
	struct mnl_socket *mnl; /* NULL while closed */
	int fd;                 /* for the loop; −1 while closed; non-blocking, close-on-exec */
	uint32_t port_id;
};

#define NETLINK_SOCKET_INIT \
	{                   \
		.fd = -1    \
	}

/* 0 or -errno (EAFNOSUPPORT and EPROTONOSUPPORT: netlink or sock_diag is not to be had here). */
int netlink_socket_open(struct netlink_socket *s);
void netlink_socket_close(struct netlink_socket *s);
/* Joins a multicast group. 0 or -errno. */
int netlink_socket_join(struct netlink_socket *s, unsigned int group);
/* Asks for room for so many bytes; the kernel gives what net.core.rmem_max allows. */
void netlink_socket_set_receive_buffer(struct netlink_socket *s, int bytes);
int netlink_socket_send(struct netlink_socket *s, const void *request, size_t n);
/* One datagram from the kernel. Returns its length; -EAGAIN: none there; -ENOSPC: it was longer
 * than CAP; -ESRCH: it came from another sender than the kernel; -ENOBUFS: the kernel dropped
 * some; other -errno of recvmsg(). */
long netlink_socket_receive(struct netlink_socket *s, void *buffer, size_t cap);
