/* SPDX-License-Identifier: Apache-2.0 */
/* Destroy events: which of them closes a connection, and what it adds. */
#include "daemon/core/connections_internal.h"
#include "daemon/core/tcp_info.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"

/* Of a destroyed socket that may never have been one: whether its SYN was acknowledged. The RST
 * that refuses a connect() which does not wait has come in as well. Who was connected to sent none.
 */
static bool has_shaken_hands(const struct sock_record *record, enum group_side side)
{
	return side == GROUP_SERVER || !tcp_info_has(record, TCP_INFO_BYTES_ACKED, 8) ||
	       sock_load_u64(record->tcp_info, TCP_INFO_BYTES_ACKED) > 0;
}

/* Lets an event count for a connection that is followed, or that is as if it had been. */
static void count_event(struct connections *c, const struct listener_table *listeners,
			struct track_record *t, const struct sock_record *record,
			unsigned int facts)
{
	const struct aggregate_plan *plan =
		aggregate_plans_get(c->plans, c->groups->catalogue, record);
	struct group *g = connection_group(c, listeners, t, record);

	if (!t->was_closed)
		facts |= FACT(CLOSED);
	t->was_closed = true;
	metric_set_merge(&c->present, &plan->present);
	aggregate_plan_run(plan, record, facts, 0, g->poll);
	delta_plan_run(&plan->deltas, record, t->values, g->poll);
}

static enum group_side side_of(struct listener_table *listeners, const struct sock_record *record)
{
	return listener_table_match(listeners, record) ? GROUP_SERVER : GROUP_CLIENT;
}

/* Whether it was last active when we could not tell it from one that was counted and has been
 * forgotten since, or from one that is older than we are. Both ages begin with the handshake at the
 * latest. What has none may be anything. */
static bool is_ambiguous(const struct connections *c, const struct sock_record *record,
			 uint64_t now_ns)
{
	uint64_t age_ms;

	if (!tcp_info_has(record, TCP_INFO_LAST_DATA_RECV, 4))
		return true;
	age_ms = MAX(sock_load_u32(record->tcp_info, TCP_INFO_LAST_DATA_SENT),
		     sock_load_u32(record->tcp_info, TCP_INFO_LAST_DATA_RECV));

	return now_ns < c->blind_ns + age_ms * NSEC_PER_MSEC;
}

/* A connection that no poll has seen. */
static bool count_unseen(struct connections *c, struct listener_table *listeners,
			 const struct sock_record *record, uint64_t now_ns)
{
	struct track_record t = {0};

	if (c->filter && !filter_match(c->filter, record))
		return false;
	if (!record->local_port || !record->remote_port || !connection_is_made(record) ||
	    !connections_know_births(c) || is_ambiguous(c, record, now_ns))
		return false;
	connection_begin(&t, record, side_of(listeners, record));
	if (!has_shaken_hands(record, t.side))
		return false;
	count_event(c, listeners, &t, record, FACT(OPENED));
	return true;
}

static bool count_seen(struct connections *c, struct listener_table *listeners,
		       const struct sock_record *record, struct track_record *t)
{
	bool was_open = t->status != TRACK_PENDING;
	bool opens = !was_open;

	if (t->status == TRACK_DEAD)
		return false;
	if (!connection_is_made(record)) {
		if (was_open)
			connection_end(c, listeners, t, FACT(CLOSED) | FACT(UNREPORTED));
		return was_open;
	}
	if (connection_is_another(c, t, record)) {
		connection_end_if_open(c, listeners, t);
		connection_begin(t, record, side_of(listeners, record));
		opens = true;
	}
	if (opens && !has_shaken_hands(record, t->side))
		return was_open;
	count_event(c, listeners, t, record, opens ? FACT(OPENED) : 0);
	return true;
}

/* What the dump under way still says of it must not bring it back, also of what was ignored. */
static void bury_unseen(struct connections *c, struct listener_table *listeners,
			const struct sock_record *record)
{
	uint32_t number = TRACK_NONE;

	if (c->is_polling && connection_is_made(record))
		number = track_bury_new(&c->track, record->cookie);
	if (number != TRACK_NONE)
		connection_begin(track_at(&c->track, number), record, side_of(listeners, record));
}

static void bury_seen(struct connections *c, uint32_t number)
{
	if (c->is_polling)
		track_bury(&c->track, number);
	else
		track_remove(&c->track, number);
}

/* Where two CPUs take the end of one handshake, both make a child, of which one lives; the other is
 * destroyed at once, with the cookie of both (inet_csk_complete_hashdance()). A child begins with
 * one segment, its SYN (tcp_create_openreq_child()), and the ACK is one more for who lives. What
 * was aborted is zeroed, and has lost its peer. */
static bool is_stillborn(const struct sock_record *record, enum group_side side)
{
	return side == GROUP_SERVER && record->remote_port != 0 &&
	       tcp_info_has(record, TCP_INFO_SEGS_IN, 4) &&
	       sock_load_u32(record->tcp_info, TCP_INFO_SEGS_IN) <= 1;
}

/* Of what was not yet counted it may be known by now. */
static enum group_side find_side(struct connections *c, struct listener_table *listeners,
				 const struct sock_record *record, uint32_t number)
{
	struct track_record *t;

	if (number == TRACK_NONE)
		return side_of(listeners, record);
	t = track_at(&c->track, number);
	if (t->status == TRACK_PENDING)
		connection_set_side(t, side_of(listeners, record));
	return t->side;
}

bool connections_event(struct connections *c, struct listener_table *listeners,
		       const struct sock_record *record, uint64_t now_ns)
{
	uint32_t number;
	bool counted;

	if (!connections_follow(c, record))
		return false;
	number = track_find(&c->track, record->cookie);
	if (is_stillborn(record, find_side(c, listeners, record, number)))
		return false;
	if (number == TRACK_NONE) {
		counted = count_unseen(c, listeners, record, now_ns);
		bury_unseen(c, listeners, record);
		return counted;
	}
	counted = count_seen(c, listeners, record, track_at(&c->track, number));
	bury_seen(c, number);
	return counted;
}
