/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/listener_member.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/util/macros.h"

static int make_room(struct listener_table *t)
{
	uint32_t cap = MAX(32, t->member_cap * 2);
	struct listener_member *members;

	if (t->index.count == LISTENER_MEMBERS_MAX)
		return -ENOSPC;
	if (t->index.count < t->member_cap)
		return 0;
	members = reallocarray(t->members, cap, sizeof(*members));
	if (!members)
		return -ENOMEM;
	t->members = members;
	t->member_cap = cap;
	return 0;
}

int listener_member_get(struct listener_table *t, const struct sock_record *record,
			struct listener_member **ret_member)
{
	uint32_t place = sock_index_find(&t->index, record);
	int r;

	if (place == MAP_NONE) {
		place = t->index.count;
		r = make_room(t);
		if (r == 0)
			r = sock_index_add(&t->index, record);
		if (r < 0)
			return r;
		t->members[place] = (struct listener_member){.is_older = !t->has_polled};
		t->owners_due = true;
	}
	*ret_member = &t->members[place];
	return 0;
}

struct listener_member *listener_member_of_inode(const struct listener_table *t,
						 const struct sock_record *record)
{
	uint32_t place;

	if (!record->inode)
		return NULL;
	place = sock_index_find_inode(&t->index, record->inode);
	return place == MAP_NONE ? NULL : &t->members[place];
}

void listener_member_remove(struct listener_table *t, uint32_t place)
{
	sock_index_remove(&t->index, place);
	t->members[place] = t->members[t->index.count];
	t->owners_due = true;
}
