/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/core/connection_lane.h"

#include <stdio.h>

#include "daemon/core/tcp_info.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"

#define TCP_INFO_LEN 280
#define SEGS_OUT     136

void connection_lane_init(struct aggregate_lane *a, bool is_fresh)
{
	aggregates_init(a);
	connections_limit(&a->aggregate.connections, CONNECTION_LANE_LIMIT);
	a->aggregate.connections.expects_events = true;
	LANE_POLL(&a->lane, {"0.0.0.0:80", 1, 0, 7, 0});
	if (!is_fresh)
		CONNECTION_LANE_POLL_NONE(a);
}

void connection_lane_done(struct aggregate_lane *a)
{
	aggregates_done(a);
}

static void make_record(const struct connection_socket *s, unsigned int state,
			struct test_record *r)
{
	uint16_t near_port = s->near_port ? s->near_port : s->is_server ? 80 : 40000;
	uint16_t far_port = s->far_port ? s->far_port : s->is_server ? 40000 : 443;
	char near_end[32], far_end[32];

	snprintf(near_end, sizeof(near_end), "10.0.0.1:%u", near_port);
	snprintf(far_end, sizeof(far_end), "10.0.0.2:%u", far_port);
	test_record_init(r, state, near_end, far_end);
	r->record.cookie = s->cookie;
	test_record_add_tcp_info(r, TCP_INFO_LEN);
	test_record_set(r, TCP_INFO_LAST_DATA_SENT, 4, s->age_ms);
	test_record_set(r, TCP_INFO_LAST_DATA_RECV, 4, s->age_ms);
	test_record_set(r, TCP_INFO_RTT, 4, 1000);
	test_record_set(r, TCP_INFO_BYTES_ACKED, 8, s->is_refused ? 0 : s->sent + 1);
	test_record_set(r, TCP_INFO_BYTES_RECEIVED, 8, s->received);
	test_record_set(r, TCP_INFO_BYTES_SENT, 8, s->sent);
	test_record_set(r, SEGS_OUT, 4, s->segs_in + 1);
	test_record_set(r, TCP_INFO_SEGS_IN, 4, s->segs_in);
}

void connection_lane_row(struct aggregate_lane *a, const struct connection_socket *s)
{
	struct test_record r;

	make_record(s, s->segs_in ? SOCK_ESTABLISHED : SOCK_SYN_SENT, &r);
	aggregates_add(a, &r);
}

void connection_lane_poll(struct aggregate_lane *a, const struct connection_socket *sockets,
			  unsigned int count)
{
	aggregates_begin(a);
	for (unsigned int i = 0; i < count; i++)
		connection_lane_row(a, &sockets[i]);
	aggregates_commit(a);
}

bool connection_lane_event(struct aggregate_lane *a, const struct connection_socket *s)
{
	struct test_record r;

	make_record(s, SOCK_CLOSE, &r);
	r.record.known |= SOCK_IS_DESTROYED;
	return connections_event(&a->aggregate.connections, &a->lane.table, &r.record,
				 a->lane.now_ns);
}

static void make_aborted(const struct connection_socket *s, struct test_record *r)
{
	make_record(&(const struct connection_socket){.cookie = s->cookie}, SOCK_CLOSE, r);
	r->record.remote_port = 0;
}

void connection_lane_aborted_row(struct aggregate_lane *a, const struct connection_socket *s)
{
	struct test_record r;

	make_aborted(s, &r);
	aggregates_add(a, &r);
}

bool connection_lane_abort(struct aggregate_lane *a, const struct connection_socket *s)
{
	struct test_record r;

	make_aborted(s, &r);
	return connections_event(&a->aggregate.connections, &a->lane.table, &r.record,
				 a->lane.now_ns);
}

static uint64_t value(const struct group *g, const struct catalogue *c, const char *family)
{
	return *core_cells(c, g->cells, family) + *core_cells(c, g->poll, family);
}

struct connection_counts connection_lane_counts(const struct aggregate_lane *a, bool is_server)
{
	const struct group_table *t = &a->aggregate.groups;
	const struct group *g =
		group_table_find(t, is_server ? GROUP_SERVER : GROUP_CLIENT, is_server ? 80 : 443);

	if (!g)
		return (struct connection_counts){0};
	return (struct connection_counts){
		.opened = value(g, t->catalogue, "sockstat_tcp_connections_opened_total"),
		.closed = value(g, t->catalogue, "sockstat_tcp_connections_closed_total"),
		.unreported =
			value(g, t->catalogue, "sockstat_tcp_connections_closed_unreported_total"),
		.sent = value(g, t->catalogue, "sockstat_tcp_sent_bytes_total"),
		.received = value(g, t->catalogue, "sockstat_tcp_received_bytes_total"),
	};
}

void connection_lane_expect(const struct aggregate_lane *a, bool is_server,
			    const struct connection_counts *expected, const char *name)
{
	struct connection_counts found = connection_lane_counts(a, is_server);

	cr_assert_eq(found.opened, expected->opened, "%s: %lu opened", name, found.opened);
	cr_assert_eq(found.closed, expected->closed, "%s: %lu closed", name, found.closed);
	cr_assert_eq(found.unreported, expected->unreported, "%s: %lu unreported", name,
		     found.unreported);
	cr_assert_eq(found.sent, expected->sent, "%s: %lu sent", name, found.sent);
	cr_assert_eq(found.received, expected->received, "%s: %lu received", name, found.received);
}
