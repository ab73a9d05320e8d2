/* SPDX-License-Identifier: Apache-2.0 */
/* Views and peers of connections that are followed: where what they do is counted. */
#include "tests/support/test_support.h"
#include "tests/unit/core/connection_lane.h"
#include "tests/unit/core/core_fixture.h"

#include <arpa/inet.h>

TEST_SUITE(connections_class);

#define NAMES(...) ((const char *[]){__VA_ARGS__, NULL})
#define OPENED     "sockstat_tcp_connections_opened_total"
#define CLOSED     "sockstat_tcp_connections_closed_total"
#define SENT       "sockstat_tcp_sent_bytes_total"

/* Two views, "low" of local ports below 40000 and "all", or of STATE alone; one peer. */
struct fixture {
	struct aggregate_lane a;
	struct catalogue *catalogue;
	struct filter *views[2];
	struct prefix_trie peers;
	struct classes classes;
};

static struct filter *parse(const char *text)
{
	struct filter_error error;
	struct filter *f;

	cr_assert_eq(filter_parse(text, &(struct filter_world){0}, &error, &f), 0, "%s", text);
	return f;
}

static void name(struct fixture *f, const char **views, const char **peers)
{
	struct catalogue *before = f->catalogue;

	f->catalogue = core_catalogue_with_names(true, views, peers);
	f->a.settings.catalogue = f->catalogue;
	cr_assert_eq(aggregate_configure(&f->a.aggregate, &f->a.settings), 0);
	if (before)
		catalogue_unref(before);
}

static void init(struct fixture *f, const char *first)
{
	const struct sock_address ten = {{10}};

	connection_lane_init(&f->a, false);
	f->catalogue = NULL;
	name(f, NAMES("low", "all"), NAMES("ten"));
	f->views[0] = parse(first);
	f->views[1] = parse("src *");
	cr_assert_eq(prefix_trie_init(&f->peers), 0);
	cr_assert_eq(prefix_trie_add(&f->peers, AF_INET, &ten, 8, 1), 0);
	f->classes = (struct classes){
		.views = {f->views[0], f->views[1]}, .view_count = 2, .peers = &f->peers};
	classes_init(&f->classes);
	f->a.aggregate.connections.classes = &f->classes;
	CONNECTION_LANE_POLL_NONE(&f->a);
}

static void done(struct fixture *f)
{
	connection_lane_done(&f->a);
	catalogue_unref(f->catalogue);
	filter_free(f->views[0]);
	filter_free(f->views[1]);
	prefix_trie_done(&f->peers);
}

/* Of the client's port 443, counted already or about to be. */
static uint64_t value(const struct fixture *f, const char *family, unsigned int view,
		      unsigned int peer)
{
	const struct group_table *t = &f->a.aggregate.groups;

	for (uint32_t i = 0; i < group_table_count(t); i++) {
		const struct group *g = group_table_at(t, i);

		if (g->side == GROUP_CLIENT && g->port == 443 && g->class.view == view &&
		    g->class.peer == peer)
			return *core_cells(t->catalogue, g->cells, family) +
			       *core_cells(t->catalogue, g->poll, family);
	}
	return UINT64_MAX;
}

#define SOCKET(...)                         \
	(&(const struct connection_socket){ \
		__VA_ARGS__,                \
	})

/* From its first byte to its last, whoever tells of them. */
Test(connections_class, for_life)
{
	struct fixture f;

	init(&f, "sport < 40000");
	CONNECTION_LANE_POLL(&f.a, {1, 100, 0, 2}, {2, 100, 0, 2, .near_port = 39999});
	cr_assert_eq(value(&f, OPENED, 2, 1), 1);
	cr_assert_eq(value(&f, OPENED, 1, 1), 1);
	CONNECTION_LANE_POLL(&f.a, {1, 150, 0, 3}, {2, 160, 0, 3, .near_port = 39999});
	connection_lane_event(&f.a, SOCKET(1, 200, 0, 4));
	cr_assert_eq(value(&f, SENT, 2, 1), 200);
	cr_assert_eq(value(&f, CLOSED, 2, 1), 1);
	CONNECTION_LANE_POLL_NONE(&f.a);
	cr_assert_eq(value(&f, CLOSED, 1, 1), 1, "no event, it is gone");
	cr_assert_eq(value(&f, SENT, 1, 1), 160);
	done(&f);
}

Test(connections_class, that_no_poll_has_seen)
{
	struct fixture f;

	init(&f, "sport < 40000");
	connection_lane_event(&f.a, SOCKET(1, 200, 0, 4, .near_port = 39999));
	cr_assert_eq(value(&f, OPENED, 1, 1), 1);
	cr_assert_eq(value(&f, SENT, 1, 1), 200);
	done(&f);
}

