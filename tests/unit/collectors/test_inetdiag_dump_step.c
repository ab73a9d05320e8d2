/* SPDX-License-Identifier: Apache-2.0 */
/* The receiving edge of a dump: what goes wrong before there is a datagram to digest. */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collectors/inetdiag_dump.h"
#include "tests/support/test_support.h"
#include "tests/unit/collectors/own_namespace.h"

TEST_SUITE(inetdiag_dump_step);

static struct sock_batch batch;

static void dump_init(struct inetdiag_dump *d)
{
	inetdiag_dump_init(d, SOCK_STATE_BIT(SOCK_LISTEN), 0);
	batch.count = 99;
}

static void wait_for(int fd, short event)
{
	struct pollfd p = {.fd = fd, .events = event};

	do
		cr_assert_eq(poll(&p, 1, 10000), 1);
	while (!(p.revents & event));
}

static void assert_failed(struct inetdiag_dump *d, enum poll_failure expected)
{
	enum poll_failure failure = POLL_FAILURE_NONE;

	cr_assert_eq(inetdiag_dump_step(d, &batch, false, &failure), SOCK_STEP_FAILED);
	cr_assert_eq(failure, expected, "%s", poll_failure_name(failure));
	cr_assert_eq(batch.count, 0);
	cr_assert_not(d->running);
	cr_assert_eq(d->socket.fd, -1);
}

static void assert_more(struct inetdiag_dump *d)
{
	enum poll_failure failure;

	cr_assert_eq(inetdiag_dump_step(d, &batch, false, &failure), SOCK_STEP_MORE);
	cr_assert_eq(batch.count, 0);
	cr_assert_geq(d->socket.fd, 0);
}

/* Puts another open file in the place of the socket. */
static void swap(struct inetdiag_dump *d, int fd)
{
	cr_assert_geq(fd, 0);
	cr_assert_eq(dup2(fd, d->socket.fd), d->socket.fd);
	close(fd);
}

Test(inetdiag_dump_step, nothing_to_read)
{
	struct inetdiag_dump d;

	dump_init(&d);
	cr_assert_eq(netlink_socket_open(&d.socket), 0);
	assert_more(&d);
	inetdiag_dump_done(&d);
}

Test(inetdiag_dump_step, no_socket)
{
	struct rlimit before, none;
	struct inetdiag_dump d;
	enum poll_failure failure;

	dump_init(&d);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = STDERR_FILENO + 1;
	/* No assertion while it holds: Criterion needs descriptors for them. */
	setrlimit(RLIMIT_NOFILE, &none);
	failure = inetdiag_dump_start(&d);
	setrlimit(RLIMIT_NOFILE, &before);
	cr_assert_eq(failure, POLL_FAILURE_SOCKET);
	cr_assert_not(d.running);
	assert_failed(&d, POLL_FAILURE_RECEIVE);
}

Test(inetdiag_dump_step, a_request_that_cannot_be_sent)
{
	struct inetdiag_dump d;

	dump_init(&d);
	cr_assert_eq(netlink_socket_open(&d.socket), 0);
	swap(&d, open("/dev/null", O_RDWR | O_CLOEXEC));
	cr_assert_eq(inetdiag_dump_start(&d), POLL_FAILURE_SEND);
	cr_assert_not(d.running);
	cr_assert_eq(d.socket.fd, -1);
}

Test(inetdiag_dump_step, what_is_no_socket_cannot_be_read)
{
	struct inetdiag_dump d;

	dump_init(&d);
	cr_assert_eq(inetdiag_dump_start(&d), POLL_FAILURE_NONE);
	swap(&d, open("/dev/null", O_RDWR | O_CLOEXEC));
	assert_failed(&d, POLL_FAILURE_RECEIVE);
}

/* The kernel's rows always fit; what it refuses it sends back whole. */
Test(inetdiag_dump_step, an_answer_that_does_not_fit)
{
	static struct {
		struct nlmsghdr header;
		uint8_t payload[SOCK_BATCH_BYTES];
	} request = {
		.header.nlmsg_len = sizeof(request),
		.header.nlmsg_type = SOCK_DIAG_BY_FAMILY,
		.header.nlmsg_flags = NLM_F_REQUEST,
	};
	struct inetdiag_dump d;

	dump_init(&d);
	cr_assert_eq(netlink_socket_open(&d.socket), 0);
	cr_assert_eq(netlink_socket_send(&d.socket, &request, sizeof(request)), 0);
	d.running = true;
	wait_for(d.socket.fd, POLLIN);
	assert_failed(&d, POLL_FAILURE_TRUNCATED);
}

