/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/aggregate_track.h"

#include <string.h>

#include "daemon/core/group_internal.h"
#include "daemon/core/tcp_info.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"

#define FACT(name) (1U << METRIC_WHEN_##name)

/* More than the tcp_info of any kernel; what is beyond is no row of the metric table. */
#define REPLAY_BYTES 512

/* The kernel tells ages in jiffies, of at most 10 ms. */
#define JIFFY_NS (10 * NSEC_PER_MSEC)
/* How late an event may be read, and still have its age taken for what it was. */
#define EVENT_DELAY_NS (100 * NSEC_PER_MSEC)

bool aggregate_follows(const struct aggregate *a, const struct sock_record *record)
{
	return a->track.limit > 0 && record->tcp_info && record->state != SOCK_LISTEN;
}

/* Whether a segment has come in: what was only tried, and what an abort has zeroed, is none. */
static bool is_connection(const struct sock_record *record)
{
	if (!tcp_info_has(record, TCP_INFO_SEGS_IN, 4))
		return record->state != SOCK_SYN_SENT;
	return sock_load_u32(record->tcp_info, TCP_INFO_SEGS_IN) > 0;
}

static bool has_fallen(const struct track_record *t, unsigned int slot,
		       const struct sock_record *record, unsigned int offset)
{
	return tcp_info_has(record, offset, 8) &&
	       sock_load_u64(record->tcp_info, offset) < sock_load_u64(t->values, slot);
}

/* Whether the socket is by now another connection: after connect() to AF_UNSPEC it keeps its
 * cookie, and its counters start again. */
static bool is_another(const struct aggregate *a, const struct track_record *t,
		       const struct sock_record *record)
{
	return t->local_port != record->local_port || t->remote_port != record->remote_port ||
	       has_fallen(t, a->slots.sent, record, TCP_INFO_BYTES_SENT) ||
	       has_fallen(t, a->slots.received, record, TCP_INFO_BYTES_RECEIVED);
}

static void begin_connection(struct track_record *t, const struct sock_record *record,
			     enum group_side side)
{
	t->local_port = record->local_port;
	t->remote_port = record->remote_port;
	t->side = (uint8_t)side;
	t->was_closed = false;
	memset(t->values, 0, sizeof(t->values));
}

/* Without memory for a group of its own, it counts in "other". */
static struct group *group_of(struct aggregate *a, const struct listener_table *listeners,
			      const struct track_record *t)
{
	struct group *g = group_table_get(&a->groups, t->side,
					  t->side == GROUP_SERVER ? t->local_port : t->remote_port,
					  listeners);

	return g ? g : group_table_shared(&a->groups, t->side, GROUP_OTHER);
}

/* Lets the end of a connection count with the values that it had when it was last seen. */
static void count_end(struct aggregate *a, const struct listener_table *listeners,
		      struct track_record *t, unsigned int facts)
{
	uint8_t info[REPLAY_BYTES] __attribute__((aligned(8))) = {0};
	struct sock_record last = {
		.state = SOCK_CLOSE,
		.tcp_info = info,
		.tcp_info_len = MIN(a->tcp_info_len, sizeof(info)),
	};
	const struct aggregate_plan *plan = aggregate_plan_get(a, &last);

	if (t->was_closed)
		facts &= ~FACT(CLOSED);
	t->was_closed = true;
	delta_plan_replay(&plan->deltas, t->values, info);
	aggregate_plan_run(plan, &last, facts, 0, group_of(a, listeners, t)->poll);
}

static void end_if_open(struct aggregate *a, const struct listener_table *listeners,
			struct track_record *t)
{
	if (t->status != TRACK_PENDING)
		count_end(a, listeners, t, FACT(CLOSED));
}

/* Where the poll before had no room for some, what is new to us may be old. */
static bool is_born(const struct aggregate *a)
{
	return a->has_followed && a->untracked == 0;
}

