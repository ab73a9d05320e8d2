/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/sock_drops.h"

#include "tests/support/test_support.h"

TEST_SUITE(sock_drops);

#define LIMIT  100
#define UNTOLD UINT32_MAX

struct row {
	uint64_t cookie;
	uint32_t inode;
	uint32_t drops;
};

/* What netlink says; without drops, a kernel before 4.7. */
static uint32_t observe_netlink(struct sock_drops *d, const struct row *row, bool has_drops)
{
	const uint32_t skmem[] = {1, 2, 3, 4, 5, 6, 7, 8, row->drops};
	const struct sock_record record = {
		.cookie = row->cookie,
		.inode = row->inode,
		.skmem = (const uint8_t *)skmem,
		.skmem_len = has_drops ? sizeof(skmem) : 4 * SOCK_SKMEM_DROPS,
	};
	uint32_t growth;

	return sock_drops_observe(d, &record, &growth) ? growth : UNTOLD;
}

/* And what /proc does. */
static uint32_t observe_procfs(struct sock_drops *d, const struct row *row)
{
	const struct sock_record record = {
		.inode = row->inode,
		.known = SOCK_KNOWS_DROPS,
		.drops = row->drops,
	};
	uint32_t growth;

	return sock_drops_observe(d, &record, &growth) ? growth : UNTOLD;
}

static uint32_t poll(struct sock_drops *d, struct row row)
{
	uint32_t growth;

	sock_drops_begin(d, LIMIT);
	growth = observe_netlink(d, &row, true);
	sock_drops_commit(d);
	return growth;
}

static uint32_t poll_procfs(struct sock_drops *d, struct row row)
{
	uint32_t growth;

	sock_drops_begin(d, LIMIT);
	growth = observe_procfs(d, &row);
	sock_drops_commit(d);
	return growth;
}

static void poll_nothing(struct sock_drops *d)
{
	sock_drops_begin(d, LIMIT);
	sock_drops_commit(d);
}

Test(sock_drops, births)
{
	struct sock_drops d;

	sock_drops_init(&d, 1);
	cr_assert_eq(poll(&d, (struct row){1, 1, 50}), 0, "older than the daemon");
	cr_assert_eq(poll(&d, (struct row){1, 1, 53}), 3);
	cr_assert_eq(poll(&d, (struct row){1, 1, 53}), 0);
	cr_assert_eq(poll(&d, (struct row){2, 2, 7}), 7, "born since");
	sock_drops_done(&d);
}

/* What a poll saw before it failed was true. */
Test(sock_drops, a_failed_poll)
{
	const struct row row = {1, 1, 50};
	struct sock_drops d;

	sock_drops_init(&d, 1);
	sock_drops_begin(&d, LIMIT);
	cr_assert_eq(observe_netlink(&d, &row, true), 0);
	cr_assert_eq(poll(&d, (struct row){1, 1, 51}), 1);
	sock_drops_begin(&d, LIMIT);
	cr_assert_eq(observe_netlink(&d, &(struct row){1, 1, 52}, true), 1);
	for (int i = 0; i < 5; i++)
		sock_drops_begin(&d, LIMIT);
	cr_assert_eq(poll(&d, (struct row){2, 2, 1}), 1);
	cr_assert_eq(poll(&d, (struct row){1, 1, 52}), 0, "one good poll may have missed it");
	sock_drops_done(&d);
}

/* The one that first fails leaves no birth behind. */
Test(sock_drops, nobody_is_born_before_the_first_good_poll)
{
	struct sock_drops d;

	sock_drops_init(&d, 1);
	sock_drops_begin(&d, LIMIT);
	cr_assert_eq(observe_netlink(&d, &(struct row){1, 1, 5}, true), 0);
	sock_drops_begin(&d, LIMIT);
	cr_assert_eq(observe_netlink(&d, &(struct row){2, 2, 5}, true), 0);
	sock_drops_commit(&d);
	cr_assert_eq(poll(&d, (struct row){3, 3, 5}), 5);
	sock_drops_done(&d);
}

