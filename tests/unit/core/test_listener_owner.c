/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/listener_owner.h"

#include <stdio.h>

#include "daemon/core/filter.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/listener_lane.h"

TEST_SUITE(listener_owner);

static void init(struct listener_lane *lane, uint32_t series_cap)
{
	lane_init(lane, series_cap);
	listener_owner_enable(&lane->table, true);
}

/* A whole search of a hierarchy in which these are. */
static void search(struct listener_lane *lane)
{
	static const struct {
		uint64_t id;
		const char *path;
	} cgroups[] = {
		{1, "/"},
		{10, "/system.slice/web.service"},
		{11, "/system.slice/db.service"},
		{12, "/user.slice/user-33.slice/session-4.scope"},
		{13, "/user.slice/user-33.slice/session-5.scope"},
	};
	struct listener_table *t = &lane->table;

	cgroup_names_begin_search(&t->cgroups);
	for (size_t i = 0; i < ARRAY_SIZE(cgroups); i++)
		t->owners_due |= cgroup_names_found(&t->cgroups, cgroups[i].id, cgroups[i].path);
	cgroup_names_end_search(&t->cgroups);
	t->owners_due = true;
	listener_owner_assign(t);
}

/* A poll, and the owners that it makes known. */
#define POLL(lane, ...)                                \
	do {                                           \
		LANE_POLL(lane, __VA_ARGS__);          \
		listener_owner_assign(&(lane)->table); \
	} while (0)

static void assert_owner(const struct listener_lane *lane, const char *address, const char *port,
			 const char *expected)
{
	const struct listener_series *s = lane_series(lane, address, port);
	char text[600];

	cr_assert(s, "no series %s:%s", address, port);
	snprintf(text, sizeof(text), "%s|%s|%s|%s", owner_label(s->owner, OWNER_UNIT),
		 owner_label(s->owner, OWNER_CONTAINER_ID), owner_label(s->owner, OWNER_CGROUP),
		 owner_label(s->owner, OWNER_UID));
	cr_assert_str_eq(text, expected);
}

#define OWNER(lane, expected) assert_owner(lane, "*", "80", expected)

Test(listener_owner, one_member)
{
	struct listener_lane lane;

	init(&lane, 10);
	POLL(&lane, {.local = "*:80", .cookie = 1, .cgroup_id = 10, .uid = 33});
	OWNER(&lane, "|||33");
	cr_assert_eq(lane.table.cgroups.states[CGROUP_WANTED], 1);
	search(&lane);
	OWNER(&lane, "web.service||/system.slice/web.service|33");
	lane_done(&lane);
}

/* What a search has not found is looked for again when the configuration is. */
Test(listener_owner, unknown_until_a_reload)
{
	struct listener_lane lane;

	init(&lane, 10);
	POLL(&lane, {.local = "*:80", .cookie = 1, .cgroup_id = 99, .uid = 33});
	search(&lane);
	cr_assert_eq(lane.table.cgroups.states[CGROUP_UNKNOWN], 1);
	listener_owner_enable(&lane.table, true);
	cr_assert_eq(lane.table.cgroups.states[CGROUP_WANTED], 1);
	lane_done(&lane);
}

Test(listener_owner, members_that_differ)
{
	static const struct {
		struct lane_row rows[3];
		const char *expected;
	} cases[] = {
		{{{.local = "*:80", .cookie = 1, .cgroup_id = 12, .uid = 33},
		  {.local = "*:80", .cookie = 2, .cgroup_id = 12, .uid = 33},
		  {.local = "*:80", .cookie = 3, .cgroup_id = 12, .uid = 33}},
		 "session.scope||/user.slice/user-33.slice/session-4.scope|33"},
		{{{.local = "*:80", .cookie = 1, .cgroup_id = 12, .uid = 33},
		  {.local = "*:80", .cookie = 2, .cgroup_id = 13, .uid = 33},
		  {.local = "*:80", .cookie = 3, .cgroup_id = 12, .uid = 33}},
		 "session.scope||multiple|33"},
		{{{.local = "*:80", .cookie = 1, .cgroup_id = 10, .uid = 33},
		  {.local = "*:80", .cookie = 2, .cgroup_id = 10, .uid = 33},
		  {.local = "*:80", .cookie = 3, .cgroup_id = 11, .uid = 0}},
		 "multiple||multiple|multiple"},
		/* Of one it is not known, so it cannot be said of all. */
		{{{.local = "*:80", .cookie = 1, .cgroup_id = 10, .uid = 33},
		  {.local = "*:80", .cookie = 2, .cgroup_id = 10, .uid = 33},
		  {.local = "*:80", .cookie = 3, .cgroup_id = 99, .uid = 33}},
		 "multiple||multiple|33"},
		{{{.local = "*:80", .cookie = 1, .uid = 33},
		  {.local = "*:80", .cookie = 2, .cgroup_id = 99, .uid = 33},
		  {.local = "*:80", .cookie = 3, .uid = 33}},
		 "|||33"},
	};
	struct listener_lane lane;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		init(&lane, 10);
		lane_poll(&lane, cases[i].rows, ARRAY_SIZE(cases[i].rows));
		listener_owner_assign(&lane.table);
		search(&lane);
		OWNER(&lane, cases[i].expected);
		lane_done(&lane);
	}
}

