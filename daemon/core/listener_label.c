/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/listener_label.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/util/macros.h"

#define EPHEMERAL "ephemeral"
#define OTHER     "other"

static uint32_t own_count(const struct listener_table *t)
{
	return t->series_count - (t->other != NULL) - (t->hidden != NULL);
}

static void remove_series(struct listener_table *t, struct listener_series *s)
{
	uint32_t i = 0;

	while (t->series[i] != s)
		i++;
	t->series[i] = t->series[--t->series_count];
	listener_series_free(s);
}

void listener_label_release(struct listener_table *t, struct listener *l)
{
	struct listener_series *s = l->series;

	l->series = NULL;
	/* Those of "other" stay: their counters must not start anew with each that is folded. */
	if (s && --s->listeners == 0 && s != t->other && s != t->hidden)
		remove_series(t, s);
}

static int make_room(struct listener_table *t)
{
	uint32_t room = MAX(16, t->series_room * 2);
	struct listener_series **series;

	if (t->series_count < t->series_room)
		return 0;
	series = reallocarray(t->series, room, sizeof(struct listener_series *));
	if (!series)
		return -ENOMEM;
	t->series = series;
	t->series_room = room;
	return 0;
}

/* NULL: out of memory. */
static struct listener_series *add_series(struct listener_table *t, const char *address,
					  const char *port, uint64_t now_ns)
{
	struct listener_series *s;

	if (make_room(t) < 0)
		return NULL;
	s = listener_series_new(t->catalogue, address, port, t->peak_window_ns, now_ns);
	if (s)
		t->series[t->series_count++] = s;
	return s;
}

static struct listener_series *find_series(const struct listener_table *t, const char *address,
					   const char *port)
{
	for (uint32_t i = 0; i < t->series_count; i++)
		if (strcmp(t->series[i]->address, address) == 0 &&
		    strcmp(t->series[i]->port, port) == 0)
			return t->series[i];
	return NULL;
}

static struct listener_series *get_other(struct listener_table *t, uint64_t now_ns)
{
	if (!t->other)
		t->other = add_series(t, OTHER, OTHER, now_ns);
	return t->other;
}

/* Counted like any other, so that what is theirs is nobody else's, and not shown. */
static struct listener_series *get_hidden(struct listener_table *t, uint64_t now_ns)
{
	if (!t->hidden)
		t->hidden = add_series(t, "", "", now_ns);
	return t->hidden;
}

static bool is_hidden(const struct listener_table *t, const struct listener *l)
{
	return l->shown != t->poll;
}

static struct listener_series *get_series(struct listener_table *t, const struct listener *l,
					  uint64_t now_ns)
{
	struct listener_series *s;
	char port[LISTENER_PORT_MAX];

	if (is_hidden(t, l))
		return get_hidden(t, now_ns);
	if (listener_table_has_label(t, l->key.port))
		snprintf(port, sizeof(port), "%u", l->key.port);
	else
		snprintf(port, sizeof(port), EPHEMERAL);
	s = find_series(t, l->address, port);
	if (s)
		return s;
	if (own_count(t) >= t->series_cap)
		return get_other(t, now_ns);
	return add_series(t, l->address, port, now_ns);
}

/* Whether there may be other series for it than it has: a place came free, or it has settled. */
static bool is_due(const struct listener_table *t, const struct listener *l)
{
	if (!l->series || is_hidden(t, l) != (l->series == t->hidden))
		return true;
	if (is_hidden(t, l))
		return false;
	if (l->series == t->other)
		return own_count(t) < t->series_cap;
	return strcmp(l->series->port, EPHEMERAL) == 0 && listener_table_has_label(t, l->key.port);
}

static int assign(struct listener_table *t, struct listener *l, struct listener_series *s)
{
	if (!s)
		return -ENOMEM;
	s->listeners++;
	listener_label_release(t, l);
	l->series = s;
	t->owners_due = true;
	return 0;
}

/* The series to fold when a reload has lowered the cap: any that nobody uses now, else the last. */
static struct listener_series *least_worthy(const struct listener_table *t)
{
	struct listener_series *found = NULL;

	for (uint32_t i = 0; i < t->series_count; i++)
		if (t->series[i] != t->other && t->series[i] != t->hidden &&
		    (!found || found->values.sockets > 0 || t->series[i]->values.sockets == 0))
			found = t->series[i];
	return found;
}

static int fold_excess(struct listener_table *t, uint64_t now_ns)
{
	if (own_count(t) > t->series_cap && !get_other(t, now_ns))
		return -ENOMEM;
	while (own_count(t) > t->series_cap) {
		struct listener_series *s = least_worthy(t);

		for (uint32_t i = 0; i < t->count; i++) {
			if (t->items[i]->series != s)
				continue;
			t->items[i]->series = t->other;
			t->other->listeners++;
		}
		t->owners_due = true;
		remove_series(t, s);
	}
	return 0;
}

int listener_label_assign(struct listener_table *t, uint64_t now_ns)
{
	if (fold_excess(t, now_ns) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < t->count; i++) {
		struct listener *l = t->items[i];

		if (l->members > 0 && is_due(t, l) && assign(t, l, get_series(t, l, now_ns)) < 0)
			return -ENOMEM;
	}
	return 0;
}
