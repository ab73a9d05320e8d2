/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/listener_owner.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void listener_owner_note(struct listener_table *t, struct listener_member *m,
			 const struct sock_record *record)
{
	/* /proc does not tell it: what netlink said of the socket holds. */
	uint64_t cgroup_id = record->cgroup_id ? record->cgroup_id : m->cgroup_id;

	if (m->cgroup_id == cgroup_id && m->uid == record->uid)
		return;
	m->cgroup_id = cgroup_id;
	m->uid = record->uid;
	t->owners_due = true;
}

void listener_owner_enable(struct listener_table *t, bool is_on)
{
	t->tells_owners = is_on;
	t->owners_due = true;
	cgroup_names_retry(&t->cgroups);
}

static bool is_told(const struct listener_table *t, const struct listener_member *m)
{
	return t->tells_owners && m->listener->series && m->listener->series != t->hidden;
}

/* Asks for each cgroup that is somebody's. One too many is unknown. */
static int ask(struct listener_table *t)
{
	int r = 0;

	cgroup_names_begin_round(&t->cgroups);
	for (uint32_t i = 0; i < t->index.count && r != -ENOMEM; i++)
		if (is_told(t, &t->members[i]) && t->members[i].cgroup_id)
			r = cgroup_names_get(&t->cgroups, t->members[i].cgroup_id);
	if (r == -ENOMEM)
		return r;
	cgroup_names_end_round(&t->cgroups);
	return 0;
}

static void add_label(struct listener_owning *o, enum owner_label label, const char *value)
{
	if (!o->labels[label])
		o->labels[label] = value;
	else if (strcmp(o->labels[label], value) != 0)
		o->labels[label] = OWNER_MULTIPLE;
}

static void add_uid(struct listener_owning *o, uint32_t uid)
{
	if (!o->labels[OWNER_UID]) {
		snprintf(o->uid_text, sizeof(o->uid_text), "%" PRIu32, uid);
		o->labels[OWNER_UID] = o->uid_text;
		o->uid = uid;
	} else if (o->uid != uid) {
		o->labels[OWNER_UID] = OWNER_MULTIPLE;
	}
}

/* One whose cgroup is still looked for says nothing of it yet. */
static void add_member(struct listener_table *t, const struct listener_member *m)
{
	static const struct cgroup_name nameless = {.state = CGROUP_UNKNOWN};
	const struct cgroup_name *c = cgroup_names_find(&t->cgroups, m->cgroup_id);
	struct listener_owning *o = &m->listener->series->owning;

	if (!c)
		c = &nameless;
	add_uid(o, m->uid);
	if (c->state == CGROUP_WANTED || c->state == CGROUP_SOUGHT)
		return;
	add_label(o, OWNER_UNIT, c->name.unit);
	add_label(o, OWNER_CONTAINER_ID, c->name.container_id);
	add_label(o, OWNER_CGROUP, c->path);
}

static bool is_owner(const struct owner *owner, const char *const labels[OWNER_LABELS])
{
	for (unsigned int i = 0; i < OWNER_LABELS; i++)
		if (strcmp(owner->labels[i], labels[i]) != 0)
			return false;
	return true;
}

/* A service that was started again has another cgroup, of most the same name: what was known holds
 * while the same user's is looked for, but for no more than two searches. */
static bool is_kept(struct listener_series *s, uint32_t searches)
{
	if (!s->owner || strcmp(s->owner->labels[OWNER_UID], s->owning.labels[OWNER_UID]) != 0)
		return false;
	if (!s->open_since)
		s->open_since = searches + 1;
	return searches + 1 - s->open_since < 2;
}

static void complete(struct listener_series *s, uint32_t searches)
{
	bool kept;

	if (s->owning.labels[OWNER_CGROUP]) {
		s->open_since = 0;
		return;
	}
	kept = is_kept(s, searches);
	for (unsigned int i = 0; i < OWNER_UID; i++)
		s->owning.labels[i] = kept ? s->owner->labels[i] : "";
}

/* Those without members keep what they had: an alert on a listener that has gone still has a name.
 */
static int settle(struct listener_series *s, uint32_t searches)
{
	struct owner *owner;

	if (!s->owning.labels[OWNER_UID])
		return 0;
	complete(s, searches);
	if (s->owner && is_owner(s->owner, s->owning.labels))
		return 0;
	owner = owner_new(s->owning.labels);
	if (!owner)
		return -ENOMEM;
	owner_unref(s->owner);
	s->owner = owner;
	return 0;
}

static void forget(struct listener_table *t)
{
	for (uint32_t i = 0; i < t->series_count; i++) {
		owner_unref(t->series[i]->owner);
		t->series[i]->owner = NULL;
	}
}

static void clear(struct listener_table *t)
{
	for (uint32_t i = 0; i < t->series_count; i++)
		memset(&t->series[i]->owning, 0, sizeof(t->series[i]->owning));
}

static int assign(struct listener_table *t)
{
	int r = ask(t);

	if (r < 0)
		return r;
	for (uint32_t i = 0; i < t->index.count; i++)
		if (is_told(t, &t->members[i]))
			add_member(t, &t->members[i]);
	for (uint32_t i = 0; r == 0 && i < t->series_count; i++)
		r = settle(t->series[i], t->cgroups.searches);
	clear(t);
	return r;
}

void listener_owner_assign(struct listener_table *t)
{
	if (!t->owners_due)
		return;
	if (!t->tells_owners)
		forget(t);
	t->owners_due = assign(t) < 0;
}
