/* SPDX-License-Identifier: Apache-2.0 */
/* Which port has a label of its own, and for how long. */
#include "daemon/core/group.h"

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/group_lane.h"

TEST_SUITE(group);

#define SERVERS(label) groups_sockets(&g, GROUP_SERVER, label)
#define CLIENTS(label) groups_sockets(&g, GROUP_CLIENT, label)

static const uint16_t some_ports[] = {5432, 40000};

static void set_ports(struct group_lane *g, enum group_side side, const uint16_t *ports,
		      uint32_t count)
{
	g->settings.configured[side] = ports;
	g->settings.configured_count[side] = count;
	groups_configure(g);
}

Test(group, names)
{
	static const struct {
		struct group group;
		const char *label;
	} cases[] = {
		{{.kind = GROUP_PORT, .port = 65535}, "65535"},
		{{.kind = GROUP_PORT, .port = 0}, "0"},
		{{.kind = GROUP_EPHEMERAL}, "ephemeral"},
		{{.kind = GROUP_OTHER}, "other"},
	};
	char label[16];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		group_port_label(&cases[i].group, label);
		cr_assert_str_eq(label, cases[i].label);
	}
	cr_assert_str_eq(group_side_name(GROUP_SERVER), "server");
	cr_assert_str_eq(group_side_name(GROUP_CLIENT), "client");
}

Test(group, gauges_and_histograms)
{
	struct group_lane g;

	groups_init(&g, 10);
	GROUPS_POLL_NONE(&g);
	cr_assert_eq(groups_shown(&g), 0);
	GROUPS_POLL(&g, SERVER(80, 3), CLIENT(80, 5));
	cr_assert_eq(SERVERS("80"), 3);
	cr_assert_eq(CLIENTS("80"), 5);
	GROUPS_POLL(&g, SERVER(80, 2));
	cr_assert_eq(SERVERS("80"), 2, "a gauge is the last good poll");
	cr_assert_eq(groups_observations(&g, GROUP_SERVER, "80"), 5, "buckets only grow");
	cr_assert_eq(CLIENTS("80"), 0, "zero beats absent");
	cr_assert_eq(groups_observations(&g, GROUP_CLIENT, "80"), 5);
	cr_assert_eq(groups_shown(&g), 2);
	groups_done(&g);
}

/* Nothing of a poll counts that has not ended well; a group that only it has shown vanishes. */
Test(group, failed_poll)
{
	struct group_lane g;

	groups_init(&g, 2);
	GROUPS_POLL(&g, SERVER(80, 3));
	GROUPS_FAIL(&g, SERVER(80, 9), SERVER(81, 1), CLIENT(40000, 1), SERVER(82, 1));
	cr_assert_eq(groups_shown(&g), 1);
	cr_assert_eq(SERVERS("80"), 3);
	cr_assert_eq(groups_observations(&g, GROUP_SERVER, "80"), 3);
	cr_assert_eq(g.groups.folds.by_ports, 0);

	GROUPS_POLL(&g, SERVER(80, 4), SERVER(83, 1));
	cr_assert_eq(SERVERS("80"), 4);
	cr_assert_eq(groups_observations(&g, GROUP_SERVER, "80"), 7);
	cr_assert_eq(SERVERS("81"), GROUPS_NONE);
	cr_assert_eq(SERVERS("83"), 1, "the place of 81 is free");
	cr_assert_eq(groups_shown(&g), 2);
	groups_done(&g);
}

Test(group, failed_polls_do_not_keep_alive)
{
	struct group_lane g;

	groups_init(&g, 2);
	GROUPS_POLL(&g, SERVER(80, 3));
	g.lane.now_ns += GROUPS_IDLE_NS;
	GROUPS_FAIL(&g, SERVER(80, 3));
	GROUPS_POLL_NONE(&g);
	cr_assert_eq(groups_shown(&g), 0);
	groups_done(&g);
}