/* From now on an event of a socket that nobody knows may be of one that was counted. */
static void note_forgotten(struct aggregate *a, uint64_t now_ns)
{
	a->blind_ns = MAX(a->blind_ns, now_ns + EVENT_DELAY_NS);
}

static uint32_t add_record(struct aggregate *a, uint64_t cookie, uint64_t now_ns)
{
	uint32_t number = track_add(&a->track, cookie);

	if (a->track.has_evicted)
		note_forgotten(a, now_ns);
	a->track.has_evicted = false;
	return number;
}

static struct sight see_new(struct aggregate *a, const struct sock_record *record,
			    enum group_side side)
{
	uint32_t number = add_record(a, record->cookie, a->poll_started_ns);
	struct sight s = {.credit = is_born(a) ? SIGHT_GROWTH : SIGHT_BASELINE};

	if (number == TRACK_NONE) {
		a->poll_untracked++;
		return (struct sight){0};
	}
	track_see(&a->track, number);
	s.track = track_at(&a->track, number);
	begin_connection(s.track, record, side);
	if (is_connection(record)) {
		s.track->status = TRACK_OPEN;
		if (s.credit == SIGHT_GROWTH)
			s.facts = FACT(OPENED);
	} else if (s.credit == SIGHT_GROWTH) {
		s.credit = SIGHT_NOTHING; /* until it is a connection; then from zero */
	}
	return s;
}

static struct sight see_again(struct aggregate *a, const struct listener_table *listeners,
			      const struct sock_record *record, enum group_side side,
			      uint32_t number)
{
	struct track_record *t = track_at(&a->track, number);
	struct sight s = {.track = t, .was_open = t->status != TRACK_PENDING};
	bool open = is_connection(record);
	enum track_status status = open ? TRACK_OPEN : TRACK_PENDING;

	if (t->status == TRACK_DEAD)
		return s;
	if (is_another(a, t, record) || (s.was_open && !open)) {
		end_if_open(a, listeners, t);
		begin_connection(t, record, side);
		s.was_open = false;
	}
	if (t->status != status)
		track_set_status(&a->track, number, status);
	track_see(&a->track, number);
	if (open) {
		s.credit = SIGHT_GROWTH;
		s.facts = s.was_open ? 0 : FACT(OPENED);
	}
	return s;
}

struct sight aggregate_see(struct aggregate *a, const struct listener_table *listeners,
			   const struct sock_record *record, enum group_side side)
{
	uint32_t number = track_find(&a->track, record->cookie);

	a->tcp_info_len = record->tcp_info_len;
	if (number == TRACK_NONE)
		return see_new(a, record, side);
	if (!track_is_beyond(&a->track))
		return see_again(a, listeners, record, side, number);
	track_remove(&a->track, number);
	a->poll_untracked++;
	return (struct sight){0};
}

void aggregate_forget_baseline(struct aggregate *a, const struct sock_record *record,
			       const struct sight *sight)
{
	if (sight->credit == SIGHT_BASELINE)
		track_remove(&a->track, track_find(&a->track, record->cookie));
}

static void lose_sight(struct aggregate *a, const struct listener_table *listeners, uint32_t number,
		       uint64_t now_ns)
{
	struct track_record *t = track_at(&a->track, number);

	if (t->status != TRACK_OPEN) {
		track_remove(&a->track, number);
		return;
	}
	count_end(a, listeners, t, FACT(CLOSED));
	track_set_status(&a->track, number, a->expects_events ? TRACK_GONE : TRACK_LEAVING);
	if (!a->expects_events)
		note_forgotten(a, now_ns);
}

void aggregate_sweep(struct aggregate *a, const struct listener_table *listeners, uint64_t now_ns)
{
	uint32_t cursor = 0;
	uint32_t number;

	track_forget_leaving(&a->track);
	while ((number = track_unseen(&a->track, &cursor)) != TRACK_NONE)
		lose_sight(a, listeners, number, now_ns);
	/* What is held but had left the table before the first poll is older than we are. */
	if (!a->has_followed)
		a->blind_ns = now_ns - JIFFY_NS;
	a->has_followed = a->track.limit > 0;
	a->untracked = a->poll_untracked;
}