Test(listener_owner, one_of_two_goes)
{
	struct listener_lane lane;

	init(&lane, 10);
	POLL(&lane, {.local = "*:80", .cookie = 1, .cgroup_id = 10, .uid = 1},
	     {.local = "*:80", .cookie = 2, .cgroup_id = 11, .uid = 2});
	search(&lane);
	OWNER(&lane, "multiple||multiple|multiple");
	POLL(&lane, {.local = "*:80", .cookie = 2, .cgroup_id = 11, .uid = 2});
	OWNER(&lane, "db.service||/system.slice/db.service|2");
	cr_assert_eq(lane.table.cgroups.count, 1, "the other's is forgotten");
	lane_done(&lane);
}

/* An alert on it still has a name; and whoever comes next has his own. */
Test(listener_owner, gone_and_come_again)
{
	struct listener_lane lane;

	init(&lane, 10);
	POLL(&lane, {.local = "*:80", .cookie = 1, .cgroup_id = 10, .uid = 1});
	search(&lane);
	LANE_POLL_NONE(&lane);
	listener_owner_assign(&lane.table);
	OWNER(&lane, "web.service||/system.slice/web.service|1");
	POLL(&lane, {.local = "*:80", .cookie = 2, .cgroup_id = 11, .uid = 2});
	OWNER(&lane, "|||2");
	search(&lane);
	OWNER(&lane, "db.service||/system.slice/db.service|2");
	lane_done(&lane);
}

/* A service that starts again has the same name as before, of most; but that is not believed for
 * ever. */
Test(listener_owner, started_again)
{
	struct listener_lane lane;

	init(&lane, 10);
	POLL(&lane, {.local = "*:80", .cookie = 1, .cgroup_id = 10, .uid = 1});
	search(&lane);
	for (uint64_t i = 0; i < 2; i++) {
		POLL(&lane, {.local = "*:80", .cookie = 2 + i, .cgroup_id = 98 + i, .uid = 1});
		OWNER(&lane, "web.service||/system.slice/web.service|1");
		cgroup_names_begin_search(&lane.table.cgroups);
		POLL(&lane, {.local = "*:80", .cookie = 12 + i, .cgroup_id = 198 + i, .uid = 1});
		OWNER(&lane, "web.service||/system.slice/web.service|1");
		cgroup_names_end_search(&lane.table.cgroups);
	}
	POLL(&lane, {.local = "*:80", .cookie = 22, .cgroup_id = 298, .uid = 1});
	OWNER(&lane, "|||1");
	POLL(&lane, {.local = "*:80", .cookie = 23, .cgroup_id = 10, .uid = 1});
	search(&lane);
	OWNER(&lane, "web.service||/system.slice/web.service|1");
	lane_done(&lane);
}

/* It is said of those that are known, as soon as they are. */
Test(listener_owner, one_of_two_is_looked_for)
{
	struct listener_lane lane;

	init(&lane, 10);
	POLL(&lane, {.local = "*:80", .cookie = 1, .cgroup_id = 10, .uid = 1});
	search(&lane);
	POLL(&lane, {.local = "*:80", .cookie = 1, .cgroup_id = 10, .uid = 1},
	     {.local = "*:80", .cookie = 2, .cgroup_id = 11, .uid = 0});
	OWNER(&lane, "web.service||/system.slice/web.service|multiple");
	cgroup_names_begin_search(&lane.table.cgroups);
	lane.table.owners_due = true;
	listener_owner_assign(&lane.table);
	OWNER(&lane, "web.service||/system.slice/web.service|multiple");
	search(&lane);
	OWNER(&lane, "multiple||multiple|multiple");
	lane_done(&lane);
}

Test(listener_owner, proc_tells_only_the_user)
{
	struct listener_lane lane;

	init(&lane, 10);
	POLL(&lane, {.local = "*:80", .cookie = 1, .inode = 7, .cgroup_id = 10, .uid = 1});
	search(&lane);
	POLL(&lane, {.local = "*:80", .inode = 7, .uid = 1},
	     {.local = "*:81", .inode = 8, .uid = 5});
	OWNER(&lane, "web.service||/system.slice/web.service|1");
	assert_owner(&lane, "*", "81", "|||5");
	POLL(&lane, {.local = "*:80", .cookie = 1, .inode = 7, .cgroup_id = 10, .uid = 1},
	     {.local = "*:81", .cookie = 2, .inode = 8, .cgroup_id = 11, .uid = 5});
	search(&lane);
	assert_owner(&lane, "*", "81", "db.service||/system.slice/db.service|5");
	lane_done(&lane);
}

