/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/listener_overflow.h"

#include <stdlib.h>

#include "daemon/util/macros.h"

static bool is_full(const struct listener_member *m)
{
	return m->has_limit && m->length > m->limit;
}

/* Where drops are not known, or cannot be told from strays, a full queue is all there is to see. */
static bool is_hit(const struct listener_table *t, const struct listener_member *m)
{
	return m->drops > 0 || (is_full(m) && !(m->has_drops && t->knows_listen_drops));
}

static struct overflow *get(struct listener_table *t, struct listener *l)
{
	struct overflows *all = &t->overflows;

	if (l->overflow)
		return l->overflow;
	if (all->count < OVERFLOWS_MAX)
		l->overflow = calloc(1, sizeof(*l->overflow));
	if (!l->overflow) {
		all->missed++;
		return NULL;
	}
	l->overflow->listener = l;
	all->items[all->count++] = l->overflow;
	return l->overflow;
}

static void begin(struct listener_table *t, struct listener *l, const struct listener_poll *poll)
{
	struct overflow *o = get(t, l);

	if (o && !o->is_on)
		overflow_begin(o, poll->now_ns, poll->realtime_ms, t->dump);
}

static void add(const struct listener_table *t, struct overflow_poll *p,
		const struct listener_member *m)
{
	p->length += m->length;
	p->limit += m->has_limit ? m->limit : 0;
	p->drops += m->drops;
	p->has_limit |= m->has_limit;
	p->has_drops |= m->has_drops && t->knows_listen_drops;
	p->is_full |= is_full(m);
	p->is_hit |= is_hit(t, m);
}

/* What the filter does not let through is not told of. */
static bool is_shown(const struct listener_table *t, const struct listener_member *m)
{
	return m->poll == t->poll && m->listener->shown == t->poll;
}

void listener_overflow_poll(struct listener_table *t, const struct listener_poll *poll)
{
	struct overflows *all = &t->overflows;

	for (uint32_t i = 0; i < t->index.count; i++)
		if (is_shown(t, &t->members[i]) && is_hit(t, &t->members[i]))
			begin(t, t->members[i].listener, poll);
	if (all->count == 0)
		return;
	for (uint32_t i = 0; i < all->count; i++)
		all->items[i]->now = (struct overflow_poll){0};
	for (uint32_t i = 0; i < t->index.count; i++)
		if (is_shown(t, &t->members[i]) && t->members[i].listener->overflow)
			add(t, &t->members[i].listener->overflow->now, &t->members[i]);
	for (uint32_t i = 0; i < all->count; i++)
		overflow_observe(all->items[i], poll->now_ns, poll->realtime_ms);
}

void listener_overflow_dump(const struct listener_table *t, const struct listener *l,
			    bool is_filtered)
{
	const struct listener_queues *q = &l->queues;
	struct overflow *o = l->overflow;

	if (!o || !o->is_on || o->dump == t->dump)
		return;
	o->has_queues = true;
	o->oldest_ms = MAX(o->oldest_ms, q->oldest_ms);
	o->has_age |= q->has_age;
	o->closed = MAX(o->closed, q->closed);
	o->has_reset = !is_filtered;
	o->reset = MAX(o->reset, q->length - MIN(q->length, q->visible));
}

static void forget(struct overflows *all, uint32_t i)
{
	all->items[i]->listener->overflow = NULL;
	free(all->items[i]);
	all->items[i] = all->items[--all->count];
}

void listener_overflow_forget(struct listener_table *t, struct listener *l)
{
	for (uint32_t i = 0; l->overflow && i < t->overflows.count; i++)
		if (t->overflows.items[i] == l->overflow)
			forget(&t->overflows, i);
}

const struct overflow *listener_overflow_next(struct listener_table *t, uint64_t now_ns,
					      enum overflow_news *ret_news)
{
	struct overflows *all = &t->overflows;

	if (now_ns - all->period_ns >= OVERFLOW_PERIOD_NS) {
		all->period_ns = now_ns;
		all->told_count = 0;
	}
	for (uint32_t i = all->count; i-- > 0;) {
		struct overflow *o = all->items[i];
		enum overflow_news news =
			overflow_tell(o, now_ns, all->told_count < OVERFLOW_NEWS_MAX);

		if (news != OVERFLOW_NONE) {
			all->told_count += news == OVERFLOW_BEGAN;
			*ret_news = news;
			return o;
		}
		if (overflow_is_over(o, now_ns))
			forget(all, i);
	}
	return NULL;
}
