/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/sock_index.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/util/macros.h"

void sock_index_init(struct sock_index *x, uint64_t seed)
{
	*x = (struct sock_index){.seed = seed};
}

void sock_index_done(struct sock_index *x)
{
	free(x->keys);
	map_done(&x->cookies);
	map_done(&x->inodes);
	*x = (struct sock_index){0};
}

static bool has_cookie(const void *keys, uint32_t place, const void *cookie)
{
	return ((const struct sock_key *)keys)[place].cookie == *(const uint64_t *)cookie;
}

static bool has_inode(const void *keys, uint32_t place, const void *inode)
{
	return ((const struct sock_key *)keys)[place].inode == *(const uint32_t *)inode;
}

static uint64_t hash_cookie(const struct sock_index *x, uint64_t cookie)
{
	return map_hash(x->seed, &cookie, sizeof(cookie));
}

static uint64_t hash_inode(const struct sock_index *x, uint32_t inode)
{
	return map_hash(x->seed, &inode, sizeof(inode));
}

uint32_t sock_index_find_inode(const struct sock_index *x, uint32_t inode)
{
	return map_find(&x->inodes, hash_inode(x, inode), has_inode, x->keys, &inode);
}

static uint32_t find_by_inode(const struct sock_index *x, const struct sock_record *record)
{
	return record->inode ? sock_index_find_inode(x, record->inode) : MAP_NONE;
}

/* Netlink shows a socket that only /proc had shown. Without memory it learns it another time. */
static uint32_t adopt(struct sock_index *x, const struct sock_record *record)
{
	uint32_t place = find_by_inode(x, record);

	if (place == MAP_NONE || x->keys[place].cookie)
		return MAP_NONE; /* the inode of one that has gone, given again */
	if (map_add(&x->cookies, hash_cookie(x, record->cookie), place) == 0)
		x->keys[place].cookie = record->cookie;
	return place;
}

uint32_t sock_index_find(struct sock_index *x, const struct sock_record *record)
{
	uint32_t place;

	if (!record->cookie)
		return find_by_inode(x, record);
	place = map_find(&x->cookies, hash_cookie(x, record->cookie), has_cookie, x->keys,
			 &record->cookie);
	return place == MAP_NONE ? adopt(x, record) : place;
}

static int make_room(struct sock_index *x)
{
	uint32_t cap = MAX(32, x->cap * 2);
	struct sock_key *keys;

	if (x->count < x->cap)
		return 0;
	keys = reallocarray(x->keys, cap, sizeof(*keys));
	if (!keys)
		return -ENOMEM;
	x->keys = keys;
	x->cap = cap;
	return 0;
}

static void forget_cookie(struct sock_index *x, uint64_t cookie, uint32_t place)
{
	if (cookie)
		map_remove(&x->cookies, hash_cookie(x, cookie), place);
}

int sock_index_add(struct sock_index *x, const struct sock_record *record)
{
	struct sock_key key = {
		.cookie = record->cookie,
		.inode = record->inode,
		.has_inode = record->inode && find_by_inode(x, record) == MAP_NONE,
	};
	int r = make_room(x);

	if (r == 0 && key.cookie)
		r = map_add(&x->cookies, hash_cookie(x, key.cookie), x->count);
	if (r < 0)
		return r;
	if (key.has_inode && map_add(&x->inodes, hash_inode(x, key.inode), x->count) < 0) {
		forget_cookie(x, key.cookie, x->count);
		return -ENOMEM;
	}
	x->keys[x->count++] = key;
	return 0;
}

void sock_index_remove(struct sock_index *x, uint32_t place)
{
	uint32_t last = --x->count;
	const struct sock_key *key = &x->keys[place];

	forget_cookie(x, key->cookie, place);
	if (key->has_inode)
		map_remove(&x->inodes, hash_inode(x, key->inode), place);
	if (place == last)
		return;
	key = &x->keys[last];
	if (key->cookie)
		map_move(&x->cookies, hash_cookie(x, key->cookie), last, place);
	if (key->has_inode)
		map_move(&x->inodes, hash_inode(x, key->inode), last, place);
	x->keys[place] = *key;
}
