/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/listener_member.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/util/macros.h"

static bool has_cookie(const void *items, uint32_t index, const void *key)
{
	return ((const struct listener_member *)items)[index].cookie == *(const uint64_t *)key;
}

static bool has_inode(const void *items, uint32_t index, const void *key)
{
	return ((const struct listener_member *)items)[index].inode == *(const uint32_t *)key;
}

static uint64_t hash_inode(const struct listener_table *t, uint32_t inode)
{
	return map_hash(t->seed, &inode, sizeof(inode));
}

static uint64_t hash_cookie(const struct listener_table *t, uint64_t cookie)
{
	return map_hash(t->seed, &cookie, sizeof(cookie));
}

/* 0 is none: of a socket that no process holds. */
static uint32_t find_inode(const struct listener_table *t, uint32_t inode)
{
	if (!inode)
		return MAP_NONE;
	return map_find(&t->inode_map, hash_inode(t, inode), has_inode, t->members, &inode);
}

static int make_room(struct listener_table *t)
{
	uint32_t cap = MAX(32, t->member_cap * 2);
	struct listener_member *members;

	if (t->member_count == LISTENER_MEMBERS_MAX)
		return -ENOSPC;
	if (t->member_count < t->member_cap)
		return 0;
	members = reallocarray(t->members, cap, sizeof(*members));
	if (!members)
		return -ENOMEM;
	t->members = members;
	t->member_cap = cap;
	return 0;
}

/* A cookie of 0 is none, and in no map. */
static int add_cookie(struct listener_table *t, uint64_t cookie, uint32_t index)
{
	return cookie ? map_add(&t->member_map, hash_cookie(t, cookie), index) : 0;
}

static void remove_cookie(struct listener_table *t, uint64_t cookie, uint32_t index)
{
	if (cookie)
		map_remove(&t->member_map, hash_cookie(t, cookie), index);
}

static int add_member(struct listener_table *t, const struct sock_record *record)
{
	uint32_t index = t->member_count;
	bool has_inode = record->inode && find_inode(t, record->inode) == MAP_NONE;
	int r = make_room(t);

	if (r == 0)
		r = add_cookie(t, record->cookie, index);
	if (r < 0)
		return r;
	if (has_inode && map_add(&t->inode_map, hash_inode(t, record->inode), index) < 0) {
		remove_cookie(t, record->cookie, index);
		return -ENOMEM;
	}
	t->members[t->member_count++] = (struct listener_member){
		.cookie = record->cookie,
		.inode = record->inode,
		.has_inode = has_inode,
		.is_older = !t->has_polled,
	};
	return 0;
}

/* Netlink shows a socket that only /proc had shown. */
static int adopt(struct listener_table *t, uint32_t index, uint64_t cookie)
{
	int r = add_cookie(t, cookie, index);

	if (r == 0)
		t->members[index].cookie = cookie;
	return r;
}

static uint32_t find(const struct listener_table *t, const struct sock_record *record)
{
	if (!record->cookie)
		return find_inode(t, record->inode);
	return map_find(&t->member_map, hash_cookie(t, record->cookie), has_cookie, t->members,
			&record->cookie);
}

int listener_member_get(struct listener_table *t, const struct sock_record *record,
			struct listener_member **ret_member)
{
	uint32_t index = find(t, record);
	int r = 0;

	if (index == MAP_NONE && record->cookie) {
		index = find_inode(t, record->inode);
		if (index != MAP_NONE && t->members[index].cookie)
			index = MAP_NONE; /* the inode of one that has gone, given again */
		if (index != MAP_NONE)
			r = adopt(t, index, record->cookie);
	}
	if (index == MAP_NONE) {
		index = t->member_count;
		r = add_member(t, record);
	}
	if (r == 0)
		*ret_member = &t->members[index];
	return r;
}

struct listener_member *listener_member_of_inode(const struct listener_table *t,
						 const struct sock_record *record)
{
	uint32_t index = find_inode(t, record->inode);

	return index == MAP_NONE ? NULL : &t->members[index];
}

void listener_member_remove(struct listener_table *t, uint32_t index)
{
	uint32_t last = --t->member_count;
	const struct listener_member *m = &t->members[index];

	remove_cookie(t, m->cookie, index);
	if (m->has_inode)
		map_remove(&t->inode_map, hash_inode(t, m->inode), index);
	if (index == last)
		return;
	m = &t->members[last];
	if (m->cookie)
		map_move(&t->member_map, hash_cookie(t, m->cookie), last, index);
	if (m->has_inode)
		map_move(&t->inode_map, hash_inode(t, m->inode), last, index);
	t->members[index] = *m;
}