Test(sock_drops, a_poll_may_miss_a_socket)
{
	struct sock_drops d;

	sock_drops_init(&d, 1);
	poll(&d, (struct row){1, 1, 50});
	poll_nothing(&d);
	cr_assert_eq(poll(&d, (struct row){1, 1, 52}), 2);
	poll_nothing(&d);
	poll_nothing(&d);
	cr_assert_eq(d.index.count, 0);
	sock_drops_done(&d);
}

Test(sock_drops, wrap_and_fall)
{
	struct sock_drops d;

	sock_drops_init(&d, 1);
	poll(&d, (struct row){1, 1, UINT32_MAX - 1});
	cr_assert_eq(poll(&d, (struct row){1, 1, 3}), 5);
	cr_assert_eq(poll(&d, (struct row){1, 1, 2}), 0);
	cr_assert_eq(poll(&d, (struct row){1, 1, 4}), 2);
	sock_drops_done(&d);
}

Test(sock_drops, from_source_to_source)
{
	struct sock_drops d;

	sock_drops_init(&d, 1);
	poll(&d, (struct row){1, 7, 50});
	cr_assert_eq(poll_procfs(&d, (struct row){0, 7, 51}), 1);
	cr_assert_eq(poll(&d, (struct row){1, 7, 53}), 2);
	cr_assert_eq(poll_procfs(&d, (struct row){0, 8, 4}), 4);
	cr_assert_eq(poll(&d, (struct row){2, 8, 5}), 1);
	sock_drops_done(&d);
}

/* Where one is not known by anything, no other is taken for born. */
Test(sock_drops, without_a_name)
{
	struct sock_drops d;

	sock_drops_init(&d, 1);
	poll(&d, (struct row){1, 0, 50});
	cr_assert_eq(poll_procfs(&d, (struct row){0, 0, 51}), 0);
	cr_assert_eq(d.untracked, 1);
	poll_nothing(&d);
	cr_assert_eq(d.untracked, 0);
	sock_drops_done(&d);

	sock_drops_init(&d, 1);
	poll(&d, (struct row){1, 0, 50});
	poll_procfs(&d, (struct row){0, 0, 51});
	poll_procfs(&d, (struct row){0, 0, 51});
	cr_assert_eq(d.index.count, 0);
	cr_assert_eq(poll(&d, (struct row){1, 0, 52}), 0, "not 52");
	sock_drops_done(&d);
}

Test(sock_drops, limit)
{
	struct sock_drops d;
	uint32_t sum = 0;

	sock_drops_init(&d, 1);
	poll_nothing(&d);
	for (int round = 1; round < 4; round++) {
		sock_drops_begin(&d, LIMIT);
		for (uint32_t i = 1; i <= LIMIT + 10; i++)
			sum += observe_netlink(&d, &(struct row){i, i, (uint32_t)round}, true);
		sock_drops_commit(&d);
		cr_assert_eq(d.index.count, LIMIT);
		cr_assert_eq(d.untracked, 10);
	}
	cr_assert_eq(sum, 3 * LIMIT);
	/* Who gets the room of one that has gone may be old. */
	sock_drops_begin(&d, LIMIT);
	cr_assert_eq(observe_netlink(&d, &(struct row){1, 1, 3}, true), 0);
	sock_drops_commit(&d);
	sock_drops_begin(&d, 5);
	for (uint32_t i = 1; i <= 10; i++)
		observe_netlink(&d, &(struct row){i, i, 3}, true);
	sock_drops_commit(&d);
	cr_assert_eq(d.index.count, 5, "it was lowered");
	sock_drops_done(&d);
}

Test(sock_drops, what_a_kernel_does_not_tell)
{
	struct sock_drops d;

	sock_drops_init(&d, 1);
	sock_drops_begin(&d, LIMIT);
	cr_assert_eq(observe_netlink(&d, &(struct row){1, 1, 5}, false), UNTOLD);
	cr_assert_eq(d.index.count, 0);
	sock_drops_begin(&d, 0);
	cr_assert_eq(observe_netlink(&d, &(struct row){1, 1, 5}, true), UNTOLD, "none is followed");
	sock_drops_commit(&d);
	cr_assert_not(d.has_polled);
	sock_drops_done(&d);
}
