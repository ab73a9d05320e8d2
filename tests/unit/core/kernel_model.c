/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/core/kernel_model.h"

#include <stdio.h>
#include <string.h>

#include "daemon/core/tcp_info.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"

#define TCP_INFO_LEN 280
#define FIRST_PORT   80

/* How late an event is read after it was filled, at most, where some are counted and forgotten: see
 * EVENT_DELAY_NS in connections.c. */
#define EVENT_DELAY_MS 490

static uint32_t below(struct model *m, uint32_t n)
{
	return core_random(&m->random, n);
}

/* The last that was made; those before have closed. */
static void poll_listeners(struct model *m)
{
	char local[16];

	snprintf(local, sizeof(local), "*:%u", m->port);
	LANE_POLL(&m->a.lane, {local, m->port, 0, 7, 0});
}

void model_init(struct model *m, uint64_t seed)
{
	*m = (struct model){.random = seed * 7919 + 1, .has_events = true};
	aggregates_init(&m->a);
	connections_limit(&m->a.aggregate.connections, 1000);
	m->a.aggregate.connections.expects_events = true;
	m->port = FIRST_PORT;
	poll_listeners(m);
	for (unsigned int i = 0; i < below(m, 8); i++)
		below(m, 2);
}

void model_done(struct model *m)
{
	aggregates_done(&m->a);
}

static void fill_record(const struct model *m, const struct model_socket *s, unsigned int state,
			struct test_record *r)
{
	char local[32], remote[32];
	uint64_t age_ms = (m->a.lane.now_ns - s->changed_ns) / NSEC_PER_MSEC;

	snprintf(local, sizeof(local), "10.0.0.1:%u", s->near_port);
	snprintf(remote, sizeof(remote), "10.0.0.2:%u", s->far_port);
	test_record_init(r, state, local, remote);
	r->record.cookie = s->cookie;
	test_record_add_tcp_info(r, TCP_INFO_LEN);
	test_record_set(r, TCP_INFO_LAST_DATA_SENT, 4, age_ms);
	test_record_set(r, TCP_INFO_LAST_DATA_RECV, 4, age_ms);
	test_record_set(r, 100, 4, s->retransmitted);
	test_record_set(r, TCP_INFO_BYTES_ACKED, 8,
			s->is_open ? s->sent - s->retransmitted * 10 + 1 : 0);
	test_record_set(r, TCP_INFO_BYTES_RECEIVED, 8, s->received);
	test_record_set(r, 136, 4, s->segs_out);
	test_record_set(r, TCP_INFO_SEGS_IN, 4, s->segs_in);
	test_record_set(r, TCP_INFO_BYTES_SENT, 8, s->sent);
	test_record_set(r, TCP_INFO_BYTES_RETRANS, 8, s->retransmitted * 10);
}

static void add_event(struct model *m, const struct model_socket *s, bool zeroed)
{
	struct model_socket last = *s;

	cr_assert_lt(m->event_count, MODEL_EVENTS);
	if (zeroed)
		last = (struct model_socket){.cookie = s->cookie, .near_port = s->near_port};
	fill_record(m, &last, SOCK_CLOSE, &m->events[m->event_count]);
	m->event_ns[m->event_count++] = s->changed_ns;
}

/* A socket may live on for long after its last close, and its ages are those of its end; but what
 * the kernel has filled is read soon. */
static void age_event(const struct model *m, struct test_record *event)
{
	uint64_t age_ms = (m->a.lane.now_ns - m->event_ns[0]) / NSEC_PER_MSEC;

	age_ms -= MIN(age_ms, EVENT_DELAY_MS);
	test_record_set(event, TCP_INFO_LAST_DATA_SENT, 4, age_ms);
	test_record_set(event, TCP_INFO_LAST_DATA_RECV, 4, age_ms);
}

/* Who connects has got the SYN-ACK, and who accepts the SYN and the ACK. */
static void note_open(struct model *m, struct model_socket *s)
{
	s->is_open = true;
	s->segs_in = s->is_server ? 2 : 1;
	m->truth.opened++;
}

static void act_open(struct model *m, struct model_socket *s)
{
	*s = (struct model_socket){
		.is_used = true,
		.is_hashed = true,
		.is_server = below(m, 2) == 0,
		.cookie = ++m->cookie,
		.near_port = (uint16_t)(40000 + below(m, 1000)),
		.far_port = (uint16_t)(441 + below(m, 3)),
		.changed_ns = m->a.lane.now_ns,
		.segs_out = 1,
	};
	m->truth.segments++;
	if (s->is_server) {
		s->far_port = s->near_port;
		m->port += below(m, 8) == 0;
		s->near_port = m->port;
	}
	if (s->is_server || below(m, 4) > 0)
		note_open(m, s);
}

static void act_send(struct model *m, struct model_socket *s)
{
	uint64_t sent = below(m, 1000), again = below(m, 3);

	if (!s->is_open)
		note_open(m, s);
	s->changed_ns = m->a.lane.now_ns;
	s->sent += sent + again * 10;
	s->retransmitted += again;
	s->received += sent / 2;
	s->segs_out += 3;
	s->segs_in += 2;
	m->truth.sent += sent + again * 10;
	m->truth.acked += sent;
	m->truth.received += sent / 2;
	m->truth.retransmitted += again;
	m->truth.segments += 3;
}