Test(inetdiag_dump_step, an_answer_to_nothing)
{
	struct inetdiag_dump d;

	dump_init(&d);
	cr_assert_eq(inetdiag_dump_start(&d), POLL_FAILURE_NONE);
	wait_for(d.socket.fd, POLLIN);
	d.running = false;
	assert_failed(&d, POLL_FAILURE_SEQUENCE);
}

Test(inetdiag_dump_step, an_interrupted_walk)
{
	static const bool tolerate[] = {false, true};

	for (size_t i = 0; i < sizeof(tolerate); i++) {
		enum poll_failure failure = POLL_FAILURE_NONE;
		enum sock_step step;
		struct inetdiag_dump d;

		dump_init(&d);
		cr_assert_eq(inetdiag_dump_start(&d), POLL_FAILURE_NONE);
		cr_assert_eq(d.has_rows, false);
		d.was_interrupted = true;
		d.has_rows = true;
		do {
			wait_for(d.socket.fd, POLLIN);
			step = inetdiag_dump_step(&d, &batch, tolerate[i], &failure);
		} while (step == SOCK_STEP_MORE);
		cr_assert_eq(step, tolerate[i] ? SOCK_STEP_DONE : SOCK_STEP_FAILED);
		cr_assert_eq(failure, tolerate[i] ? POLL_FAILURE_NONE : POLL_FAILURE_INTERRUPTED);
		cr_assert_eq(d.was_interrupted, true);

		cr_assert_eq(inetdiag_dump_start(&d), POLL_FAILURE_NONE);
		cr_assert_eq(d.was_interrupted, false, "a new dump");
		cr_assert_eq(d.has_rows, false, "a new walk");
		inetdiag_dump_done(&d);
	}
}

Test(inetdiag_dump_step, what_another_sent_is_counted_and_dropped)
{
	const struct nlmsghdr forged = {.nlmsg_len = sizeof(forged), .nlmsg_type = NLMSG_DONE};
	struct sockaddr_nl to = {.nl_family = AF_NETLINK};
	struct netlink_socket other = NETLINK_SOCKET_INIT;
	struct inetdiag_dump d;

	if (!own_namespace_enter())
		return;
	dump_init(&d);
	cr_assert_eq(netlink_socket_open(&d.socket), 0);
	cr_assert_eq(netlink_socket_open(&other), 0);
	to.nl_pid = d.socket.port_id;
	cr_assert_eq(
		sendto(other.fd, &forged, sizeof(forged), 0, (struct sockaddr *)&to, sizeof(to)),
		(ssize_t)sizeof(forged), "%s", strerror(errno));
	cr_assert_eq(inetdiag_dump_start(&d), POLL_FAILURE_NONE);
	wait_for(d.socket.fd, POLLIN);
	assert_more(&d);
	cr_assert_eq(d.foreign_messages, 1);
	cr_assert(d.running);
	netlink_socket_close(&other);
	inetdiag_dump_done(&d);
}

/* Only a multicast can overrun a socket: that of closed sockets, with little room for it. */
Test(inetdiag_dump_step, what_the_kernel_dropped)
{
	const int group = SKNLGRP_INET_TCP_DESTROY, room = 1;
	struct sockaddr_storage address;
	struct inetdiag_dump d;
	int listener;

	if (!own_namespace_enter())
		return;
	dump_init(&d);
	cr_assert_eq(netlink_socket_open(&d.socket), 0);
	cr_assert_eq(setsockopt(d.socket.fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)), 0);
	cr_assert_eq(
		setsockopt(d.socket.fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)),
		0, "%s", strerror(errno));
	listener = own_listener(AF_INET, 16, &address);
	for (int i = 0; i < 16; i++)
		close(own_connection(&address));
	close(listener);
	wait_for(d.socket.fd, POLLERR);
	d.running = true;
	assert_failed(&d, POLL_FAILURE_OVERRUN);
}
