/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/unix_listeners.h"

#include <stdio.h>

#include "daemon/core/metric.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(unix_listeners);

#define WINDOW 6000
#define S      1000

static struct unix_listeners *new_table(uint32_t limit)
{
	struct unix_listeners *t = unix_listeners_new(1);

	cr_assert(t);
	unix_listeners_configure(t, limit, WINDOW);
	return t;
}

static void add(struct unix_listeners *t, const char *name, uint32_t length, uint32_t limit)
{
	const struct sock_record r = {
		.name = name,
		.name_len = (uint16_t)strlen(name),
		.known = SOCK_KNOWS_RECEIVE_QUEUE | SOCK_KNOWS_SEND_QUEUE,
		.receive_queue = length,
		.send_queue = limit,
	};

	cr_assert_eq(unix_listeners_add(t, &r), 0);
}

static void poll_one(struct unix_listeners *t, uint64_t now_ns, const char *name, uint32_t length)
{
	unix_listeners_begin(t);
	add(t, name, length, 10);
	unix_listeners_commit(t, now_ns, now_ns);
}

static void assert_values(const struct unix_listener *l, uint64_t length, uint64_t limit,
			  uint64_t peak)
{
	cr_assert_eq(l->values.length, length, "%s: %lu", l->path, l->values.length);
	cr_assert_eq(l->values.limit, limit, "%s: %lu", l->path, l->values.limit);
	cr_assert_eq(l->values.peak, peak, "%s: %lu", l->path, l->values.peak);
}

Test(unix_listeners, labels)
{
	static const struct {
		const char *name;
		size_t n;
		const char *label;
	} cases[] = {
		{NULL, 0, ""},
		{"/run/a.sock", 12, "/run/a.sock"},
		{"/run/a.sock", 11, "/run/a.sock"},
		{"\0a", 2, "@a"},
		{"\0a\0\0", 4, "@a@@"},
		{"\0", 1, "@"},
		{"/a\0b", 4, "/a"},
		{"0123456789a", 11, "0123456789a"},
		{"0123456789ab", 12, "*"},
		{"0123456789ABCDEFabcdef", 22, "*"},
		{"x0123456789abx", 14, "x*x"},
		{"x0123456789abx0123456789ab", 26, "x*x*"},
		{"\0000123456789ab", 13, "@*"},
		{"550e8400-e29b-41d4-a716-446655440000", 36, "550e8400-e29b-41d4-a716-*"},
		{"\xff\xfe\n\"\\", 5, "\xff\xfe\n\"\\"},
	};
	char label[UNIX_LABEL_MAX], name[300];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unix_listener_label(cases[i].name, cases[i].n, label);
		cr_assert_str_eq(label, cases[i].label, "%zu: %s", i, label);
	}
	/* What the kernel cannot send is cut. */
	memset(name, 'x', sizeof(name));
	unix_listener_label(name, sizeof(name), label);
	cr_assert_eq(strlen(label), UNIX_LABEL_MAX - 1);
	memset(name, 'a', sizeof(name));
	unix_listener_label(name, sizeof(name), label);
	cr_assert_str_eq(label, "*");
}

Test(unix_listeners, values)
{
	struct unix_listeners *t = new_table(10);

	poll_one(t, 1 * S, "/a", 4);
	assert_values(&t->items[0], 4, 10, 4);
	poll_one(t, 2 * S, "/a", 0);
	assert_values(&t->items[0], 0, 10, 4);
	poll_one(t, 1 * S + WINDOW + WINDOW / PEAK_WINDOW_SLOTS, "/a", 1);
	assert_values(&t->items[0], 1, 10, 1);
	cr_assert_eq(t->other.sockets, 0);
	unix_listeners_begin(t);
	unix_listeners_commit(t, 20 * S, 20 * S);
	cr_assert_eq(t->count, 0, "it has gone");
	cr_assert_eq(t->taken_ns, 20 * S);
	unix_listeners_free(t);
}

