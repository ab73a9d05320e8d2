/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel-contract tests: what the design leans on, asked of the kernel that runs. */
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collectors/inetdiag_dump.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/collectors/own_namespace.h"

TEST_SUITE(inetdiag_kernel);

#define EXTENSIONS (INETDIAG_EXT_INFO | INETDIAG_EXT_CONG | INETDIAG_EXT_SKMEM)
#define ROWS_MAX   1024
/* Of IANA for experiments: no kernel has a handler for it. */
#define PROTOCOL_OF_NOBODY 253

struct row {
	struct sock_record record; /* without what it borrowed */
	bool has_tcp_info, has_skmem;
	char algorithm[16];
};

static struct {
	struct row rows[ROWS_MAX];
	unsigned int count, batches;
} seen;

static struct sock_batch batch;

static void take_rows(void)
{
	for (unsigned int i = 0; i < batch.count; i++) {
		struct row *row = &seen.rows[seen.count++];

		cr_assert(seen.count < ROWS_MAX);
		row->record = batch.records[i];
		row->has_tcp_info = row->record.tcp_info != NULL;
		row->has_skmem = row->record.skmem != NULL;
		snprintf(row->algorithm, sizeof(row->algorithm), "%s",
			 row->record.algorithm ? row->record.algorithm : "");
		row->record.tcp_info = row->record.skmem = NULL;
		row->record.algorithm = NULL;
	}
	seen.batches++;
}

static enum poll_failure finish(struct inetdiag_dump *d)
{
	struct pollfd p = {.fd = d->socket.fd, .events = POLLIN};
	enum poll_failure failure = POLL_FAILURE_NONE;

	seen.count = seen.batches = 0;
	for (;;) {
		enum sock_step step;

		cr_assert_eq(poll(&p, 1, 10000), 1, "the kernel does not answer");
		step = inetdiag_dump_step(d, &batch, false, &failure);
		take_rows();
		if (step == SOCK_STEP_DONE)
			cr_assert(!d->running && d->socket.fd >= 0);
		if (step == SOCK_STEP_FAILED)
			cr_assert(!d->running && d->socket.fd < 0 && batch.count == 0);
		if (step != SOCK_STEP_MORE)
			return failure;
	}
}

static void dump_all(struct inetdiag_dump *d)
{
	enum poll_failure failure;

	cr_assert_eq(inetdiag_dump_start(d), POLL_FAILURE_NONE);
	failure = finish(d);
	cr_assert_eq(failure, POLL_FAILURE_NONE, "%s", poll_failure_name(failure));
}

static const struct row *find(unsigned int state, uint16_t local_port)
{
	for (unsigned int i = 0; i < seen.count; i++) {
		if (seen.rows[i].record.state == state &&
		    seen.rows[i].record.local_port == local_port)
			return &seen.rows[i];
	}
	cr_assert_fail("no row of state %u and port %u", state, local_port);
	return NULL;
}

/* A listener, a connection to it that waits, one that is accepted; all stay open. */
static uint16_t make_sockets(int family)
{
	struct sockaddr_storage address;
	int listener = own_listener(family, 5, &address);

	own_connection(&address);
	cr_assert(accept(listener, NULL, NULL) >= 0);
	own_connection(&address);
	return own_port(&address);
}

static void assert_full(const struct row *row)
{
	cr_assert(row->has_tcp_info && row->record.tcp_info_len >= 104);
	cr_assert(row->has_skmem && row->record.skmem_len >= 32);
	cr_assert(row->algorithm[0]);
	cr_assert_neq(row->record.cookie, 0);
	cr_assert_eq(row->record.known & SOCK_KNOWS_RECEIVE_QUEUE, SOCK_KNOWS_RECEIVE_QUEUE);
}