/* Lets an event count for a connection that is followed, or that is as if it had been. */
static void count_event(struct aggregate *a, const struct listener_table *listeners,
			struct track_record *t, const struct sock_record *record,
			unsigned int facts)
{
	const struct aggregate_plan *plan = aggregate_plan_get(a, record);
	struct group *g = group_of(a, listeners, t);

	if (!t->was_closed)
		facts |= FACT(CLOSED);
	t->was_closed = true;
	metric_set_merge(&a->present, &plan->present);
	aggregate_plan_run(plan, record, facts, 0, g->poll);
	delta_plan_run(&plan->deltas, record, t->values, g->poll);
}

static enum group_side side_of(struct listener_table *listeners, const struct sock_record *record)
{
	return listener_table_match(listeners, record) ? GROUP_SERVER : GROUP_CLIENT;
}

/* Whether it was last active when we could not tell it from one that was counted and has been
 * forgotten since, or from one that is older than we are. Both ages begin with the handshake at the
 * latest. */
static bool is_ambiguous(const struct aggregate *a, const struct sock_record *record,
			 uint64_t now_ns)
{
	uint64_t age_ms = MAX(sock_load_u32(record->tcp_info, TCP_INFO_LAST_DATA_SENT),
			      sock_load_u32(record->tcp_info, TCP_INFO_LAST_DATA_RECV));

	return now_ns < a->blind_ns + age_ms * NSEC_PER_MSEC;
}

/* What the dump under way still says of it must not bring it back. */
static void bury(struct aggregate *a, uint32_t number)
{
	if (a->is_polling)
		track_set_status(&a->track, number, TRACK_DEAD);
	else
		track_remove(&a->track, number);
}

/* A connection that no poll has seen. */
static bool count_unseen(struct aggregate *a, struct listener_table *listeners,
			 const struct sock_record *record, uint64_t now_ns)
{
	struct track_record t = {0};
	uint32_t number;

	if (!record->local_port || !record->remote_port || !is_connection(record) || !is_born(a) ||
	    is_ambiguous(a, record, now_ns))
		return false;
	begin_connection(&t, record, side_of(listeners, record));
	count_event(a, listeners, &t, record, FACT(OPENED));
	number = a->is_polling ? add_record(a, record->cookie, now_ns) : TRACK_NONE;
	if (number != TRACK_NONE) {
		begin_connection(track_at(&a->track, number), record, t.side);
		bury(a, number);
	}
	return true;
}

static bool count_seen(struct aggregate *a, struct listener_table *listeners,
		       const struct sock_record *record, struct track_record *t)
{
	if (t->status == TRACK_DEAD)
		return false;
	if (!is_connection(record)) {
		if (t->status == TRACK_PENDING)
			return false;
		count_end(a, listeners, t, FACT(CLOSED) | FACT(UNREPORTED));
		return true;
	}
	if (is_another(a, t, record)) {
		end_if_open(a, listeners, t);
		begin_connection(t, record, side_of(listeners, record));
		count_event(a, listeners, t, record, FACT(OPENED));
	} else {
		count_event(a, listeners, t, record, t->status == TRACK_PENDING ? FACT(OPENED) : 0);
	}
	return true;
}

bool aggregate_event(struct aggregate *a, struct listener_table *listeners,
		     const struct sock_record *record, uint64_t now_ns)
{
	uint32_t number;
	bool counted;

	if (!aggregate_follows(a, record))
		return false;
	number = track_find(&a->track, record->cookie);
	if (number == TRACK_NONE)
		return count_unseen(a, listeners, record, now_ns);
	counted = count_seen(a, listeners, record, track_at(&a->track, number));
	bury(a, number);
	return counted;
}
