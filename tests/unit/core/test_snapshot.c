/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/snapshot_exchange.h"

#include <stdio.h>
#include <string.h>

#include "daemon/core/listener_poll.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"
#include "tests/support/record_builder.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"

TEST_SUITE(snapshot);

static const struct snapshot_age age = {11, 12}, slow_age = {21, 22};

static void no_device(uint32_t interface, char ret_name[IF_NAMESIZE])
{
	snprintf(ret_name, IF_NAMESIZE, "%u", interface);
}

/* The tables that snapshots are made from, with two listeners of which one has its own series, and
 * two groups beside the shared ones. */
struct tables {
	struct catalogue *catalogue;
	struct listener_table listeners;
	struct aggregate aggregate;
};

static void poll_listeners(struct tables *t, uint32_t length)
{
	static const char *const locals[] = {"0.0.0.0:22", "[::1]:80", "*:81"};
	const struct listener_poll poll = {
		.now_ns = NSEC_PER_SEC, .realtime_ms = 1700000000002, .interval_ns = 1};

	listener_poll_begin(&t->listeners);
	for (size_t i = 0; i < ARRAY_SIZE(locals); i++) {
		struct test_record r;

		test_record_init(&r, SOCK_LISTEN, locals[i], "0.0.0.0:0");
		r.record.cookie = i + 1;
		r.record.receive_queue = length + (uint32_t)i;
		r.record.send_queue = 100;
		cr_assert_eq(listener_poll_add(&t->listeners, &r.record, NSEC_PER_SEC), 0);
	}
	cr_assert_eq(listener_poll_commit(&t->listeners, &poll), 0);
}

static void poll_sockets(struct tables *t, uint32_t receive_queue)
{
	static const char *const ends[][2] = {{"10.0.0.1:22", "10.0.0.2:4000"},
					      {"10.0.0.1:40000", "10.0.0.2:443"}};

	aggregate_begin(&t->aggregate,
			&(struct aggregate_poll){100, NSEC_PER_SEC, true, 1700000000001});
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct test_record r;

		test_record_init(&r, SOCK_ESTABLISHED, ends[i][0], ends[i][1]);
		r.record.algorithm = "cubic";
		r.record.receive_queue = receive_queue + (uint32_t)i;
		cr_assert_eq(aggregate_add(&t->aggregate, &t->listeners, &r.record), 0);
	}
	aggregate_commit(&t->aggregate, &t->listeners, NSEC_PER_SEC);
}

static void tables_init(struct tables *t, uint32_t series_cap)
{
	struct group_settings settings = {.ports = 10, .idle_ns = NSEC_PER_SEC};

	memset(t, 0, sizeof(*t));
	t->catalogue = core_catalogue(true);
	settings.catalogue = t->catalogue;
	listener_table_init(&t->listeners, t->catalogue, 1, no_device);
	cr_assert_eq(listener_table_configure(&t->listeners, t->catalogue, series_cap,
					      120 * NSEC_PER_SEC, 0),
		     0);
	cr_assert_eq(aggregate_init(&t->aggregate, &settings, 1), 0);
	poll_listeners(t, 5);
	poll_sockets(t, 1000);
}

static void tables_done(struct tables *t)
{
	listener_table_done(&t->listeners);
	aggregate_done(&t->aggregate);
	cr_assert_eq(t->catalogue->refs, 1, "%u references to the catalogue are left",
		     t->catalogue->refs);
	catalogue_unref(t->catalogue);
}

static const struct snapshot_listener *find(const struct snapshot_listeners *p, const char *address)
{
	for (uint32_t i = 0; i < p->count; i++)
		if (strcmp(p->items[i].address, address) == 0)
			return &p->items[i];
	cr_assert_fail("no listener %s", address);
	return NULL;
}

static uint64_t fill_ratios(const struct tables *t, const struct snapshot_listener *item)
{
	return core_observations(t->catalogue, item->cells,
				 "sockstat_listener_accept_queue_fill_ratio");
}

/* Who scrapes still has the old owner when the table has another. */
Test(snapshot, owners_are_shared)
{
	static const char *const labels[OWNER_LABELS] = {"web.service", "", "/web.service", "33"};
	static struct tables t;
	struct snapshot_listeners *p;
	struct owner *owner = owner_new(labels);

	cr_assert(owner);
	tables_init(&t, 10);
	t.listeners.series[1]->owner = owner_ref(owner);
	p = snapshot_listeners_new(&t.listeners, &age, &slow_age);
	cr_assert(p);
	cr_assert_eq(owner->refs, 3);
	owner_unref(t.listeners.series[1]->owner);
	t.listeners.series[1]->owner = NULL;
	cr_assert_str_eq(owner_label(p->items[1].owner, OWNER_UNIT), "web.service");
	cr_assert_str_eq(owner_label(p->items[0].owner, OWNER_UNIT), "");
	snapshot_listeners_unref(p);
	cr_assert_eq(owner->refs, 1);
	owner_unref(owner);
	tables_done(&t);
}

