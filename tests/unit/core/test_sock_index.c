/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/sock_index.h"

#include <stdlib.h>

#include "tests/support/test_support.h"

TEST_SUITE(sock_index);

static struct sock_record row(uint64_t cookie, uint32_t inode)
{
	return (struct sock_record){.cookie = cookie, .inode = inode};
}

static uint32_t find(struct sock_index *x, uint64_t cookie, uint32_t inode)
{
	struct sock_record r = row(cookie, inode);

	return sock_index_find(x, &r);
}

static uint32_t add(struct sock_index *x, uint64_t cookie, uint32_t inode)
{
	struct sock_record r = row(cookie, inode);

	cr_assert_eq(sock_index_find(x, &r), MAP_NONE);
	cr_assert_eq(sock_index_add(x, &r), 0);
	return x->count - 1;
}

/* Which rows find a socket that was first shown by one source. */
Test(sock_index, both_sources)
{
	struct sock_index x;

	sock_index_init(&x, 7);
	cr_assert_eq(add(&x, 100, 1), 0);
	cr_assert_eq(add(&x, 0, 2), 1);
	cr_assert_eq(add(&x, 300, 0), 2);
	cr_assert_eq(find(&x, 100, 1), 0);
	cr_assert_eq(find(&x, 0, 1), 0, "/proc finds what netlink has shown");
	cr_assert_eq(find(&x, 0, 2), 1);
	cr_assert_eq(find(&x, 200, 2), 1, "and netlink what /proc has");
	cr_assert_eq(x.keys[1].cookie, 200, "whose cookie is learnt");
	cr_assert_eq(find(&x, 200, 0), 1);
	cr_assert_eq(find(&x, 300, 0), 2);
	cr_assert_eq(find(&x, 0, 0), MAP_NONE, "0 is nobody's inode");
	cr_assert_eq(find(&x, 0, 3), MAP_NONE);
	cr_assert_eq(x.count, 3);
	sock_index_done(&x);
}

/* An inode is given again while its last owner is still known: each keeps its own place. */
Test(sock_index, an_inode_that_is_given_again)
{
	struct sock_index x;

	sock_index_init(&x, 7);
	add(&x, 100, 1);
	add(&x, 200, 1);
	cr_assert_eq(find(&x, 100, 1), 0);
	cr_assert_eq(find(&x, 200, 1), 1);
	cr_assert_eq(find(&x, 0, 1), 0);
	sock_index_remove(&x, 0);
	cr_assert_eq(find(&x, 200, 1), 0);
	cr_assert_eq(find(&x, 0, 1), MAP_NONE);
	sock_index_done(&x);
}

/* Against a plain list, in which places move alike. */
Test(sock_index, random)
{
	enum { ROOM = 300 };
	struct sock_key model[ROOM];
	struct sock_index x;
	uint32_t count = 0;

	srandom(5);
	sock_index_init(&x, 9);
	for (unsigned int i = 1; i < 20000; i++) {
		uint32_t at = count ? (uint32_t)random() % count : 0;

		if (count < ROOM && (count == 0 || random() % 2)) {
			model[count] = (struct sock_key){random() % 3 ? i : 0, i, true};
			cr_assert_eq(add(&x, model[count].cookie, i), count);
			count++;
		} else {
			sock_index_remove(&x, at);
			model[at] = model[--count];
		}
		cr_assert_eq(x.count, count);
		for (uint32_t j = 0; j < count; j += 17) {
			cr_assert_eq(find(&x, model[j].cookie, model[j].inode), j);
			cr_assert_eq(find(&x, 0, model[j].inode), j);
		}
	}
	sock_index_done(&x);
}
