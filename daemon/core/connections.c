/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/connections.h"

#include <string.h>

#include "daemon/core/connections_internal.h"
#include "daemon/core/group_internal.h"
#include "daemon/core/tcp_info.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"

/* More than the tcp_info of any kernel; what is beyond is no row of the metric table. */
#define REPLAY_BYTES 512

/* The kernel tells ages in jiffies, of at most 10 ms. */
#define JIFFY_NS (10 * NSEC_PER_MSEC)
/* How late an event may be read, and still have its age taken for what it was: the longest system
 * call of a dump, which shows nothing of a million sockets, lasts a third of a second. */
#define EVENT_DELAY_NS (500 * NSEC_PER_MSEC)

void connections_init(struct connections *c, struct group_table *groups,
		      struct aggregate_plans *plans, uint64_t seed)
{
	*c = (struct connections){
		.groups = groups,
		.plans = plans,
		.slots.sent = catalogue_slot(groups->catalogue, TCP_INFO_BYTES_SENT),
		.slots.received = catalogue_slot(groups->catalogue, TCP_INFO_BYTES_RECEIVED),
	};
	track_init(&c->track, seed);
}

void connections_done(struct connections *c)
{
	track_done(&c->track);
}

/* From now on an event of a socket that nobody knows may be of one that was counted. */
static void note_forgotten(struct connections *c, uint64_t now_ns)
{
	c->blind_ns = MAX(c->blind_ns, now_ns + EVENT_DELAY_NS);
}

/* Who had gone has made room: it was last active before the good poll that no longer showed it. */
static void note_evicted(struct connections *c)
{
	if (c->track.has_evicted)
		note_forgotten(c, c->ended_ns);
	c->track.has_evicted = false;
}

void connections_limit(struct connections *c, uint32_t limit)
{
	if (limit == 0) {
		track_done(&c->track);
		c->has_polled = false;
		c->untracked = 0;
	}
	track_set_limit(&c->track, limit);
	track_evict_beyond(&c->track);
	note_evicted(c);
}

void connections_rename(struct connections *c, const struct class_map *map)
{
	uint32_t cursor = 0;
	uint32_t number;

	while ((number = track_next(&c->track, &cursor)) != TRACK_NONE) {
		struct track_record *t = track_at(&c->track, number);

		connection_set_class(t, class_map_find(map, (struct sock_class){t->view, t->peer}));
	}
	c->looks_anew = true;
}

void connections_start_over(struct connections *c)
{
	c->has_polled = false;
}

bool connections_follow(const struct connections *c, const struct sock_record *record)
{
	return c->track.limit > 0 && record->tcp_info && record->state != SOCK_LISTEN;
}

bool connection_is_made(const struct sock_record *record)
{
	if (record->state == SOCK_SYN_SENT)
		return false;
	return !tcp_info_has(record, TCP_INFO_SEGS_IN, 4) ||
	       sock_load_u32(record->tcp_info, TCP_INFO_SEGS_IN) > 0;
}

static bool has_fallen(const struct track_record *t, unsigned int slot,
		       const struct sock_record *record, unsigned int offset)
{
	return tcp_info_has(record, offset, 8) &&
	       sock_load_u64(record->tcp_info, offset) < sock_load_u64(t->values, slot);
}

bool connection_is_another(const struct connections *c, const struct track_record *t,
			   const struct sock_record *record)
{
	return t->local_port != record->local_port || t->remote_port != record->remote_port ||
	       has_fallen(t, c->slots.sent, record, TCP_INFO_BYTES_SENT) ||
	       has_fallen(t, c->slots.received, record, TCP_INFO_BYTES_RECEIVED);
}

void connection_begin(struct track_record *t, const struct sock_record *record,
		      enum group_side side)
{
	t->local_port = record->local_port;
	t->remote_port = record->remote_port;
	connection_set_side(t, side);
	t->was_closed = false;
	connection_set_class(t, CLASS_UNKNOWN);
	memset(t->values, 0, sizeof(t->values));
}

struct sock_class connection_class(const struct connections *c, struct track_record *t,
				   const struct sock_record *record)
{
	struct sock_class class = {t->view, t->peer};

	if (!c->classes)
		return CLASS_OTHER;
	if (class_is_known(class))
		return class;
	if (!record)
		return CLASS_OTHER;
	class = classes_find(c->classes, record);
	connection_set_class(t, class);
	return class;
}

