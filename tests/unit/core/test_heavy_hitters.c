/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/heavy_hitters.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/record_builder.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"

TEST_SUITE(heavy_hitters);

static void observe(struct heavy_hitters *h, const char *local, const char *remote)
{
	struct test_record r;

	test_record_init(&r, SOCK_ESTABLISHED, local, remote);
	cr_assert_eq(heavy_hitters_observe(h, &r.record), 0);
}

/* A record whose destination has this number. */
static void number(struct test_record *r, uint32_t n)
{
	memcpy(r->record.remote.bytes, &n, sizeof(n));
}

static uint32_t count_of(const struct heavy_hitters *h, const struct test_record *r)
{
	for (uint32_t i = 0; i < h->count; i++)
		if (sock_address_equal(&h->items[i].remote, &r->record.remote) &&
		    sock_address_equal(&h->items[i].local, &r->record.local) &&
		    h->items[i].remote_port == r->record.remote_port)
			return h->items[i].count;
	return 0;
}

/* A pair is a source, a destination and its port; the local port is what is counted. */
Test(heavy_hitters, what_a_pair_is)
{
	static const struct {
		const char *name, *local, *remote;
		uint32_t pairs;
	} cases[] = {
		{"another local port", "10.0.0.1:40001", "10.0.0.2:443", 1},
		{"another local address", "10.0.0.3:40000", "10.0.0.2:443", 2},
		{"another remote address", "10.0.0.1:40000", "10.0.0.3:443", 2},
		{"another remote port", "10.0.0.1:40000", "10.0.0.2:444", 2},
		{"a device is no part of it", "10.0.0.1%3:40000", "10.0.0.2:443", 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct heavy_hitters h;

		heavy_hitters_init(&h, i);
		observe(&h, "10.0.0.1:40000", "10.0.0.2:443");
		observe(&h, cases[i].local, cases[i].remote);
		cr_assert_eq(h.count, cases[i].pairs, "%s", cases[i].name);
		heavy_hitters_done(&h);
	}
}

/* An IPv4 address lies where an IPv6 one begins, and is another all the same. */
Test(heavy_hitters, families)
{
	struct heavy_hitters h;

	heavy_hitters_init(&h, 1);
	observe(&h, "1.0.0.1:40000", "1.0.0.2:443");
	observe(&h, "[100:1::]:40000", "[100:2::]:443");
	cr_assert_eq(h.count, 2);
	heavy_hitters_done(&h);
}

Test(heavy_hitters, clear_keeps_memory)
{
	struct heavy_hitters h;
	struct heavy_hitter *items;

	heavy_hitters_init(&h, 1);
	observe(&h, "10.0.0.1:40000", "10.0.0.2:443");
	items = h.items;
	heavy_hitters_clear(&h);
	cr_assert_eq(h.count, 0);
	observe(&h, "10.0.0.1:40000", "10.0.0.2:443");
	cr_assert_eq(h.items, items);
	cr_assert_eq(h.items[0].count, 1);
	heavy_hitters_done(&h);
	heavy_hitters_done(&h);
	cr_assert_null(h.items);
}

Test(heavy_hitters, exact_up_to_its_size)
{
	struct heavy_hitters h;
	struct test_record r;

	heavy_hitters_init(&h, 1);
	test_record_init(&r, SOCK_TIME_WAIT, "10.0.0.1:40000", "0.0.0.0:443");
	for (uint32_t round = 0; round < 4; round++) {
		for (uint32_t i = 0; i < HEAVY_HITTERS_MAX; i++) {
			number(&r, i);
			if (i % 4 < round)
				continue;
			cr_assert_eq(heavy_hitters_observe(&h, &r.record), 0);
		}
	}
	cr_assert_eq(h.count, HEAVY_HITTERS_MAX);
	for (uint32_t i = 0; i < HEAVY_HITTERS_MAX; i++) {
		number(&r, i);
		cr_assert_eq(count_of(&h, &r), i % 4 + 1, "pair %u", i);
	}
	heavy_hitters_done(&h);
}

/* Beyond, a count is too low by at most the number of sockets / HEAVY_HITTERS_MAX, never too high,
 * whatever the order. PAIRS pairs, of which the higher have more sockets. */
static void assert_bounds(uint64_t seed, uint32_t pairs, uint32_t sockets, const char *name)
{
	uint32_t *truth = calloc(pairs, sizeof(*truth));
	uint64_t random = seed;
	struct heavy_hitters h;
	struct test_record r;

	heavy_hitters_init(&h, seed);
	test_record_init(&r, SOCK_ESTABLISHED, "10.0.0.1:40000", "0.0.0.0:443");
	for (uint32_t i = 0; i < sockets; i++) {
		uint32_t n = core_random(&random, core_random(&random, pairs) + 1);

		truth[n]++;
		number(&r, n);
		cr_assert_eq(heavy_hitters_observe(&h, &r.record), 0);
		cr_assert_leq(h.count, HEAVY_HITTERS_MAX);
	}
	for (uint32_t n = 0; n < pairs; n++) {
		number(&r, n);
		if (n > 64 && n % 16)
			continue;
		cr_assert_leq(count_of(&h, &r), truth[n], "%s: pair %u is too high", name, n);
		cr_assert_geq(count_of(&h, &r) + sockets / HEAVY_HITTERS_MAX, truth[n],
			      "%s: pair %u: %u of %u", name, n, count_of(&h, &r), truth[n]);
	}
	free(truth);
	heavy_hitters_done(&h);
}

Test(heavy_hitters, error_is_bounded)
{
	static const struct {
		const char *name;
		uint32_t pairs, sockets;
	} cases[] = {
		{"it fits", 4000, 50000},
		{"one more than fits", HEAVY_HITTERS_MAX + 1, 100000},
		{"many pairs", 20000, 100000},
		{"one of most", 200000, 50000},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (uint64_t seed = 1; seed <= 3; seed++)
			assert_bounds(seed, cases[i].pairs, cases[i].sockets, cases[i].name);
}

/* A proxy that uses up its ports towards one backend is found among a crowd of others. */
Test(heavy_hitters, found_in_a_crowd)
{
	uint32_t crowd = 100000, heavy = 20000;
	struct test_record r, backend;
	struct heavy_hitters h;

	heavy_hitters_init(&h, 1);
	test_record_init(&r, SOCK_ESTABLISHED, "10.0.0.1:40000", "0.0.0.0:443");
	test_record_init(&backend, SOCK_ESTABLISHED, "10.0.0.1:40000", "10.0.0.2:5432");
	for (uint32_t i = 0; i < crowd + heavy; i++) {
		number(&r, i);
		heavy_hitters_observe(&h, i % 6 == 0 ? &backend.record : &r.record);
	}
	cr_assert_leq(count_of(&h, &backend), heavy);
	cr_assert_geq(count_of(&h, &backend), heavy - (crowd + heavy) / HEAVY_HITTERS_MAX);
	heavy_hitters_done(&h);
}
