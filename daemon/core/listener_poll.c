/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/listener_poll.h"

#include <errno.h>

#include "daemon/core/filter.h"
#include "daemon/core/listener_label.h"
#include "daemon/core/listener_member.h"
#include "daemon/core/listener_overflow.h"
#include "daemon/core/listener_owner.h"
#include "daemon/util/macros.h"

void listener_poll_begin(struct listener_table *t)
{
	t->poll++;
}

int listener_poll_add(struct listener_table *t, const struct sock_record *record, uint64_t now_ns)
{
	struct listener_member *m;
	struct listener *l;
	int r;

	r = listener_table_get(t, record, now_ns, &l);
	if (r < 0)
		return r;
	r = listener_member_get(t, record, &m);
	if (r < 0)
		return r;
	if (!t->filter || filter_match(t->filter, record))
		l->shown = t->poll;
	m->listener = l;
	m->poll = t->poll;
	m->drops = 0;
	m->length = record->receive_queue;
	m->has_limit = record->known & SOCK_KNOWS_SEND_QUEUE;
	m->limit = record->send_queue;
	listener_owner_note(t, m, record);
	m->has_drops = record->skmem_len >= 4 * (SOCK_SKMEM_DROPS + 1);
	if (m->has_drops)
		m->next_sk_drops = sock_load_u32(record->skmem, 4 * SOCK_SKMEM_DROPS);
	return 0;
}

/* How much the drops have grown since they were last known. What a socket had when the daemon came
 * is its baseline; one that is new to a daemon that has already looked was born meanwhile. */
static uint32_t new_growth(const struct listener_member *m)
{
	if (!m->has_drops || (!m->knows_drops && m->is_older))
		return 0;
	return m->knows_drops ? m->next_sk_drops - m->sk_drops : m->next_sk_drops;
}

bool listener_poll_wants_listen_drops(const struct listener_table *t)
{
	if (!t->knows_listen_drops || t->listen_drops_carried > 0)
		return true;
	for (uint32_t i = 0; i < t->index.count; i++) {
		const struct listener_member *m = &t->members[i];

		if (m->poll == t->poll && (m->growth > 0 || new_growth(m) > 0))
			return true;
	}
	return false;
}

static bool is_over(const struct listener_member *m)
{
	return m->has_limit && m->length > m->limit;
}

static bool is_full(const struct listener_member *m)
{
	return m->was_full || is_over(m);
}

/* Gives listeners with room, or those without, their part of what is available. */
static uint64_t split(struct listener_table *t, bool full, uint64_t available)
{
	for (uint32_t i = 0; i < t->index.count && available > 0; i++) {
		struct listener_member *m = &t->members[i];
		uint64_t part;

		if (m->poll != t->poll || is_full(m) != full)
			continue;
		part = MIN(m->growth, available);
		m->growth -= (uint32_t)part;
		m->drops += (uint32_t)part;
		m->listener->series->poll.drops += part;
		available -= part;
	}
	return available;
}

/* The namespace's ListenDrops counts only what fell because a queue was full, a listener's sk_drops
 * also probes and scans. So the growth of the former is dealt out to those whose own drops grew,
 * to the full ones first, and the rest of theirs is stray. What could not be dealt out fell after
 * its listener's row was written: it is good for the next poll, and for no later one. */
static void split_drops(struct listener_table *t, uint64_t listen_drops)
{
	uint64_t delta = listen_drops - t->listen_drops;
	uint64_t left;

	if (t->knows_listen_drops) {
		left = split(t, true, delta + t->listen_drops_carried);
		left = split(t, false, left);
		t->listen_drops_carried = MIN(left, delta);
	}
	for (uint32_t i = 0; i < t->index.count; i++) {
		struct listener_member *m = &t->members[i];

		if (t->knows_listen_drops && m->poll == t->poll)
			m->listener->series->poll.strays += m->growth;
		m->growth = 0;
	}
	t->listen_drops = listen_drops;
	t->knows_listen_drops = true;
}

/* Counts each listener's members. One that has come back lives anew: it has yet to settle. */
static void count_members(struct listener_table *t, uint64_t now_ns)
{
	for (uint32_t i = 0; i < t->count; i++)
		t->items[i]->members = 0;
	for (uint32_t i = 0; i < t->index.count; i++)
		if (t->members[i].poll == t->poll)
			t->members[i].listener->members++;
	for (uint32_t i = 0; i < t->count; i++)
		if (t->items[i]->members > 0 && t->items[i]->gone_since_ns)
			t->items[i]->first_seen_ns = now_ns;
}

/* Adds each member to its listener's series, and lets go of those that the poll did not show. */
static void settle_members(struct listener_table *t)
{
	for (uint32_t i = t->index.count; i-- > 0;) {
		struct listener_member *m = &t->members[i];

		if (m->poll != t->poll) {
			listener_member_remove(t, i);
			continue;
		}
		listener_series_add(m->listener->series, t->catalogue,
				    &(struct listener_share){
					    .length = m->length,
					    .limit = m->limit,
					    .sk_drops = m->next_sk_drops,
					    .has_limit = m->has_limit,
					    .has_drops = m->has_drops,
				    });
		m->sk_drops = m->next_sk_drops;
		m->knows_drops |= m->has_drops;
		m->was_full = is_over(m);
	}
}

/* Whether nothing speaks of it any more. Without series no fast poll has ever shown it, only a dump
 * of the other lane. */
static bool is_forgotten(const struct listener_table *t, const struct listener *l, uint64_t now_ns)
{
	if (l->members > 0)
		return false;
	return l->series ? now_ns - l->gone_since_ns > LISTENER_AFTERLIFE_NS : l->dump != t->dump;
}

static void settle_listeners(struct listener_table *t, uint64_t now_ns)
{
	for (uint32_t i = t->count; i-- > 0;) {
		struct listener *l = t->items[i];

		if (l->members > 0)
			l->gone_since_ns = 0;
		else if (!l->gone_since_ns)
			l->gone_since_ns = now_ns;
		if (!is_forgotten(t, l, now_ns))
			continue;
		listener_label_release(t, l);
		listener_table_remove(t, l);
	}
}

static void collect_growth(struct listener_table *t)
{
	for (uint32_t i = 0; i < t->index.count; i++) {
		struct listener_member *m = &t->members[i];

		if (m->poll == t->poll &&
		    __builtin_add_overflow(m->growth, new_growth(m), &m->growth))
			m->growth = UINT32_MAX;
	}
}

int listener_poll_commit(struct listener_table *t, const struct listener_poll *poll)
{
	uint64_t elapsed_ns = t->has_polled ? poll->now_ns - t->polled_ns : 0;

	count_members(t, poll->now_ns);
	listener_table_find_ports(t, poll->now_ns);
	if (listener_label_assign(t, poll->now_ns) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < t->series_count; i++)
		listener_series_begin_poll(t->series[i]);
	collect_growth(t);
	if (poll->listen_drops)
		split_drops(t, *poll->listen_drops);
	settle_members(t);
	listener_overflow_poll(t, poll);
	for (uint32_t i = 0; i < t->series_count; i++)
		listener_series_end_poll(t->series[i], poll, elapsed_ns, t->knows_listen_drops);
	settle_listeners(t, poll->now_ns);
	listener_table_forget_matches(t);
	t->has_polled = true;
	t->polled_ns = poll->now_ns;
	return 0;
}
