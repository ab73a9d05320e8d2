/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each allocation of a poll or a reload fails in turn: -ENOMEM, everything stays as it was, and the
 * next one does as if nothing had been.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/core/aggregate.h"
#include "daemon/core/listener_dump.h"
#include "daemon/core/tcp_info.h"
#include "daemon/util/macros.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/aggregate_lane.h"
#include "tests/unit/core/core_fixture.h"

TEST_SUITE(aggregate_memory);

/* Enough to catch a loop. */
#define ALLOCATIONS_MAX 10000
#define RATIO           "sockstat_listener_accept_queue_fill_ratio"

/* More than any table begins with. */
#define NEW_ROWS 100

struct fixture {
	struct aggregate_lane a;
	struct catalogue *core;
	struct test_record rows[NEW_ROWS];
};

static const uint16_t ports[] = {5432, 6379};

/* One listener and one connection, each polled twice. */
static void prepare(struct fixture *f)
{
	static const char *const locals[] = {"10.0.0.1:40000", "10.0.0.1:80"};

	aggregates_init(&f->a);
	f->core = core_catalogue(false);
	for (int i = 0; i < 2; i++) {
		LANE_POLL(&f->a.lane, {"*:80", 1, 8, 7, 0}, {"*:81", 2, 0, 7, 0});
		f->a.lane.listen_drops += 1;
		LANE_POLL(&f->a.lane, {"*:80", 1, 2, 7, 1}, {"*:81", 2, 0, 7, 0});
		aggregates_begin(&f->a);
		aggregates_add_row(&f->a, SOCK_LISTEN, "*:80", "0.0.0.0:0");
		aggregates_add_row(&f->a, SOCK_ESTABLISHED, locals[i], "10.0.0.2:443");
		aggregates_commit(&f->a);
	}
}

static void done(struct fixture *f)
{
	aggregates_done(&f->a);
	catalogue_unref(f->core);
}

static int poll_listeners(struct fixture *f)
{
	struct listener_poll poll = {.interval_ns = LANE_INTERVAL_NS};

	f->a.lane.now_ns += LANE_INTERVAL_NS;
	poll.now_ns = f->a.lane.now_ns;
	listener_poll_begin(&f->a.lane.table);
	for (unsigned int i = 0; i < NEW_ROWS; i++) {
		int r = listener_poll_add(&f->a.lane.table, &f->rows[i].record, poll.now_ns);

		if (r < 0)
			return r;
	}
	return listener_poll_commit(&f->a.lane.table, &poll);
}

static void make_listeners(struct fixture *f)
{
	for (unsigned int i = 0; i < NEW_ROWS; i++) {
		test_record_init(&f->rows[i], SOCK_LISTEN, "*:80", "0.0.0.0:0");
		f->rows[i].record.local_port = (uint16_t)(80 + i);
		f->rows[i].record.cookie = 1 + i;
	}
}

static void check_listeners(const struct fixture *f, size_t n, bool happened)
{
	const struct listener_lane *lane = &f->a.lane;

	cr_assert_eq(lane_values(lane, "*", "80")->drops, 2, "%zu", n);
	cr_assert_eq(lane_values(lane, "*", "80")->length, happened ? 0 : 2, "%zu", n);
	cr_assert_eq(lane_values(lane, "*", "80")->sockets, 1, "%zu", n);
	if (!happened)
		return;
	cr_assert_eq(lane->table.series_count, 11, "%zu", n);
	cr_assert_eq(lane_values(lane, "other", "other")->sockets, NEW_ROWS - 10, "%zu", n);
}

/* Fewer, in a shorter window, without the histogram. */
static int reload_listeners(struct fixture *f)
{
	return listener_table_configure(&f->a.lane.table, f->core, 5, LANE_PEAK_WINDOW_NS / 2,
					f->a.lane.now_ns);
}

static void check_reloaded_listeners(const struct fixture *f, size_t n, bool happened)
{
	const struct listener_lane *lane = &f->a.lane;
	const struct listener_series *s = lane_series(lane, "*", "80");

	cr_assert_eq(lane->table.catalogue == f->core, happened, "%zu", n);
	cr_assert_eq(lane->table.series_cap, happened ? 5 : 10, "%zu", n);
	cr_assert_eq(s->peak.slot_ns * PEAK_WINDOW_SLOTS,
		     happened ? LANE_PEAK_WINDOW_NS / 2 : LANE_PEAK_WINDOW_NS, "%zu", n);
	cr_assert_null(s->next_cells, "%zu", n);
	cr_assert_eq(s->values.drops, 2, "%zu", n);
	if (!happened)
		cr_assert_eq(core_observations(lane->catalogue, s->cells, RATIO), 4, "%zu", n);
}