Test(group, ephemeral)
{
	static const struct {
		struct group_row row;
		const char *label;
	} cases[] = {
		{CLIENT(32767, 1), "32767"},     {CLIENT(32768, 1), "ephemeral"},
		{CLIENT(60999, 1), "ephemeral"}, {CLIENT(61000, 1), "61000"},
		{SERVER(32767, 1), "32767"},     {SERVER(32768, 1), "ephemeral"},
		{SERVER(60999, 1), "ephemeral"}, {SERVER(61000, 1), "61000"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct group_lane g;

		groups_init(&g, 10);
		groups_poll(&g, &cases[i].row, 1);
		cr_assert_eq(groups_sockets(&g, cases[i].row.side, cases[i].label), 1, "case %zu",
			     i);
		cr_assert_eq(groups_shown(&g), 1, "case %zu", i);
		groups_done(&g);
	}
}

/* A server's port has a label when a listener on it has lived ten minutes; a client's never. */
Test(group, label_of_a_settled_server)
{
	struct group_lane g;

	groups_init(&g, 10);
	LANE_POLL(&g.lane, {"*:40000", 1, 0, 7, 0});
	GROUPS_POLL(&g, SERVER(40000, 1), CLIENT(40000, 1));
	cr_assert_eq(SERVERS("ephemeral"), 1);
	g.lane.now_ns += LISTENER_SETTLED_NS;
	LANE_POLL(&g.lane, {"*:40000", 1, 0, 7, 0});
	GROUPS_POLL(&g, SERVER(40000, 1), CLIENT(40000, 1), SERVER(40001, 1));
	cr_assert_eq(SERVERS("40000"), 1);
	cr_assert_eq(SERVERS("ephemeral"), 1);
	cr_assert_eq(CLIENTS("ephemeral"), 1);
	cr_assert_eq(CLIENTS("40000"), GROUPS_NONE);
	LANE_POLL_NONE(&g.lane);
	GROUPS_POLL(&g, SERVER(40000, 1));
	cr_assert_eq(SERVERS("40000"), 1, "a label once given stays");
	groups_done(&g);
}

Test(group, configured)
{
	struct group_lane g;

	groups_init(&g, 1);
	set_ports(&g, GROUP_SERVER, some_ports, ARRAY_SIZE(some_ports));
	set_ports(&g, GROUP_CLIENT, some_ports, ARRAY_SIZE(some_ports));
	GROUPS_POLL(&g, SERVER(80, 1), SERVER(40000, 2), CLIENT(40000, 3), SERVER(81, 4));
	cr_assert_eq(SERVERS("5432"), 0, "always there");
	cr_assert_eq(SERVERS("40000"), 2, "also inside the range");
	cr_assert_eq(CLIENTS("40000"), 3);
	cr_assert_eq(SERVERS("80"), 1, "they take nobody's place");
	cr_assert_eq(SERVERS("other"), 4);
	g.lane.now_ns += 2 * GROUPS_IDLE_NS;
	GROUPS_POLL_NONE(&g);
	cr_assert_eq(SERVERS("40000"), 0, "they never leave");
	cr_assert_eq(SERVERS("80"), GROUPS_NONE);
	cr_assert_eq(groups_shown(&g), 4);
	groups_done(&g);
}

Test(group, configured_by_a_reload)
{
	struct group_lane g;

	groups_init(&g, 1);
	GROUPS_POLL(&g, SERVER(5432, 7));
	set_ports(&g, GROUP_SERVER, some_ports, ARRAY_SIZE(some_ports));
	GROUPS_POLL(&g, SERVER(5432, 7), SERVER(80, 1));
	cr_assert_eq(groups_observations(&g, GROUP_SERVER, "5432"), 14, "it goes on");
	cr_assert_eq(SERVERS("80"), 1, "and its place is free");

	set_ports(&g, GROUP_SERVER, some_ports + 1, 1);
	GROUPS_POLL(&g, SERVER(5432, 7), SERVER(80, 1), SERVER(81, 1));
	cr_assert_eq(SERVERS("5432"), 7, "a label once given stays");
	cr_assert_eq(SERVERS("81"), GROUPS_NONE);
	g.lane.now_ns += GROUPS_IDLE_NS;
	GROUPS_POLL_NONE(&g);
	cr_assert_eq(SERVERS("5432"), GROUPS_NONE);
	cr_assert_eq(SERVERS("40000"), 0);
	groups_done(&g);
}

/* Whatever had the labels before: groups move when others leave. */
Test(group, configured_after_it_has_left)
{
	struct group_lane g;

	groups_init(&g, 10);
	GROUPS_POLL(&g, SERVER(5432, 1), SERVER(80, 1), CLIENT(40000, 1));
	g.lane.now_ns += GROUPS_IDLE_NS;
	GROUPS_POLL(&g, SERVER(80, 1));
	cr_assert_eq(SERVERS("5432"), GROUPS_NONE);
	set_ports(&g, GROUP_SERVER, some_ports, ARRAY_SIZE(some_ports));
	GROUPS_POLL(&g, SERVER(80, 1), SERVER(40000, 3));
	cr_assert_eq(SERVERS("5432"), 0);
	cr_assert_eq(SERVERS("40000"), 3);
	cr_assert_eq(SERVERS("80"), 1);
	cr_assert_eq(groups_shown(&g), 3);
	groups_done(&g);
}

/* What prepare has made is gone when it is not applied. */
Test(group, prepared_and_discarded)
{
	struct group_lane g;

	groups_init(&g, 10);
	GROUPS_POLL(&g, SERVER(80, 1));
	g.settings.configured[GROUP_SERVER] = some_ports;
	g.settings.configured_count[GROUP_SERVER] = ARRAY_SIZE(some_ports);
	cr_assert_eq(group_table_prepare(&g.groups, &g.settings), 0);
	group_table_discard(&g.groups);
	cr_assert_eq(groups_shown(&g), 1);
	group_table_commit(&g.groups, g.lane.now_ns);
	cr_assert_eq(groups_shown(&g), 1, "also when a poll was under way");
	GROUPS_POLL(&g, SERVER(80, 1));
	cr_assert_eq(groups_shown(&g), 1);
	cr_assert_eq(g.groups.count, GROUP_SHARED + 1);
	groups_done(&g);
}

/* A port may be in the list twice; one that no poll has seen yet may leave it again. */
Test(group, configured_twice_and_never_used)
{
	static const uint16_t twice[] = {80, 80};
	struct group_lane g;

	groups_init(&g, 0);
	set_ports(&g, GROUP_SERVER, twice, ARRAY_SIZE(twice));
	cr_assert_eq(g.groups.count, GROUP_SHARED + 1);
	set_ports(&g, GROUP_SERVER, NULL, 0);
	GROUPS_POLL_NONE(&g);
	cr_assert_eq(g.groups.count, GROUP_SHARED);
	groups_done(&g);
}

Test(group, limit_of_each_side)
{
	struct group_lane g;

	groups_init(&g, 2);
	GROUPS_POLL(&g, SERVER(1, 1), SERVER(2, 1), SERVER(3, 4), SERVER(3, 4), SERVER(4, 1),
		    CLIENT(5, 1), CLIENT(6, 1), CLIENT(7, 8));
	cr_assert_eq(SERVERS("1"), 1);
	cr_assert_eq(SERVERS("2"), 1);
	cr_assert_eq(SERVERS("other"), 9);
	cr_assert_eq(CLIENTS("5"), 1);
	cr_assert_eq(CLIENTS("6"), 1);
	cr_assert_eq(CLIENTS("other"), 8);
	cr_assert_eq(groups_shown(&g), 6);
	cr_assert_eq(g.groups.folds.by_ports, 3, "ports, not sockets");
	cr_assert_eq(g.groups.folds.by_series, 0);
	GROUPS_POLL(&g, SERVER(3, 4));
	cr_assert_eq(SERVERS("other"), 4, "a label is not taken from who is quiet");
	cr_assert_eq(SERVERS("1"), 0);
	cr_assert_eq(g.groups.folds.by_ports, 1);
	groups_done(&g);
}

Test(group, limit_of_a_reload)
{
	struct group_lane g;

	groups_init(&g, 2);
	GROUPS_POLL(&g, SERVER(1, 1), SERVER(2, 1));
	g.settings.ports = 1;
	groups_configure(&g);
	GROUPS_POLL(&g, SERVER(1, 1), SERVER(2, 1), SERVER(3, 1));
	cr_assert_eq(SERVERS("2"), 1, "a label once given stays");
	cr_assert_eq(SERVERS("other"), 1);
	g.settings.ports = 3;
	groups_configure(&g);
	GROUPS_POLL(&g, SERVER(1, 1), SERVER(2, 1), SERVER(3, 1));
	cr_assert_eq(SERVERS("3"), 1);
	cr_assert_eq(SERVERS("other"), 0);
	groups_done(&g);
}

/* After limits.idle a group leaves, and its place goes to another. Back again, it starts at 0. */
Test(group, idle)
{
	static const struct {
		struct group_row row;
		const char *label;
	} cases[] = {
		{SERVER(80, 2), "80"},           {CLIENT(443, 2), "443"},
		{SERVER(40000, 2), "ephemeral"}, {CLIENT(40000, 2), "ephemeral"},
		{SERVER(2, 2), "other"},         {CLIENT(2, 2), "other"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *label = cases[i].label;
		enum group_side side = cases[i].row.side;
		struct group_lane g;

		groups_init(&g, 1);
		/* "other" is where the second port goes. */
		if (cases[i].row.port == 2)
			GROUPS_POLL(&g, {side, 1, 1});
		groups_poll(&g, &cases[i].row, 1);
		g.lane.now_ns += GROUPS_IDLE_NS - GROUPS_INTERVAL_NS;
		GROUPS_POLL_NONE(&g);
		cr_assert_eq(groups_sockets(&g, side, label), 0, "case %zu: not yet", i);
		cr_assert_eq(groups_observations(&g, side, label), 2, "case %zu", i);
		GROUPS_POLL_NONE(&g);
		cr_assert_null(groups_find(&g, side, label), "case %zu: gone", i);
		cr_assert_eq(g.groups.count, GROUP_SHARED, "case %zu", i);

		if (cases[i].row.port == 2)
			GROUPS_POLL(&g, {side, 1, 1});
		groups_poll(&g, &cases[i].row, 1);
		cr_assert_eq(groups_observations(&g, side, label), 2, "case %zu: anew", i);
		groups_done(&g);
	}
}

Test(group, place_of_the_idle)
{
	struct group_lane g;

	groups_init(&g, 1);
	GROUPS_POLL(&g, SERVER(1, 1), SERVER(2, 1));
	g.lane.now_ns += GROUPS_IDLE_NS;
	GROUPS_POLL(&g, SERVER(2, 1));
	GROUPS_POLL(&g, SERVER(2, 1));
	cr_assert_eq(SERVERS("1"), GROUPS_NONE);
	cr_assert_eq(SERVERS("2"), 1);
	cr_assert_eq(SERVERS("other"), 0);
	groups_done(&g);
}

Test(group, find)
{
	struct group_lane g;

	groups_init(&g, 1);
	GROUPS_POLL(&g, CLIENT(443, 1));
	GROUPS_FAIL(&g, CLIENT(40000, 1));
	cr_assert_null(group_table_find(&g.groups, GROUP_CLIENT, 40001));
	cr_assert_null(group_table_find(&g.groups, GROUP_SERVER, 40000));
	cr_assert_eq(group_table_find(&g.groups, GROUP_CLIENT, 40000)->kind, GROUP_EPHEMERAL);
	cr_assert_eq(group_table_find(&g.groups, GROUP_CLIENT, 443)->port, 443, "it has a label");
	groups_done(&g);
}

/* A group was born when the poll began that it came with; one that left is born again. */
Test(group, birth)
{
	struct group_lane g;
	uint64_t born_ms;

	groups_init(&g, 10);
	GROUPS_POLL(&g, SERVER(80, 1));
	born_ms = lane_realtime_ms(&g.lane);
	cr_assert_eq(groups_find(&g, GROUP_SERVER, "80")->born_ms, born_ms);
	GROUPS_POLL(&g, SERVER(80, 1), CLIENT(443, 1));
	cr_assert_eq(groups_find(&g, GROUP_SERVER, "80")->born_ms, born_ms);
	cr_assert_eq(groups_find(&g, GROUP_CLIENT, "443")->born_ms, lane_realtime_ms(&g.lane));
	cr_assert_eq(g.groups.items[0]->born_ms, born_ms, "a shared one, at the first poll");
	g.lane.now_ns += GROUPS_IDLE_NS;
	GROUPS_POLL_NONE(&g);
	cr_assert_null(groups_find(&g, GROUP_SERVER, "80"));
	GROUPS_POLL(&g, SERVER(80, 1));
	cr_assert_eq(groups_find(&g, GROUP_SERVER, "80")->born_ms, lane_realtime_ms(&g.lane));
	groups_done(&g);
}

/* So is a shared one, which is hidden and never leaves. */
Test(group, birth_of_a_shared_one)
{
	struct group_lane g;

	groups_init(&g, 0);
	GROUPS_POLL(&g, SERVER(80, 1));
	g.lane.now_ns += GROUPS_IDLE_NS;
	GROUPS_POLL_NONE(&g);
	cr_assert_null(groups_find(&g, GROUP_SERVER, "other"));
	GROUPS_POLL(&g, SERVER(80, 1));
	cr_assert_eq(groups_find(&g, GROUP_SERVER, "other")->born_ms, lane_realtime_ms(&g.lane));
	groups_done(&g);
}
