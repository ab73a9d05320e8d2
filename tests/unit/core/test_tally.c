/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/tally.h"

#include <string.h>
#include <sys/socket.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(tally);

#define STALE_NS 1000

struct fixture {
	struct tally tally;
	struct catalogue *catalogue;
	uint64_t cells[512];
};

static void fixture_init(struct fixture *f)
{
	const struct catalogue_settings settings = {0};

	memset(f, 0, sizeof(*f));
	cr_assert_eq(catalogue_new(&settings, &f->catalogue), 0);
	cr_assert_leq(f->catalogue->host_cells, ARRAY_SIZE(f->cells));
	tally_init(&f->tally, 1);
}

static void fixture_done(struct fixture *f)
{
	tally_done(&f->tally);
	catalogue_unref(f->catalogue);
}

static void add(struct fixture *f, enum poll_family family, uint8_t type, uint8_t state)
{
	const struct sock_record r = {.type = type, .state = state, .inode = 1};

	cr_assert_eq(tally_add(&f->tally, family, &r), 0);
}

static uint64_t value(struct fixture *f, const char *name, unsigned int index, uint64_t now_ns)
{
	tally_fill(&f->tally, f->catalogue, now_ns, STALE_NS, f->cells);
	for (unsigned int i = 0; i < metric_count; i++)
		if (strcmp(metrics[i].name, name) == 0)
			return f->cells[f->catalogue->cell[i] + index];
	cr_assert_fail("%s", name);
	return 0;
}

Test(tally, unix_sockets_by_type_and_state)
{
	static const struct {
		uint8_t type, state;
		unsigned int index;
	} cases[] = {
		{SOCK_STREAM, SOCK_ESTABLISHED, 0}, {SOCK_STREAM, SOCK_CLOSE, 1},
		{SOCK_STREAM, SOCK_LISTEN, 2},      {SOCK_DGRAM, SOCK_ESTABLISHED, 3},
		{SOCK_DGRAM, SOCK_CLOSE, 4},        {SOCK_SEQPACKET, SOCK_ESTABLISHED, 6},
		{SOCK_SEQPACKET, SOCK_CLOSE, 7},    {SOCK_SEQPACKET, SOCK_LISTEN, 8},
	};
	struct fixture f;

	fixture_init(&f);
	tally_begin(&f.tally, POLL_FAMILY_UNIX);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (size_t j = 0; j <= i; j++)
			add(&f, POLL_FAMILY_UNIX, cases[i].type, cases[i].state);
	add(&f, POLL_FAMILY_UNIX, SOCK_RDM, SOCK_CLOSE);
	add(&f, POLL_FAMILY_UNIX, SOCK_STREAM, SOCK_SYN_SENT);
	tally_commit(&f.tally, POLL_FAMILY_UNIX, 1);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_assert_eq(value(&f, "sockstat_unix_sockets", cases[i].index, 2), i + 1, "%zu",
			     i);
	cr_assert_eq(value(&f, "sockstat_unix_sockets", 5, 2), 0, "known, and none");
	fixture_done(&f);
}

/* Each family has an age of its own; a walk that is given up changes nothing. */
Test(tally, ages)
{
	struct fixture f;

	fixture_init(&f);
	cr_assert_eq(value(&f, "sockstat_raw_sockets", 0, 1), METRIC_ABSENT);
	tally_begin(&f.tally, POLL_FAMILY_RAW);
	add(&f, POLL_FAMILY_RAW, 0, SOCK_CLOSE);
	add(&f, POLL_FAMILY_RAW, 0, SOCK_CLOSE);
	cr_assert_eq(value(&f, "sockstat_raw_sockets", 0, 1), METRIC_ABSENT);
	tally_commit(&f.tally, POLL_FAMILY_RAW, 10);
	tally_begin(&f.tally, POLL_FAMILY_RAW);
	add(&f, POLL_FAMILY_RAW, 0, SOCK_CLOSE);
	cr_assert_eq(value(&f, "sockstat_raw_sockets", 0, 10 + STALE_NS), 2);
	cr_assert_eq(value(&f, "sockstat_packet_sockets", 0, 10), METRIC_ABSENT);
	cr_assert_eq(value(&f, "sockstat_raw_sockets", 0, 11 + STALE_NS), METRIC_ABSENT);
	fixture_done(&f);
}

/* The kernel shows members of multicast groups twice; /proc, which has no cookies, does not. */
Test(tally, netlink_sockets_count_once)
{
	struct fixture f;
	struct sock_record r = {0};

	fixture_init(&f);
	for (int walk = 1; walk <= 2; walk++) {
		tally_begin(&f.tally, POLL_FAMILY_NETLINK);
		for (int pass = 0; pass < 2; pass++)
			for (r.cookie = 1; r.cookie <= 1000; r.cookie++)
				cr_assert_eq(tally_add(&f.tally, POLL_FAMILY_NETLINK, &r), 0);
		r.cookie = 0;
		for (int i = 0; i < 3; i++)
			cr_assert_eq(tally_add(&f.tally, POLL_FAMILY_NETLINK, &r), 0);
		tally_commit(&f.tally, POLL_FAMILY_NETLINK, 1);
		cr_assert_eq(value(&f, "sockstat_netlink_sockets", 0, 1), 1003, "walk %d", walk);
	}
	fixture_done(&f);
}

/* unix_diag leaves out what waits to be accepted, /proc does not. */
Test(tally, unix_sockets_without_inode)
{
	static const struct sock_record r = {.type = SOCK_STREAM, .state = SOCK_ESTABLISHED};
	struct fixture f;

	fixture_init(&f);
	tally_begin(&f.tally, POLL_FAMILY_UNIX);
	cr_assert_eq(tally_add(&f.tally, POLL_FAMILY_UNIX, &r), 0);
	tally_commit(&f.tally, POLL_FAMILY_UNIX, 1);
	cr_assert_eq(value(&f, "sockstat_unix_sockets", 0, 1), 0);
	fixture_done(&f);
}