Test(inetdiag_kernel, one_walk_shows_both_families)
{
	static const int families[] = {AF_INET, AF_INET6};
	struct inetdiag_dump d;

	if (!own_namespace_enter())
		return;
	inetdiag_dump_init(&d, SOCK_STATES_ALL, EXTENSIONS);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		uint16_t port = make_sockets(families[i]);
		const struct row *listener, *connection;

		dump_all(&d);
		cr_assert_not(d.no_legacy);
		cr_assert_eq(seen.count, 5 * (i + 1));
		listener = find(SOCK_LISTEN, port);
		connection = find(SOCK_ESTABLISHED, port);
		assert_full(listener);
		assert_full(connection);
		cr_assert_eq(listener->record.receive_queue, 1);
		cr_assert_eq(listener->record.send_queue, 5);
		cr_assert_eq(listener->record.family, families[i]);
	}
	inetdiag_dump_done(&d);
}

Test(inetdiag_kernel, only_what_is_asked_for_comes)
{
	struct inetdiag_dump d;
	const struct row *listener;
	uint16_t port;

	if (!own_namespace_enter())
		return;
	port = make_sockets(AF_INET);
	inetdiag_dump_init(&d, SOCK_STATE_BIT(SOCK_LISTEN), INETDIAG_EXT_SKMEM);
	dump_all(&d);
	cr_assert_eq(seen.count, 1);
	listener = find(SOCK_LISTEN, port);
	cr_assert(listener->has_skmem && !listener->has_tcp_info && !listener->algorithm[0]);
	inetdiag_dump_done(&d);
}

static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return (x->record.cookie > y->record.cookie) - (x->record.cookie < y->record.cookie);
}

Test(inetdiag_kernel, two_walks_show_the_same_rows)
{
	static struct row rows[ROWS_MAX];
	struct inetdiag_dump d;
	unsigned int count;

	if (!own_namespace_enter())
		return;
	make_sockets(AF_INET);
	make_sockets(AF_INET6);
	inetdiag_dump_init(&d, SOCK_STATES_ALL, EXTENSIONS);
	dump_all(&d);
	count = seen.count;
	qsort(seen.rows, count, sizeof(seen.rows[0]), compare_rows);
	memcpy(rows, seen.rows, sizeof(rows));

	d.no_legacy = true;
	dump_all(&d);
	qsort(seen.rows, seen.count, sizeof(seen.rows[0]), compare_rows);
	cr_assert_eq(seen.count, count);
	for (unsigned int i = 0; i < count; i++)
		cr_assert_eq(memcmp(&rows[i], &seen.rows[i], sizeof(rows[i])), 0, "%u", i);
	inetdiag_dump_done(&d);
}

/* Sends a request as if the dump had sent it. */
static void send_as(struct inetdiag_dump *d, uint8_t sdiag_family, uint8_t protocol)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 request;
	} m = {
		.header.nlmsg_len = sizeof(m),
		.header.nlmsg_type = SOCK_DIAG_BY_FAMILY,
		.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		.header.nlmsg_seq = ++d->sequence,
		.request.sdiag_family = sdiag_family,
		.request.sdiag_protocol = protocol,
		.request.idiag_states = SOCK_STATES_ALL,
	};

	if (d->socket.fd < 0)
		cr_assert_eq(netlink_socket_open(&d->socket), 0);
	cr_assert_eq(netlink_socket_send(&d->socket, &m, sizeof(m)), 0);
	d->running = true;
}

Test(inetdiag_kernel, a_missing_handler_is_no_empty_table)
{
	struct inetdiag_dump d;

	inetdiag_dump_init(&d, SOCK_STATES_ALL, 0);
	d.family = AF_INET;
	send_as(&d, AF_INET, PROTOCOL_OF_NOBODY);
	cr_assert_eq(finish(&d), POLL_FAILURE_NO_HANDLER);
}

Test(inetdiag_kernel, a_missing_handler_of_ipv6_ends_well)
{
	struct inetdiag_dump d;

	inetdiag_dump_init(&d, SOCK_STATES_ALL, 0);
	d.family = AF_INET6;
	send_as(&d, AF_INET6, PROTOCOL_OF_NOBODY);
	cr_assert_eq(finish(&d), POLL_FAILURE_NONE);
	inetdiag_dump_done(&d);
}

