/* SPDX-License-Identifier: Apache-2.0 */
/* Destroy events: as bytes, and as the kernel that runs sends them. */
#include "collectors/destroy_events.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/core/tcp_info.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/collectors/message_builder.h"
#include "tests/unit/collectors/own_namespace.h"

TEST_SUITE(destroy_events);

static struct destroy_batch batch;

/* What a test wants to know of an event when its batch has gone. */
static struct event {
	uint16_t local_port, remote_port;
	uint32_t segs_in;
	uint64_t acked, received, cookie;
} events[20000];
static unsigned int event_count;

Test(destroy_events, digest)
{
	struct message_builder b = {0};
	struct sock_record record;

	message_begin(&b, SOCK_DIAG_BY_FAMILY, 0, 0);
	message_add_row(&b);
	cr_assert_eq(destroy_events_digest(b.bytes, b.len, &record), 0);
	cr_assert_eq(record.local_port, 80);
	cr_assert_eq(record.remote_port, 50000);
	for (size_t n = 0; n < b.len; n++)
		cr_assert_eq(destroy_events_digest(b.bytes, n, &record), -EBADMSG, "%zu bytes", n);
}

Test(destroy_events, digest_what_is_no_event)
{
	static const uint16_t types[] = {NLMSG_NOOP,    NLMSG_ERROR,     NLMSG_DONE,
					 NLMSG_OVERRUN, TCPDIAG_GETSOCK, SOCK_DESTROY};
	struct message_builder b = {0};
	struct sock_record record;

	message_begin(&b, SOCK_DIAG_BY_FAMILY, 0, 0);
	message_add_row(&b);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		message_last(&b)->nlmsg_type = types[i];
		cr_assert_eq(destroy_events_digest(b.bytes, b.len, &record), -EBADMSG, "type %u",
			     types[i]);
	}
	message_last(&b)->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	message_last(&b)->nlmsg_len = NLMSG_HDRLEN - 1;
	cr_assert_eq(destroy_events_digest(b.bytes, b.len, &record), -EBADMSG);
	message_last(&b)->nlmsg_len = (uint32_t)b.len;
	message_row(&b)->idiag_family = AF_UNIX;
	cr_assert_eq(destroy_events_digest(b.bytes, b.len, &record), -EBADMSG);
}

static void keep(const struct sock_record *r)
{
	cr_assert(r->tcp_info && tcp_info_has(r, TCP_INFO_SEGS_IN, 4));
	cr_assert_lt(event_count, ARRAY_SIZE(events));
	events[event_count++] = (struct event){
		.local_port = r->local_port,
		.remote_port = r->remote_port,
		.segs_in = sock_load_u32(r->tcp_info, TCP_INFO_SEGS_IN),
		.acked = sock_load_u64(r->tcp_info, TCP_INFO_BYTES_ACKED),
		.received = sock_load_u64(r->tcp_info, TCP_INFO_BYTES_RECEIVED),
		.cookie = r->cookie,
	};
}

static enum destroy_step receive_all(struct destroy_events *e)
{
	enum destroy_step step;

	do {
		step = destroy_events_receive(e, &batch);
		for (unsigned int i = 0; i < batch.count; i++)
			keep(&batch.records[i]);
	} while (step == DESTROY_STEP_MORE);
	return step;
}

/* A worker of the kernel sends them, some time after the close. */
static void receive(struct destroy_events *e, uint64_t count)
{
	struct pollfd p = {.fd = e->socket.fd, .events = POLLIN};

	while (event_count + e->lost < count) {
		cr_assert_eq(poll(&p, 1, 10000), 1, "%u of %lu events", event_count,
			     (unsigned long)count);
		cr_assert_eq(receive_all(e), DESTROY_STEP_EMPTY);
		destroy_events_settle(e);
	}
	cr_assert_eq(event_count + e->lost, count);
}

static bool open_events(struct destroy_events *e)
{
	*e = (struct destroy_events)DESTROY_EVENTS_INIT;
	event_count = 0;
	if (!own_namespace_enter())
		return false;
	cr_assert_eq(destroy_events_open(e), 0);
	return true;
}

static void close_in_order(int client, int server)
{
	char byte;

	close(client);
	cr_assert_eq(read(server, &byte, 1), 0);
	close(server);
}

static const struct event *find(uint16_t local_port)
{
	for (unsigned int i = 0; i < event_count; i++)
		if (events[i].local_port == local_port)
			return &events[i];
	return NULL;
}

static void check_connection(int family)
{
	static const char data[1000];
	struct sockaddr_storage at;
	struct destroy_events e;
	int listener, client, server;

	if (!open_events(&e))
		return;
	listener = own_listener(family, 1, &at);
	client = own_connection(&at);
	server = accept(listener, NULL, NULL);
	cr_assert_eq(write(client, data, sizeof(data)), (ssize_t)sizeof(data));
	cr_assert_eq(recv(server, (char[1000]){0}, sizeof(data), MSG_WAITALL),
		     (ssize_t)sizeof(data));
	close_in_order(client, server);
	receive(&e, 2);
	cr_assert(find(own_port(&at)));
	cr_assert_eq(find(own_port(&at))->received, 1001, "the FIN is one");
	cr_assert_eq(events[0].local_port, events[1].remote_port);
	cr_assert_eq(events[1].local_port, events[0].remote_port);
	cr_assert(events[0].segs_in > 0 && events[1].segs_in > 0);
	cr_assert_neq(events[0].cookie, events[1].cookie);
	close(listener);
	destroy_events_close(&e);
}