static int poll_sockets(struct fixture *f)
{
	struct aggregate *a = &f->a.aggregate;

	f->a.lane.now_ns += AGGREGATES_INTERVAL_NS;
	listener_dump_begin(&f->a.lane.table);
	aggregate_begin(a, &(struct aggregate_poll){1000, f->a.lane.now_ns, true, 0});
	for (unsigned int i = 0; i < NEW_ROWS; i++) {
		int r = aggregate_add(a, &f->a.lane.table, &f->rows[i].record);

		if (r < 0)
			return r;
	}
	aggregate_commit(a, &f->a.lane.table, f->a.lane.now_ns);
	return 0;
}

/* Half of them are LISTEN rows, half are clients towards ports of their own. */
static void make_sockets(struct fixture *f)
{
	for (unsigned int i = 0; i < NEW_ROWS; i++) {
		bool listens = i < NEW_ROWS / 2;

		test_record_init(&f->rows[i], listens ? SOCK_LISTEN : SOCK_ESTABLISHED,
				 listens ? "*:1000" : "10.0.0.1:1000", "10.0.0.2:443");
		f->rows[i].record.local_port = (uint16_t)(listens ? 1000 + i : 40000);
		f->rows[i].record.remote_port = (uint16_t)(400 + i);
	}
}

static void check_sockets(const struct fixture *f, size_t n, bool happened)
{
	const struct aggregate_lane *a = &f->a;

	cr_assert_eq(a->aggregate.rows, happened ? NEW_ROWS : 2, "%zu", n);
	cr_assert_eq(aggregates_sockets(a, GROUP_SERVER, "80", SOCK_ESTABLISHED), happened ? 0 : 1,
		     "%zu", n);
	cr_assert_eq(aggregates_sockets(a, GROUP_CLIENT, "499", SOCK_ESTABLISHED),
		     happened ? 1 : AGGREGATES_NONE, "%zu", n);
}

static int reload_sockets(struct fixture *f)
{
	f->a.settings.catalogue = f->core;
	f->a.settings.configured[GROUP_SERVER] = ports;
	f->a.settings.configured_count[GROUP_SERVER] = ARRAY_SIZE(ports);
	return aggregate_configure(&f->a.aggregate, &f->a.settings);
}

static void check_reloaded_sockets(const struct fixture *f, size_t n, bool happened)
{
	const struct aggregate_lane *a = &f->a;

	cr_assert_eq(aggregates_sockets(a, GROUP_SERVER, "80", SOCK_ESTABLISHED), 1, "%zu", n);
	cr_assert_eq(aggregates_sockets(a, GROUP_SERVER, "80", SOCK_LISTEN), 1, "%zu", n);
	cr_assert_eq(a->aggregate.groups.catalogue == f->core, happened, "%zu", n);
	cr_assert_eq(a->aggregate.groups.given[GROUP_SERVER], 1, "%zu", n);
	cr_assert_eq(a->aggregate.groups.own[GROUP_SERVER], happened ? 3 : 1, "%zu", n);
}

static void make_nothing(struct fixture *f)
{
	(void)f;
}

struct scenario {
	const char *name;
	void (*make)(struct fixture *f);
	int (*act)(struct fixture *f);
	void (*check)(const struct fixture *f, size_t n, bool happened);
};

/* Acts once with allocation N failing, if there are so many, and once more; returns how many there
 * were. *RET_NET: what was allocated and not freed, over all. */
static size_t act_twice(struct fixture *f, const struct scenario *s, size_t n, long *ret_net)
{
	struct fail_alloc_result result, rest;
	bool failed;
	int r;

	prepare(f);
	s->make(f);
	fail_alloc_start(n);
	r = s->act(f);
	result = fail_alloc_stop();
	failed = n > 0 && result.allocations >= n;
	cr_assert_eq(r, failed ? -ENOMEM : 0, "%s: allocation %zu: %d", s->name, n, r);
	s->check(f, n, !failed);
	fail_alloc_start(0);
	r = s->act(f);
	rest = fail_alloc_stop();
	cr_assert_eq(r, 0, "%s: after allocation %zu: %d", s->name, n, r);
	s->check(f, n, true);
	*ret_net = result.not_freed + rest.not_freed;
	fail_alloc_start(0);
	done(f);
	*ret_net += fail_alloc_stop().not_freed;
	return result.allocations;
}

static void torture(const struct scenario *s)
{
	struct fixture *f = malloc(sizeof(*f));
	size_t count;
	long net, expected;

	cr_assert(f);
	count = act_twice(f, s, 0, &expected);
	cr_assert(count > 0 && count < ALLOCATIONS_MAX, "%s: %zu allocations", s->name, count);
	for (size_t n = 1; n <= count; n++) {
		act_twice(f, s, n, &net);
		cr_assert_eq(net, expected, "%s: allocation %zu: %ld leaked", s->name, n,
			     net - expected);
	}
	free(f);
}