static void act_close(struct model *m, struct model_socket *s, bool abort)
{
	if (s->is_open)
		m->truth.closed++;
	else
		m->truth.segments--; /* what was only tried is no connection */
	/* A connect() that does not wait leaves the RST that refused it. */
	if (!s->is_open)
		s->segs_in = below(m, 2);
	add_event(m, s, abort);
	s->is_used = false;
}

/* connect() to AF_UNSPEC, and to somebody else: no event tells of the first connection. */
static void act_reconnect(struct model *m, struct model_socket *s)
{
	if (!s->is_open)
		return;
	m->truth.closed++;
	s->is_hashed = true;
	s->is_server = false;
	s->near_port = (uint16_t)(42000 + below(m, 1000));
	s->far_port = (uint16_t)(441 + below(m, 3));
	s->sent = 0;
	s->received = 0;
	s->retransmitted = 0;
	s->segs_out = 1;
	s->changed_ns = m->a.lane.now_ns;
	m->truth.segments++;
	note_open(m, s);
}

static void deliver_event(struct model *m)
{
	struct test_record *first = &m->events[0];

	if (m->event_count == 0)
		return;
	if (!m->has_events || (m->allows_loss && below(m, 3) == 0)) {
		m->lost += m->has_events;
	} else {
		first->record.tcp_info = first->tcp_info;
		if (m->changes_limit)
			age_event(m, first);
		connections_event(&m->a.aggregate.connections, &m->a.lane.table, &first->record,
				  m->a.lane.now_ns);
	}
	memmove(&m->events[0], &m->events[1], --m->event_count * sizeof(m->events[0]));
	memmove(&m->event_ns[0], &m->event_ns[1], m->event_count * sizeof(m->event_ns[0]));
}

static void act_on(struct model *m, struct model_socket *s)
{
	switch (below(m, 10)) {
	case 0:
		if (m->allows_abort)
			act_close(m, s, true);
		break;
	case 1:
		if (m->allows_reconnect)
			act_reconnect(m, s);
		break;
	case 2:
		/* Reset, or in TIME_WAIT, and held. */
		s->is_hashed &= !s->is_open;
		break;
	case 3:
	case 4:
		act_close(m, s, false);
		break;
	default:
		if (s->is_hashed)
			act_send(m, s);
	}
}

void model_act(struct model *m)
{
	struct model_socket *s = &m->sockets[below(m, MODEL_SOCKETS)];

	m->a.lane.now_ns += below(m, 200) * NSEC_PER_MSEC;
	if (below(m, 8) == 0)
		poll_listeners(m);
	if (below(m, 3) == 0)
		deliver_event(m);
	else if (s->is_used)
		act_on(m, s);
	else
		act_open(m, s);
}

static void copy_row(struct model *m, unsigned int i)
{
	if (m->sockets[i].is_used && m->sockets[i].is_hashed)
		fill_record(m, &m->sockets[i],
			    m->sockets[i].is_open ? SOCK_ESTABLISHED : SOCK_SYN_SENT,
			    &m->rows[m->row_count++]);
}

/* A batch is read when the next has been copied, or later. */
static bool add_rows(struct model *m, bool may_fail)
{
	for (unsigned int i = 0; i < MODEL_SOCKETS; i += 4) {
		m->row_count = 0;
		for (unsigned int j = i; j < i + 4; j++)
			copy_row(m, j);
		for (unsigned int n = below(m, 4); n > 0; n--)
			model_act(m);
		if (may_fail && below(m, 20) == 0)
			return false;
		for (unsigned int j = 0; j < m->row_count; j++)
			aggregates_add(&m->a, &m->rows[j]);
	}
	return true;
}

void model_poll(struct model *m, bool may_fail)
{
	aggregates_begin(&m->a);
	if (add_rows(m, may_fail))
		aggregates_commit(&m->a);
	else if (below(m, 2) == 0)
		aggregate_abort(&m->a.aggregate);
}

void model_end(struct model *m)
{
	for (unsigned int i = 0; i < MODEL_SOCKETS; i++)
		if (m->sockets[i].is_used)
			act_close(m, &m->sockets[i], false);
	while (m->event_count > 0)
		deliver_event(m);
	aggregates_begin(&m->a);
	aggregates_commit(&m->a);
}

static uint64_t sum(const struct model *m, const char *family)
{
	const struct group_table *t = &m->a.aggregate.groups;
	uint64_t total = 0;

	for (uint32_t i = 0; i < t->count; i++)
		total += *core_cells(t->catalogue, t->items[i]->cells, family);
	return total;
}

struct model_totals model_counted(const struct model *m)
{
	return (struct model_totals){
		.opened = sum(m, "sockstat_tcp_connections_opened_total"),
		.closed = sum(m, "sockstat_tcp_connections_closed_total"),
		.sent = sum(m, "sockstat_tcp_sent_bytes_total"),
		.received = sum(m, "sockstat_tcp_received_bytes_total"),
		.acked = sum(m, "sockstat_tcp_acked_bytes_total"),
		.segments = sum(m, "sockstat_tcp_sent_segments_total"),
		.retransmitted = sum(m, "sockstat_tcp_retransmitted_segments_total"),
	};
}