/* Each series of the table once, "other" too, as it was when the copy was made. */
Test(snapshot, listeners_are_copied)
{
	static struct tables t;
	struct snapshot_listeners *p;

	tables_init(&t, 1);
	p = snapshot_listeners_new(&t.listeners, &age, &slow_age);
	cr_assert(p);
	poll_listeners(&t, 50);
	cr_assert_eq(p->count, 2);
	cr_assert_eq(p->catalogue, t.catalogue);
	cr_assert_eq(p->age.taken_ns, age.taken_ns);
	cr_assert_eq(p->age.stale_after_ns, age.stale_after_ns);
	cr_assert_eq(p->slow_age.taken_ns, slow_age.taken_ns);
	cr_assert_str_eq(find(p, "0.0.0.0")->port, "22");
	cr_assert_eq(find(p, "0.0.0.0")->values.length, 5);
	cr_assert_eq(fill_ratios(&t, find(p, "0.0.0.0")), 1);
	cr_assert_eq(find(p, "0.0.0.0")->born_ms, 1700000000002);
	cr_assert_str_eq(find(p, "other")->port, "other");
	cr_assert_eq(find(p, "other")->values.length, 6 + 7);
	cr_assert_eq(fill_ratios(&t, find(p, "other")), 2);
	snapshot_listeners_unref(p);
	tables_done(&t);
}

Test(snapshot, no_listeners)
{
	static struct listener_table t;
	struct catalogue *c = core_catalogue(false);
	struct snapshot_listeners *p;

	listener_table_init(&t, c, 1, no_device);
	p = snapshot_listeners_new(&t, &age, &slow_age);
	cr_assert_eq(p->count, 0);
	snapshot_listeners_unref(p);
	listener_table_done(&t);
	catalogue_unref(c);
}

static uint64_t receive_queue(const struct tables *t, const struct snapshot_group *item)
{
	return *core_cells(t->catalogue, item->cells, "sockstat_tcp_receive_queue_bytes");
}

/* Only groups that were part of a good poll, with what the poll said. */
Test(snapshot, sockets_are_copied)
{
	static struct tables t;
	struct snapshot_sockets *p;

	tables_init(&t, 10);
	p = core_sockets_part(&t.aggregate, &age);
	cr_assert(p);
	poll_sockets(&t, 7000);
	cr_assert_eq(p->count, 2);
	cr_assert_eq(p->age.taken_ns, age.taken_ns);
	cr_assert_eq(p->items[0].side, GROUP_SERVER);
	cr_assert_str_eq(p->items[0].port, "22");
	cr_assert_eq(receive_queue(&t, &p->items[0]), 1000);
	cr_assert_eq(p->items[1].side, GROUP_CLIENT);
	cr_assert_str_eq(p->items[1].port, "443");
	cr_assert_eq(receive_queue(&t, &p->items[1]), 1001);
	cr_assert_eq(p->algorithms.count, 1);
	cr_assert_str_eq(p->algorithms.names[0], "cubic");
	cr_assert(metric_set_has(&p->present, core_metric("sockstat_tcp_sockets")));
	cr_assert(metric_set_has(&p->present,
				 core_metric("sockstat_tcp_congestion_algorithm_sockets")));
	cr_assert_not(metric_set_has(&p->present, core_metric("sockstat_tcp_rtt_seconds")));
	snapshot_sockets_unref(p);
	tables_done(&t);
}

/* A part outlives the tables, and what the catalogue was then. */
Test(snapshot, parts_keep_their_catalogue)
{
	static struct tables t;
	struct snapshot_sockets *p;
	struct catalogue *before;

	tables_init(&t, 10);
	before = t.catalogue;
	p = core_sockets_part(&t.aggregate, &age);
	listener_table_done(&t.listeners);
	aggregate_done(&t.aggregate);
	catalogue_unref(t.catalogue);
	cr_assert_eq(before->refs, 1);
	cr_assert_eq(p->catalogue, before);
	cr_assert_eq(receive_queue(&t, &p->items[1]), 1001);
	snapshot_sockets_unref(p);
}

Test(snapshot, nothing_before_the_first)
{
	struct snapshot_exchange x = SNAPSHOT_EXCHANGE_INIT;

	cr_assert_null(snapshot_take(&x));
	snapshot_exchange_done(&x);
	snapshot_unref(NULL);
	snapshot_listeners_unref(NULL);
	snapshot_sockets_unref(NULL);
}

