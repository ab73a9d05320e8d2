/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/snapshot_unix.h"

#include <string.h>

#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"

TEST_SUITE(snapshot_unix);

static void add(struct unix_listeners *t, const char *name)
{
	const struct sock_record r = {
		.name = name,
		.name_len = (uint16_t)strlen(name),
		.known = SOCK_KNOWS_RECEIVE_QUEUE | SOCK_KNOWS_SEND_QUEUE,
		.receive_queue = 3,
		.send_queue = 9,
	};

	cr_assert_eq(unix_listeners_add(t, &r), 0);
}

/* It is a copy; "other" is there if anybody is; it keeps its catalogue. */
Test(snapshot_unix, copy)
{
	static const struct snapshot_age age = {7, 8, true};
	struct unix_listeners *t = unix_listeners_new(1);
	struct catalogue *c = core_catalogue(true);
	struct snapshot_unix *p;

	unix_listeners_configure(t, 1, 1000);
	unix_listeners_begin(t);
	add(t, "/a");
	unix_listeners_commit(t, 1, 1);
	p = snapshot_unix_new(t, c, &age);
	cr_assert_eq(p->count, 1);
	cr_assert_str_eq(p->items[0].path, "/a");
	cr_assert_eq(p->items[0].values.length, 3);
	cr_assert_eq(memcmp(&p->age, &age, sizeof(age)), 0);
	cr_assert_eq(c->refs, 2);
	unix_listeners_begin(t);
	add(t, "/a");
	add(t, "/b");
	unix_listeners_commit(t, 2, 2);
	cr_assert_eq(p->count, 1, "what was handed out does not change");
	cr_assert_eq(snapshot_unix_ref(p), p);
	snapshot_unix_unref(p);
	snapshot_unix_unref(p);
	cr_assert_eq(c->refs, 1);
	p = snapshot_unix_new(t, c, &age);
	cr_assert_eq(p->count, 2);
	cr_assert_str_eq(p->items[1].path, "other");
	snapshot_unix_unref(p);
	snapshot_unix_unref(NULL);
	unix_listeners_free(t);
	catalogue_unref(c);
}