struct group *connection_group(struct connections *c, const struct listener_table *listeners,
			       struct track_record *t, const struct sock_record *record)
{
	uint16_t port = t->side == GROUP_SERVER ? t->local_port : t->remote_port;
	struct group *g = group_table_get(c->groups, t->side, port, connection_class(c, t, record),
					  listeners);

	return g ? g : group_table_shared(c->groups, t->side, GROUP_OTHER);
}

void connection_end(struct connections *c, const struct listener_table *listeners,
		    struct track_record *t, unsigned int facts)
{
	uint8_t info[REPLAY_BYTES] __attribute__((aligned(8))) = {0};
	struct sock_record last = {
		.state = SOCK_CLOSE,
		.tcp_info = info,
		.tcp_info_len = MIN(c->tcp_info_len, sizeof(info)),
	};
	const struct aggregate_plan *plan =
		aggregate_plans_get(c->plans, c->groups->catalogue, &last);

	if (t->was_closed)
		facts &= ~FACT(CLOSED);
	t->was_closed = true;
	delta_plan_replay(&plan->deltas, t->values, info);
	aggregate_plan_run(plan, &last, facts, 0, connection_group(c, listeners, t, NULL)->poll);
}

void connection_end_if_open(struct connections *c, const struct listener_table *listeners,
			    struct track_record *t)
{
	if (t->status != TRACK_PENDING)
		connection_end(c, listeners, t, FACT(CLOSED));
}

bool connections_know_births(const struct connections *c)
{
	return c->has_polled && c->untracked == 0;
}

/* A dump walks the listeners first. Who has begun to listen since may be known at the next sight
 * only. */
static bool may_have_listener(const struct listener_table *listeners,
			      const struct sock_record *record, enum group_side side)
{
	return side == GROUP_CLIENT &&
	       listener_table_is_ephemeral(listeners, record->remote_port) &&
	       !listener_table_is_ephemeral(listeners, record->local_port);
}

static struct sight see_new(struct connections *c, const struct listener_table *listeners,
			    const struct sock_record *record, enum group_side side)
{
	uint32_t number = track_add(&c->track, record->cookie);
	struct sight s = {.credit = connections_know_births(c) ? SIGHT_GROWTH : SIGHT_BASELINE};

	note_evicted(c);
	if (number == TRACK_NONE) {
		c->poll_untracked++;
		return (struct sight){0};
	}
	track_see(&c->track, number);
	s.track = track_at(&c->track, number);
	connection_begin(s.track, record, side);
	if (connection_is_made(record) &&
	    (s.credit == SIGHT_BASELINE || !may_have_listener(listeners, record, side))) {
		s.track->status = TRACK_OPEN;
		if (s.credit == SIGHT_GROWTH)
			s.facts = FACT(OPENED);
	} else if (s.credit == SIGHT_GROWTH) {
		s.credit = SIGHT_NOTHING; /* until it is a connection; then from zero */
	}
	return s;
}

static struct sight see_again(struct connections *c, const struct listener_table *listeners,
			      const struct sock_record *record, enum group_side side,
			      uint32_t number)
{
	struct track_record *t = track_at(&c->track, number);
	struct sight s = {.track = t, .was_open = t->status != TRACK_PENDING};
	bool open = connection_is_made(record);
	enum track_status status = open ? TRACK_OPEN : TRACK_PENDING;

	if (t->status == TRACK_DEAD)
		return s;
	/* A dump may still copy who is aborted meanwhile, zeroed (tcp_disconnect()). Its event says
	 * that it has closed. */
	if (s.was_open && !open && record->state == SOCK_CLOSE) {
		track_see(&c->track, number);
		return s;
	}
	if (connection_is_another(c, t, record) || (s.was_open && !open)) {
		connection_end_if_open(c, listeners, t);
		connection_begin(t, record, side);
		s.was_open = false;
	}
	if (!s.was_open)
		connection_set_side(t, side);
	if (t->status != status)
		track_set_status(&c->track, number, status);
	track_see(&c->track, number);
	if (open) {
		s.credit = SIGHT_GROWTH;
		s.facts = s.was_open ? 0 : FACT(OPENED);
	}
	return s;
}