/* A request for no family is refused just as the old request is where it is not known. */
Test(inetdiag_kernel, a_refused_request_leads_to_two_walks)
{
	struct inetdiag_dump d;

	if (!own_namespace_enter())
		return;
	make_sockets(AF_INET);
	make_sockets(AF_INET6);
	inetdiag_dump_init(&d, SOCK_STATES_ALL, EXTENSIONS);
	send_as(&d, AF_UNSPEC, IPPROTO_TCP);
	cr_assert_eq(finish(&d), POLL_FAILURE_NONE);
	cr_assert(d.no_legacy);
	cr_assert_eq(seen.count, 10);
	cr_assert_eq(d.sequence, 3);

	dump_all(&d);
	cr_assert_eq(d.sequence, 5, "it is remembered");
	cr_assert_eq(seen.count, 10);
	inetdiag_dump_done(&d);
}

Test(inetdiag_kernel, the_socket_stays_for_the_next_dump)
{
	struct inetdiag_dump d;
	uint32_t port_id;

	inetdiag_dump_init(&d, SOCK_STATE_BIT(SOCK_LISTEN), 0);
	dump_all(&d);
	port_id = d.socket.port_id;
	dump_all(&d);
	cr_assert_eq(d.socket.port_id, port_id);
	cr_assert_eq(d.sequence, 2);
	inetdiag_dump_done(&d);
}

#define MANY_LISTENERS 200

static void make_many_listeners(void)
{
	struct sockaddr_storage address;

	for (int i = 0; i < MANY_LISTENERS; i++)
		own_listener(AF_INET, 1, &address);
}

Test(inetdiag_kernel, many_rows_come_in_batches_each_once)
{
	struct inetdiag_dump d;

	if (!own_namespace_enter())
		return;
	make_many_listeners();
	inetdiag_dump_init(&d, SOCK_STATES_ALL, EXTENSIONS);
	dump_all(&d);
	cr_assert_eq(seen.count, MANY_LISTENERS);
	cr_assert_gt(seen.batches, 3);
	qsort(seen.rows, seen.count, sizeof(seen.rows[0]), compare_rows);
	for (unsigned int i = 1; i < seen.count; i++)
		cr_assert_neq(seen.rows[i].record.cookie, seen.rows[i - 1].record.cookie);
	inetdiag_dump_done(&d);
}

Test(inetdiag_kernel, a_cancelled_dump_leaves_nothing_for_the_next)
{
	struct inetdiag_dump d;

	if (!own_namespace_enter())
		return;
	make_many_listeners();
	inetdiag_dump_init(&d, SOCK_STATES_ALL, EXTENSIONS);
	cr_assert_eq(inetdiag_dump_start(&d), POLL_FAILURE_NONE);
	inetdiag_dump_cancel(&d);
	cr_assert_eq(d.socket.fd, -1);
	dump_all(&d);
	cr_assert_eq(seen.count, MANY_LISTENERS);
	inetdiag_dump_done(&d);
}

/* The error of a second request comes inside of the first one's rows. */
Test(inetdiag_kernel, a_second_request_is_refused_while_the_first_runs)
{
	struct inetdiag_dump d;

	if (!own_namespace_enter())
		return;
	make_many_listeners();
	inetdiag_dump_init(&d, SOCK_STATES_ALL, EXTENSIONS);
	d.family = AF_INET;
	send_as(&d, AF_INET, IPPROTO_TCP);
	d.sequence--;
	send_as(&d, AF_INET, IPPROTO_TCP);
	cr_assert_eq(finish(&d), POLL_FAILURE_BUSY);

	dump_all(&d);
	cr_assert_eq(seen.count, MANY_LISTENERS);
	inetdiag_dump_done(&d);
}