Test(aggregate_memory, polls_and_reloads, .timeout = 60)
{
	static const struct scenario scenarios[] = {
		{"poll of listeners", make_listeners, poll_listeners, check_listeners},
		{"reload of listeners", make_nothing, reload_listeners, check_reloaded_listeners},
		{"poll of sockets", make_sockets, poll_sockets, check_sockets},
		{"reload of sockets", make_nothing, reload_sockets, check_reloaded_sockets},
	};

	if (!fail_alloc_is_possible()) {
		printf("SKIPPED: the sanitizer has malloc() for itself\n");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++)
		torture(&scenarios[i]);
}

/* The first sight of a connection, of a class of its own where there are CLASSES. Without memory
 * for it at first, what it is and has counts at its next sight, once. */
static void see_first(const struct classes *classes, const struct test_record *row)
{
	struct aggregate_lane a;
	struct fail_alloc_result result = {0};

	for (size_t n = 1; result.allocations + 1 >= n; n++) {
		int r;

		aggregates_init(&a);
		a.aggregate.connections.classes = classes;
		connections_limit(&a.aggregate.connections, 10);
		aggregates_begin(&a);
		aggregates_commit(&a);
		aggregates_begin(&a);
		fail_alloc_start(n);
		r = aggregate_add(&a.aggregate, &a.lane.table, &row->record);
		result = fail_alloc_stop();
		if (r < 0)
			aggregate_abort(&a.aggregate);
		else
			aggregates_commit(&a);
		aggregates_begin(&a);
		aggregates_add(&a, row);
		aggregates_commit(&a);
		/* Without memory for its record it is not followed, which is no failure. */
		cr_assert_eq(aggregates_value(&a, GROUP_CLIENT, "443",
					      "sockstat_tcp_connections_opened_total", 0),
			     r < 0 || result.allocations < n, "allocation %zu: %d", n, r);
		cr_assert_eq(a.aggregate.groups.parts.count, classes != NULL);
		aggregates_done(&a);
	}
}

Test(aggregate_memory, first_sight)
{
	struct test_record row;
	struct prefix_trie peers;
	struct classes classes = {.peers = &peers};

	if (!fail_alloc_is_possible()) {
		printf("SKIPPED: the sanitizer has malloc() for itself\n");
		return;
	}
	test_record_init(&row, SOCK_ESTABLISHED, "10.0.0.1:40000", "10.0.0.2:443");
	test_record_add_tcp_info(&row, 280);
	test_record_set(&row, TCP_INFO_SEGS_IN, 4, 2);
	see_first(NULL, &row);
	cr_assert_eq(prefix_trie_init(&peers), 0);
	cr_assert_eq(prefix_trie_add(&peers, AF_INET, &row.record.remote, 8, 1), 0);
	classes_init(&classes);
	see_first(&classes, &row);
	prefix_trie_done(&peers);
}

Test(aggregate_memory, names)
{
	static const char *views[] = {"a", "b", NULL}, *peers[] = {"c", NULL};
	const struct catalogue_settings settings = {.names = {views, peers}};
	struct fail_alloc_result result = {0};
	struct catalogue *c;

	if (!fail_alloc_is_possible()) {
		printf("SKIPPED: the sanitizer has malloc() for itself\n");
		return;
	}
	for (size_t n = 1; result.allocations + 1 >= n; n++) {
		int r;

		fail_alloc_start(n);
		r = catalogue_new(&settings, &c);
		if (r == 0)
			catalogue_unref(c);
		result = fail_alloc_stop();
		cr_assert_eq(r, result.allocations < n ? 0 : -ENOMEM, "%zu", n);
		cr_assert_eq(result.not_freed, 0, "%zu", n);
	}
	cr_assert_gt(result.allocations, 5);
}

/* What could not begin can be let go. */
Test(aggregate_memory, init)
{
	struct catalogue *c = core_catalogue(true);
	struct group_settings settings = {
		.catalogue = c,
		.ports = 10,
		.configured = {ports, ports},
		.configured_count = {ARRAY_SIZE(ports), ARRAY_SIZE(ports)},
	};
	struct fail_alloc_result result = {0};
	struct aggregate a;
	int r;

	for (size_t n = 1; result.allocations + 1 >= n; n++) {
		fail_alloc_start(n);
		r = aggregate_init(&a, &settings, 1);
		aggregate_done(&a);
		aggregate_done(&a);
		result = fail_alloc_stop();
		cr_assert_eq(r, result.allocations < n ? 0 : -ENOMEM, "%zu: %d", n, r);
		cr_assert_eq(result.not_freed, 0, "%zu: %ld", n, result.not_freed);
	}
	catalogue_unref(c);
}