/* It is beyond a limit that was lowered. It was counted, and the next good poll or its event is not
 * to take it for born since. */
static struct sight let_go(struct connections *c, uint32_t number)
{
	track_remove(&c->track, number);
	c->poll_untracked++;
	c->untracked++;
	return (struct sight){0};
}

struct sight connections_see(struct connections *c, const struct listener_table *listeners,
			     const struct sock_record *record, enum group_side side)
{
	uint32_t number;

	if (!connections_follow(c, record))
		return (struct sight){0};
	c->tcp_info_len = record->tcp_info_len;
	number = track_find(&c->track, record->cookie);
	if (number == TRACK_NONE)
		return see_new(c, listeners, record, side);
	if (track_is_beyond(&c->track) && track_at(&c->track, number)->status != TRACK_DEAD)
		return let_go(c, number);
	return see_again(c, listeners, record, side, number);
}

struct sock_class connections_class(const struct connections *c, const struct sight *sight,
				    const struct sock_record *record)
{
	if (!c->classes)
		return CLASS_OTHER;
	if (!sight->track)
		return classes_find(c->classes, record);
	if (c->looks_anew || !c->classes->are_fixed)
		connection_set_class(sight->track, CLASS_UNKNOWN);
	return connection_class(c, sight->track, record);
}

void connections_count(const struct sight *sight, const struct aggregate_plan *plan,
		       const struct sock_record *record, uint64_t *cells)
{
	switch (sight->credit) {
	case SIGHT_NOTHING:
		break;
	case SIGHT_BASELINE:
		delta_plan_take(&plan->deltas, record, sight->track->values);
		break;
	case SIGHT_GROWTH:
		if (delta_plan_is_news(&plan->deltas, record, sight->track->values))
			delta_plan_run(&plan->deltas, record, sight->track->values, cells);
		break;
	}
}

void connections_forget(struct connections *c, const struct sight *sight)
{
	if (sight->credit == SIGHT_BASELINE)
		track_remove(&c->track, track_find(&c->track, sight->track->cookie));
	else if (sight->facts & FACT(OPENED))
		sight->track->status = TRACK_PENDING;
}

void connections_prefetch(struct connections *c, const struct sock_record *records,
			  unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (connections_follow(c, &records[i]))
			track_prefetch_slot(&c->track, records[i].cookie);
	track_tidy(&c->track);
	for (unsigned int i = 0; i < count; i++)
		if (connections_follow(c, &records[i]))
			track_prefetch_record(&c->track, records[i].cookie);
}

void connections_begin(struct connections *c)
{
	track_begin(&c->track);
	c->is_polling = true;
	c->poll_untracked = 0;
}

void connections_abort(struct connections *c)
{
	c->is_polling = false;
}

static void lose_sight(struct connections *c, const struct listener_table *listeners,
		       uint32_t number, uint64_t now_ns)
{
	struct track_record *t = track_at(&c->track, number);
	/* Who closed before events were taken up again has none. */
	bool has_event = c->expects_events && c->expected_events;

	if (t->status != TRACK_OPEN || !c->has_polled) {
		track_remove(&c->track, number);
		return;
	}
	connection_end(c, listeners, t, FACT(CLOSED));
	track_set_status(&c->track, number, has_event ? TRACK_GONE : TRACK_LEAVING);
	if (!has_event)
		note_forgotten(c, now_ns);
}

void connections_commit(struct connections *c, const struct listener_table *listeners,
			uint64_t now_ns)
{
	uint32_t cursor = 0;
	uint32_t number;

	track_forget_leaving(&c->track);
	while ((number = track_unseen(&c->track, &cursor)) != TRACK_NONE)
		lose_sight(c, listeners, number, now_ns);
	c->ended_ns = now_ns;
	track_evict_beyond(&c->track);
	note_evicted(c);
	/* What is held but had left the table before the first poll is older than we are. */
	if (!c->has_polled)
		c->blind_ns = now_ns - JIFFY_NS;
	/* Of those that were not followed some may have gone, and their events are to come. */
	if (c->untracked > 0)
		note_forgotten(c, now_ns);
	c->expected_events = c->expects_events;
	c->looks_anew = false;
	c->has_polled = c->track.limit > 0;
	c->untracked = c->poll_untracked;
	c->is_polling = false;
}