Test(destroy_events, connection_ipv4)
{
	check_connection(AF_INET);
}

Test(destroy_events, connection_ipv6)
{
	check_connection(AF_INET6);
}

/* What the design leans on: each of these sends an event that no connection sends. */
Test(destroy_events, no_connection)
{
	struct sockaddr_storage at;
	struct destroy_events e;
	int never, refused, listener;

	if (!open_events(&e))
		return;
	listener = own_listener(AF_INET, 1, &at);
	never = socket(AF_INET, SOCK_STREAM, 0);
	close(never);
	receive(&e, 1);
	cr_assert(events[0].local_port == 0 && events[0].remote_port == 0);
	close(listener);
	receive(&e, 2);
	cr_assert(events[1].local_port == own_port(&at) && events[1].remote_port == 0);
	refused = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(connect(refused, (struct sockaddr *)&at, sizeof(struct sockaddr_in)), -1);
	cr_assert_eq(errno, ECONNREFUSED);
	close(refused);
	receive(&e, 3);
	cr_assert_eq(events[2].segs_in, 0);
	destroy_events_close(&e);
}

/* An abort zeroes what the aborter had; its peer's event is whole. */
Test(destroy_events, abort)
{
	static const struct linger reset = {.l_onoff = 1};
	struct sockaddr_storage at;
	struct destroy_events e;
	int listener, client, server;

	if (!open_events(&e))
		return;
	listener = own_listener(AF_INET, 1, &at);
	client = own_connection(&at);
	server = accept(listener, NULL, NULL);
	cr_assert_eq(setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
	close(client);
	receive(&e, 1);
	cr_assert(events[0].remote_port == 0 && events[0].segs_in == 0 && events[0].acked == 0);
	close(server);
	receive(&e, 2);
	cr_assert_eq(events[1].local_port, own_port(&at));
	cr_assert_gt(events[1].segs_in, 0);
	close(listener);
	destroy_events_close(&e);
}

static void close_many(unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		close(socket(AF_INET, SOCK_STREAM, 0));
}

/* What came and what was lost are all, also when it happens twice on one socket, and on two. */
Test(destroy_events, overrun)
{
	struct destroy_events e;
	uint64_t lost = 0;
	int small = 1;

	if (!open_events(&e))
		return;
	for (unsigned int i = 1; i <= 3; i++) {
		netlink_socket_set_receive_buffer(&e.socket, small);
		close_many(3000);
		receive(&e, i * 3000);
		cr_assert_gt(e.lost, lost, "the buffer is too large to lose any");
		lost = e.lost;
		if (i == 2) {
			destroy_events_close(&e);
			cr_assert_eq(destroy_events_open(&e), 0);
		}
	}
	cr_assert_eq(e.ignored, 0);
	destroy_events_close(&e);
}

/* Those of another user of netlink are none, whatever they look like. */
Test(destroy_events, foreign)
{
	struct sockaddr_nl to = {.nl_family = AF_NETLINK};
	struct message_builder b = {0};
	struct destroy_events e;
	int other;

	if (!open_events(&e))
		return;
	message_begin(&b, SOCK_DIAG_BY_FAMILY, 0, 0);
	message_add_row(&b);
	other = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	to.nl_pid = e.socket.port_id;
	cr_assert_eq(sendto(other, b.bytes, b.len, 0, (struct sockaddr *)&to, sizeof(to)),
		     (ssize_t)b.len);
	cr_assert_eq(receive_all(&e), DESTROY_STEP_EMPTY);
	cr_assert_eq(event_count, 0);
	cr_assert_eq(e.ignored, 1);
	close(other);
	destroy_events_close(&e);
}

Test(destroy_events, no_descriptor)
{
	struct destroy_events e = DESTROY_EVENTS_INIT;
	struct rlimit before, none;
	int error;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = STDERR_FILENO + 1;
	setrlimit(RLIMIT_NOFILE, &none);
	error = destroy_events_open(&e);
	setrlimit(RLIMIT_NOFILE, &before);
	cr_assert_eq(error, -EMFILE);
	destroy_events_close(&e);
	cr_assert_eq(destroy_events_receive(&e, &batch), DESTROY_STEP_FAILED);
	cr_assert_eq(e.error, EBADF);
}

/* What was lost could not be read when it was closed: later there is nothing to read any more, and
 * least of all from the kernel's own socket, whose port is 0 as well. */
Test(destroy_events, closed_while_congested)
{
	struct destroy_events e = DESTROY_EVENTS_INIT;

	e.is_congested = true;
	e.drops = 5;
	destroy_events_close(&e);
	destroy_events_close(&e);
	cr_assert_eq(e.lost, 0, "%lu", (unsigned long)e.lost);
}