/* What was taken stays as it is, whatever is published meanwhile. */
Test(snapshot, taken_ones_do_not_change)
{
	static struct tables t;
	struct snapshot_exchange x = SNAPSHOT_EXCHANGE_INIT;
	struct snapshot_listeners *p;
	struct snapshot *first, *second;

	tables_init(&t, 10);
	p = snapshot_listeners_new(&t.listeners, &age, &slow_age);
	cr_assert_eq(snapshot_publish(&x, t.catalogue, &(struct snapshot_parts){.listeners = p}),
		     0);
	first = snapshot_take(&x);
	cr_assert_eq(first->parts.listeners, p);
	cr_assert_null(first->parts.sockets[POLL_FAMILY_TCP]);

	poll_listeners(&t, 50);
	p = snapshot_listeners_new(&t.listeners, &age, &slow_age);
	cr_assert_eq(snapshot_publish(&x, t.catalogue, &(struct snapshot_parts){.listeners = p}),
		     0);
	second = snapshot_take(&x);
	cr_assert_eq(find(second->parts.listeners, "0.0.0.0")->values.length, 50);
	cr_assert_eq(find(first->parts.listeners, "0.0.0.0")->values.length, 5);

	snapshot_exchange_done(&x);
	cr_assert_eq(find(second->parts.listeners, "0.0.0.0")->values.length, 50);
	snapshot_unref(first);
	snapshot_unref(second);
	tables_done(&t);
}

/* A lane that brings nothing new leaves its part, which is shared and not copied. */
Test(snapshot, parts_are_shared)
{
	static struct tables t;
	struct snapshot_exchange x = SNAPSHOT_EXCHANGE_INIT;
	struct snapshot_listeners *listeners;
	struct snapshot_sockets *sockets;
	struct snapshot *s;

	tables_init(&t, 10);
	sockets = core_sockets_part(&t.aggregate, &age);
	cr_assert_eq(
		snapshot_publish(&x, t.catalogue, &(struct snapshot_parts){.sockets = {sockets}}),
		0);
	for (int i = 0; i < 10; i++) {
		listeners = snapshot_listeners_new(&t.listeners, &age, &slow_age);
		cr_assert_eq(snapshot_publish(&x, t.catalogue,
					      &(struct snapshot_parts){.listeners = listeners}),
			     0);
		s = snapshot_take(&x);
		cr_assert_eq(s->parts.sockets[POLL_FAMILY_TCP], sockets);
		cr_assert_eq(s->parts.listeners, listeners);
		cr_assert_eq(sockets->refs, 1, "snapshots that are gone hold none");
		snapshot_unref(s);
	}
	cr_assert_eq(snapshot_publish(&x, t.catalogue, &(struct snapshot_parts){0}), 0);
	s = snapshot_take(&x);
	cr_assert_eq(s->parts.sockets[POLL_FAMILY_TCP], sockets);
	cr_assert_eq(s->parts.listeners, listeners);
	snapshot_unref(s);
	snapshot_exchange_done(&x);
	tables_done(&t);
}

/* A new catalogue is in force at once, also for parts of the old one. */
Test(snapshot, another_catalogue)
{
	static struct tables t;
	struct snapshot_exchange x = SNAPSHOT_EXCHANGE_INIT;
	struct catalogue *c = core_catalogue(false);
	struct snapshot *s;

	tables_init(&t, 10);
	cr_assert_eq(snapshot_publish(&x, t.catalogue,
				      &(struct snapshot_parts){
					      .sockets = {core_sockets_part(&t.aggregate, &age)}}),
		     0);
	cr_assert_eq(snapshot_publish(&x, c, &(struct snapshot_parts){0}), 0);
	s = snapshot_take(&x);
	cr_assert_eq(s->catalogue, c);
	cr_assert_eq(s->parts.sockets[POLL_FAMILY_TCP]->catalogue, t.catalogue);
	snapshot_unref(s);
	snapshot_exchange_done(&x);
	cr_assert_eq(c->refs, 1);
	catalogue_unref(c);
	tables_done(&t);
}

/* Whoever renders a part again and again keeps it beyond its snapshot. */
Test(snapshot, a_part_alone)
{
	static struct tables t;
	struct snapshot_exchange x = SNAPSHOT_EXCHANGE_INIT;
	struct snapshot_sockets *p;

	tables_init(&t, 10);
	p = core_sockets_part(&t.aggregate, &age);
	cr_assert_eq(snapshot_sockets_ref(p), p);
	cr_assert_eq(snapshot_publish(&x, t.catalogue, &(struct snapshot_parts){.sockets = {p}}),
		     0);
	snapshot_exchange_done(&x);
	cr_assert_eq(p->refs, 1);
	cr_assert_eq(receive_queue(&t, &p->items[0]), 1000);
	snapshot_sockets_unref(p);
	tables_done(&t);
}