/* The socket is another connection by now. */
Test(connections_class, of_a_socket_that_connects_again)
{
	struct fixture f;

	init(&f, "sport < 40000");
	CONNECTION_LANE_POLL(&f.a, {1, 100, 0, 2});
	CONNECTION_LANE_POLL(&f.a, {1, 50, 0, 3, .near_port = 39999});
	cr_assert_eq(value(&f, CLOSED, 2, 1), 1);
	cr_assert_eq(value(&f, OPENED, 1, 1), 1);
	cr_assert_eq(value(&f, SENT, 1, 1), 50);
	connection_lane_event(&f.a, SOCKET(1, 30, 0, 4, .near_port = 39998));
	cr_assert_eq(value(&f, OPENED, 1, 1), 2);
	done(&f);
}

/* A filter that asks for the state is asked at each poll; a destroyed socket has none. */
Test(connections_class, by_state)
{
	struct fixture f;

	init(&f, "state syn-sent");
	cr_assert_not(f.classes.are_fixed);
	CONNECTION_LANE_POLL(&f.a, {1, 0, 0, 0});
	cr_assert_eq(value(&f, OPENED, 1, 1), 0);
	CONNECTION_LANE_POLL(&f.a, {1, 100, 0, 2});
	cr_assert_eq(value(&f, OPENED, 2, 1), 1);
	connection_lane_event(&f.a, SOCKET(1, 100, 0, 3));
	cr_assert_eq(value(&f, CLOSED, 2, 1), 1, "where it was last seen");
	done(&f);
}

/* Names go and come; what is followed keeps its own until it is seen again. */
Test(connections_class, renamed)
{
	const struct class_names from = {NAMES("low", "all"), NAMES("ten")};
	const struct class_names to = {NAMES("all", "low"), NAMES("ten")};
	struct fixture f;
	struct class_map map;

	init(&f, "sport < 40000");
	CONNECTION_LANE_POLL(&f.a, {1, 100, 0, 2}, {2, 100, 0, 2, .near_port = 39999});
	name(&f, to.views, to.peers);
	class_map_init(&map, &from, &to);
	connections_rename(&f.a.aggregate.connections, &map);
	cr_assert_eq(value(&f, SENT, 1, 1), 100);
	connection_lane_event(&f.a, SOCKET(1, 150, 0, 4));
	cr_assert_eq(value(&f, SENT, 1, 1), 150, "all, which is the first now");
	CONNECTION_LANE_POLL(&f.a, {2, 170, 0, 3, .near_port = 39999});
	cr_assert_eq(value(&f, SENT, 1, 1), 220, "by the filter that has the name now");
	cr_assert_eq(value(&f, SENT, 2, 1), 100);
	done(&f);
}

/* Of a view that is gone an event is looked at; what only leaves is "other". */
Test(connections_class, gone)
{
	const struct class_names from = {NAMES("low", "all"), NAMES("ten")};
	const struct class_names to = {NAMES("low"), NULL};
	struct fixture f;
	struct class_map map;

	init(&f, "sport < 40000");
	CONNECTION_LANE_POLL(&f.a, {1, 100, 0, 2}, {2, 100, 0, 2});
	name(&f, to.views, to.peers);
	class_map_init(&map, &from, &to);
	connections_rename(&f.a.aggregate.connections, &map);
	f.classes.view_count = 1;
	f.classes.peers = NULL;
	connection_lane_event(&f.a, SOCKET(1, 150, 0, 4));
	cr_assert_eq(value(&f, CLOSED, 0, 0), 1);
	cr_assert_eq(value(&f, SENT, 0, 0), 50, "what it did since");
	CONNECTION_LANE_POLL_NONE(&f.a);
	cr_assert_eq(value(&f, CLOSED, 0, 0), 2);
	done(&f);
}

/* No views any more: nobody asks who was of which. */
Test(connections_class, none)
{
	struct fixture f;

	init(&f, "sport < 40000");
	CONNECTION_LANE_POLL(&f.a, {1, 100, 0, 2});
	name(&f, NULL, NULL);
	f.a.aggregate.connections.classes = NULL;
	CONNECTION_LANE_POLL(&f.a, {1, 120, 0, 3});
	connection_lane_event(&f.a, SOCKET(1, 150, 0, 4));
	cr_assert_eq(value(&f, SENT, 0, 0), 50);
	cr_assert_eq(value(&f, CLOSED, 0, 0), 1);
	done(&f);
}