/* The peak of a label is that of its sum, and stays while one of its sockets does. */
Test(unix_listeners, sums)
{
	struct unix_listeners *t = new_table(10);

	unix_listeners_begin(t);
	add(t, "/a-0123456789ab", 2, 5);
	add(t, "/a-ba9876543210", 3, 6);
	unix_listeners_commit(t, S, S);
	cr_assert_eq(t->count, 1);
	assert_values(&t->items[0], 5, 11, 5);
	unix_listeners_begin(t);
	add(t, "/a-0123456789ab", 2, 5);
	unix_listeners_commit(t, 2 * S, 2 * S);
	assert_values(&t->items[0], 2, 5, 5);
	unix_listeners_free(t);
}

/* A label that is given stays; who is beyond the limit has none until a place is free. */
Test(unix_listeners, limit)
{
	struct unix_listeners *t = new_table(2);

	unix_listeners_begin(t);
	add(t, "/a", 1, 10);
	add(t, "/b", 1, 10);
	unix_listeners_commit(t, S, S);
	unix_listeners_begin(t);
	add(t, "/c", 1, 10);
	add(t, "/b", 2, 10);
	add(t, "/d", 3, 10);
	unix_listeners_commit(t, 2 * S, 2 * S);
	cr_assert_eq(t->count, 1);
	cr_assert_str_eq(t->items[0].path, "/b");
	cr_assert_eq(t->other.sockets, 2);
	assert_values(&t->other, 4, 20, 4);
	unix_listeners_begin(t);
	add(t, "/c", 1, 10);
	add(t, "/b", 2, 10);
	unix_listeners_commit(t, 3 * S, 3 * S);
	cr_assert_eq(t->count, 2);
	cr_assert_eq(t->other.sockets, 0);
	unix_listeners_begin(t);
	add(t, "/c", 1, 10);
	add(t, "/b", 2, 10);
	add(t, "/d", 0, 10);
	unix_listeners_commit(t, 4 * S, 4 * S);
	assert_values(&t->other, 0, 10, 0);
	unix_listeners_configure(t, 1, WINDOW);
	cr_assert_eq(t->count, 1);
	unix_listeners_free(t);
}

/* One that is named so is shown with the rest, and not a second time. */
Test(unix_listeners, other)
{
	struct unix_listeners *t = new_table(2);

	poll_one(t, S, "other", 3);
	cr_assert_eq(t->count, 0);
	assert_values(&t->other, 3, 10, 3);
	unix_listeners_free(t);
}

/* A walk that fails leaves the values of the last good one; another window begins anew. */
Test(unix_listeners, failure_and_window)
{
	struct unix_listeners *t = new_table(2);

	poll_one(t, S, "/a", 3);
	unix_listeners_begin(t);
	add(t, "/a", 9, 10);
	unix_listeners_begin(t);
	add(t, "/a", 1, 10);
	unix_listeners_commit(t, 2 * S, 2 * S);
	assert_values(&t->items[0], 1, 10, 3);
	unix_listeners_configure(t, 2, 2 * WINDOW);
	poll_one(t, 3 * S, "/a", 2);
	assert_values(&t->items[0], 2, 10, 2);
	unix_listeners_free(t);
}

/* Where the kernel tells no queues there are none, and not 0. */
Test(unix_listeners, what_is_not_told)
{
	const struct sock_record r = {.name = "/a", .name_len = 2};
	struct unix_listeners *t = new_table(2);

	unix_listeners_begin(t);
	cr_assert_eq(unix_listeners_add(t, &r), 0);
	unix_listeners_commit(t, S, S);
	assert_values(&t->items[0], METRIC_ABSENT, METRIC_ABSENT, METRIC_ABSENT);
	unix_listeners_free(t);
}

Test(unix_listeners, many)
{
	struct unix_listeners *t = new_table(4096);
	char name[32];

	for (uint64_t round = 1; round < 4; round++) {
		unix_listeners_begin(t);
		for (unsigned int i = 0; i < 5000; i++) {
			snprintf(name, sizeof(name), "/%u", i * (unsigned int)round);
			add(t, name, 1, 2);
		}
		unix_listeners_commit(t, round * S, round * S);
		cr_assert_eq(t->count + t->other.sockets, 5000);
		cr_assert_leq(t->count, 4096);
	}
	unix_listeners_free(t);
}
