/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/netlink_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collectors/inetdiag_request.h"
#include "daemon/core/sock.h"
#include "tests/support/test_support.h"
#include "tests/unit/collectors/own_namespace.h"

TEST_SUITE(netlink_socket);

static void wait_readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	cr_assert_eq(poll(&p, 1, 10000), 1);
}

static void ask(struct netlink_socket *s)
{
	const struct inetdiag_request request = {.states = SOCK_STATE_BIT(SOCK_LISTEN)};
	uint8_t bytes[INETDIAG_REQUEST_MAX];

	cr_assert_eq(netlink_socket_send(s, bytes, inetdiag_request_render(&request, 1, bytes)), 0);
	wait_readable(s->fd);
}

Test(netlink_socket, does_not_block_nor_survive_exec)
{
	struct netlink_socket s = NETLINK_SOCKET_INIT;
	char byte;

	cr_assert_eq(netlink_socket_open(&s), 0);
	cr_assert(fcntl(s.fd, F_GETFL) & O_NONBLOCK);
	cr_assert(fcntl(s.fd, F_GETFD) & FD_CLOEXEC);
	cr_assert_neq(s.port_id, 0);
	cr_assert_eq(netlink_socket_receive(&s, &byte, sizeof(byte)), -EAGAIN);
	netlink_socket_close(&s);
	netlink_socket_close(&s);
	cr_assert_eq(s.fd, -1);
	cr_assert_eq(netlink_socket_receive(&s, &byte, sizeof(byte)), -EBADF);
}

Test(netlink_socket, two_have_different_port_ids)
{
	struct netlink_socket a = NETLINK_SOCKET_INIT, b = NETLINK_SOCKET_INIT;

	cr_assert_eq(netlink_socket_open(&a), 0);
	cr_assert_eq(netlink_socket_open(&b), 0);
	cr_assert_neq(a.port_id, b.port_id);
	netlink_socket_close(&a);
	netlink_socket_close(&b);
}

Test(netlink_socket, the_kernel_answers)
{
	struct netlink_socket s = NETLINK_SOCKET_INIT;
	uint8_t bytes[32768] __attribute__((aligned(8)));
	const struct nlmsghdr *m = (const struct nlmsghdr *)bytes;
	long n;

	cr_assert_eq(netlink_socket_open(&s), 0);
	ask(&s);
	n = netlink_socket_receive(&s, bytes, sizeof(bytes));
	cr_assert(n >= NLMSG_HDRLEN, "%ld", n);
	cr_assert_eq(m->nlmsg_seq, 1);
	cr_assert_eq(m->nlmsg_pid, s.port_id);
	netlink_socket_close(&s);
}

Test(netlink_socket, a_datagram_that_does_not_fit_is_an_error)
{
	struct netlink_socket s = NETLINK_SOCKET_INIT;
	uint8_t bytes[16];

	cr_assert_eq(netlink_socket_open(&s), 0);
	ask(&s);
	cr_assert_eq(netlink_socket_receive(&s, bytes, sizeof(bytes)), -ENOSPC);
	netlink_socket_close(&s);
}

Test(netlink_socket, no_descriptor_no_socket)
{
	struct netlink_socket s = NETLINK_SOCKET_INIT;
	struct rlimit before, none;
	int error;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = STDERR_FILENO + 1;
	/* No assertion while it holds: Criterion needs descriptors for them. */
	setrlimit(RLIMIT_NOFILE, &none);
	error = netlink_socket_open(&s);
	setrlimit(RLIMIT_NOFILE, &before);
	cr_assert_eq(error, -EMFILE);
	cr_assert_eq(s.fd, -1);
}

Test(netlink_socket, what_another_sent_is_told_apart_even_if_cut)
{
	struct netlink_socket s = NETLINK_SOCKET_INIT;
	struct sockaddr_nl to = {.nl_family = AF_NETLINK};
	char bytes[64] = {0};
	int other;

	if (!own_namespace_enter())
		return;
	cr_assert_eq(netlink_socket_open(&s), 0);
	other = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	to.nl_pid = s.port_id;
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(
			sendto(other, bytes, sizeof(bytes), 0, (struct sockaddr *)&to, sizeof(to)),
			(ssize_t)sizeof(bytes), "%s", strerror(errno));
		wait_readable(s.fd);
		cr_assert_eq(netlink_socket_receive(&s, bytes, i ? 1 : sizeof(bytes)), -ESRCH);
	}
	cr_assert_eq(netlink_socket_receive(&s, bytes, sizeof(bytes)), -EAGAIN);
	close(other);
	netlink_socket_close(&s);
}
