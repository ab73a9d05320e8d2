/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets that are known from poll to poll: each by its cookie, and by its inode, which is all that
 * /proc tells of who a socket is. Both sources find the same one. Here are keys and places only;
 * what is known of a socket lies at the same place of its owner's array.
 */
#pragma once

#include "daemon/core/sock.h"
#include "daemon/util/map.h"

struct sock_key {
	uint64_t cookie; /* 0: only /proc has shown it */
	uint32_t inode;
	bool has_inode; /* of its own, by which it is found */
};

struct sock_index {
	uint64_t seed;
	struct sock_key *keys;
	uint32_t count, cap;
	struct map cookies, inodes;
};

void sock_index_init(struct sock_index *x, uint64_t seed);
void sock_index_done(struct sock_index *x);
/* The place of a row's socket, or MAP_NONE. Learns the cookie of one that only /proc had shown. */
uint32_t sock_index_find(struct sock_index *x, const struct sock_record *record);
/* The same by the inode alone, which is not 0. */
uint32_t sock_index_find_inode(const struct sock_index *x, uint32_t inode);
/* Gives a row's socket, which is not known, the place COUNT, which then is one more. 0 or -ENOMEM.
 */
int sock_index_add(struct sock_index *x, const struct sock_record *record);
/* The last takes its place. */
void sock_index_remove(struct sock_index *x, uint32_t place);
