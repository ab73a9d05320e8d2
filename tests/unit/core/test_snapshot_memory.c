/* SPDX-License-Identifier: Apache-2.0 */
/* Each allocation on the way from a catalogue to a snapshot fails in turn: it is said, nothing
 * leaks, and the newest snapshot is the one that was. */
#include "daemon/core/snapshot_exchange.h"

#include <errno.h>
#include <stdio.h>

#include "tests/support/fail_alloc.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"

TEST_SUITE(snapshot_memory);

#define ALLOCATIONS_MAX 1000

static const double second = 1;
static const struct catalogue_settings settings = {
	.extended = true,
	.buckets =
		{
			[METRIC_BUCKETS_RTT] = {&second, 1},
			[METRIC_BUCKETS_CWND] = {&second, 1},
			[METRIC_BUCKETS_DELIVERY_RATE] = {&second, 1},
			[METRIC_BUCKETS_FILL_RATIO] = {&second, 1},
		},
};

struct tables {
	struct catalogue *catalogue;
	struct listener_table listeners;
	struct aggregate aggregate;
	struct snapshot_exchange exchange;
};

static int attempt_catalogue(struct tables *t)
{
	struct catalogue *c = NULL;
	int r = catalogue_new(&settings, &c);

	(void)t;
	cr_assert_eq(r == 0, c != NULL);
	catalogue_unref(c);
	return r;
}

static int attempt_snapshot(struct tables *t)
{
	static const struct snapshot_age age = {1, 1};
	struct snapshot_listeners *listeners;
	struct snapshot_sockets *sockets;

	listeners = snapshot_listeners_new(&t->listeners, &age, &age);
	if (!listeners)
		return -ENOMEM;
	sockets = core_sockets_part(&t->aggregate, &age);
	if (!sockets) {
		snapshot_listeners_unref(listeners);
		return -ENOMEM;
	}
	return snapshot_publish(
		&t->exchange, t->catalogue,
		&(struct snapshot_parts){.listeners = listeners, .sockets = {sockets}});
}

/* The number of allocations that an attempt makes; each was made to fail once. */
static size_t fail_each(struct tables *t, int (*attempt)(struct tables *))
{
	for (size_t number = 1; number < ALLOCATIONS_MAX; number++) {
		struct snapshot *before = t->exchange.newest;
		struct fail_alloc_result result;
		int r;

		fail_alloc_start(number);
		r = attempt(t);
		result = fail_alloc_stop();
		if (r == 0)
			return result.allocations;
		cr_assert_eq(r, -ENOMEM, "allocation %zu: %d", number, r);
		cr_assert_eq(result.not_freed, 0, "allocation %zu: %ld", number, result.not_freed);
		cr_assert_eq(t->exchange.newest, before, "allocation %zu", number);
		cr_assert_eq(t->catalogue->refs, 3, "allocation %zu", number);
	}
	cr_assert_fail("it never succeeds");
	return 0;
}

Test(snapshot_memory, each_allocation_fails)
{
	static struct tables t = {.exchange = SNAPSHOT_EXCHANGE_INIT};
	struct group_settings groups = {.ports = 1, .idle_ns = 1};

	if (!fail_alloc_is_possible()) {
		printf("SKIPPED: the sanitizer has malloc() for itself\n");
		return;
	}
	cr_assert_eq(catalogue_new(&settings, &t.catalogue), 0);
	groups.catalogue = t.catalogue;
	listener_table_init(&t.listeners, t.catalogue, 1, NULL);
	cr_assert_eq(aggregate_init(&t.aggregate, &groups, 1), 0);
	cr_assert_gt(fail_each(&t, attempt_catalogue), 5);
	cr_assert_eq(fail_each(&t, attempt_snapshot), 3);
	snapshot_exchange_done(&t.exchange);
	listener_table_done(&t.listeners);
	aggregate_done(&t.aggregate);
	cr_assert_eq(t.catalogue->refs, 1);
	catalogue_unref(t.catalogue);
}