/* Each "other" is like one with many members. */
Test(listener_owner, folded_ones)
{
	struct listener_lane lane;

	init(&lane, 1);
	POLL(&lane, {.local = "*:80", .cookie = 1, .cgroup_id = 10, .uid = 1},
	     {.local = "*:81", .cookie = 2, .cgroup_id = 11, .uid = 1},
	     {.local = "*:82", .cookie = 3, .cgroup_id = 11, .uid = 1});
	search(&lane);
	assert_owner(&lane, "other", "other", "db.service||/system.slice/db.service|1");
	POLL(&lane, {.local = "*:80", .cookie = 1, .cgroup_id = 10, .uid = 1},
	     {.local = "*:81", .cookie = 2, .cgroup_id = 11, .uid = 1},
	     {.local = "*:82", .cookie = 3, .cgroup_id = 11, .uid = 1},
	     {.local = "*:83", .cookie = 4, .cgroup_id = 1, .uid = 2});
	search(&lane);
	assert_owner(&lane, "other", "other", "multiple||multiple|multiple");
	lane_done(&lane);
}

/* Those that lose their labels are in it at once. */
Test(listener_owner, a_lower_limit)
{
	struct listener_lane lane;

	init(&lane, 10);
	POLL(&lane, {.local = "*:80", .cookie = 1, .cgroup_id = 10, .uid = 1},
	     {.local = "*:81", .cookie = 2, .cgroup_id = 11, .uid = 1},
	     {.local = "*:82", .cookie = 3, .cgroup_id = 11, .uid = 1});
	search(&lane);
	lane.table.series_cap = 1;
	POLL(&lane, {.local = "*:80", .cookie = 1, .cgroup_id = 10, .uid = 1},
	     {.local = "*:81", .cookie = 2, .cgroup_id = 11, .uid = 1},
	     {.local = "*:82", .cookie = 3, .cgroup_id = 11, .uid = 1});
	cr_assert_eq(lane.table.series_count, 2);
	cr_assert(lane_series(&lane, "other", "other")->owner != NULL);
	lane_done(&lane);
}

/* What is not shown is not looked for. */
Test(listener_owner, hidden_ones)
{
	static const struct filter_world world;
	struct filter_error error;
	struct listener_lane lane;
	struct filter *filter = NULL;

	init(&lane, 10);
	cr_assert_eq(filter_parse("sport = :80", &world, &error, &filter), 0);
	lane.table.filter = filter;
	POLL(&lane, {.local = "*:80", .cookie = 1, .cgroup_id = 10, .uid = 1},
	     {.local = "*:81", .cookie = 2, .cgroup_id = 11, .uid = 1});
	cr_assert_eq(lane.table.cgroups.count, 1);
	lane.table.filter = NULL;
	POLL(&lane, {.local = "*:80", .cookie = 1, .cgroup_id = 10, .uid = 1},
	     {.local = "*:81", .cookie = 2, .cgroup_id = 11, .uid = 1});
	cr_assert_eq(lane.table.cgroups.count, 2);
	lane_done(&lane);
	filter_free(filter);
}

Test(listener_owner, off_and_on)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	POLL(&lane, {.local = "*:80", .cookie = 1, .cgroup_id = 10, .uid = 1});
	OWNER(&lane, "|||");
	cr_assert_eq(lane.table.cgroups.count, 0);
	listener_owner_enable(&lane.table, true);
	listener_owner_assign(&lane.table);
	search(&lane);
	OWNER(&lane, "web.service||/system.slice/web.service|1");
	listener_owner_enable(&lane.table, false);
	listener_owner_assign(&lane.table);
	OWNER(&lane, "|||");
	lane_done(&lane);
}

/* A scrape that holds the old labels is not disturbed; nothing is made anew while nothing changes.
 */
Test(listener_owner, steady)
{
	struct listener_lane lane;
	const struct owner *owner;

	init(&lane, 10);
	POLL(&lane, {.local = "*:80", .cookie = 1, .cgroup_id = 10, .uid = 1});
	search(&lane);
	owner = lane_series(&lane, "*", "80")->owner;
	for (unsigned int i = 0; i < 3; i++) {
		LANE_POLL(&lane, {.local = "*:80", .cookie = 1, .cgroup_id = 10, .uid = 1});
		cr_assert(!lane.table.owners_due);
	}
	lane.table.owners_due = true;
	listener_owner_assign(&lane.table);
	cr_assert_eq(lane_series(&lane, "*", "80")->owner, owner);
	lane_done(&lane);
}
