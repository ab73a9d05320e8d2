/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/group_item.h"

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(group_item);

Test(group_item, new)
{
	struct group *g = group_new(GROUP_CLIENT, GROUP_PORT, 443, 3);

	cr_assert_not_null(g);
	cr_assert_eq(g->side, GROUP_CLIENT);
	cr_assert_eq(g->kind, GROUP_PORT);
	cr_assert_eq(g->port, 443);
	for (unsigned int i = 0; i < 3; i++)
		cr_assert(g->poll[i] == 0 && g->cells[i] == 0, "a counter starts at 0");
	group_free(g);
	group_free(NULL);
}

/* What is folded first comes last. */
Test(group_item, rank)
{
	struct group owner = {0};
	const struct {
		struct group group;
		enum group_rank rank;
	} cases[] = {
		{{.side = GROUP_SERVER}, GROUP_RANK_SERVER},
		{{.side = GROUP_CLIENT}, GROUP_RANK_CLIENT},
		{{.side = GROUP_SERVER, .owner = &owner, .class = {1, 0}}, GROUP_RANK_VIEW},
		{{.side = GROUP_CLIENT, .owner = &owner, .class = {1, 0}}, GROUP_RANK_VIEW},
		{{.side = GROUP_SERVER, .owner = &owner, .class = {1, 1}}, GROUP_RANK_PEER},
		{{.side = GROUP_CLIENT, .owner = &owner, .class = {0, 1}}, GROUP_RANK_PEER},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++)
		cr_assert_eq(group_rank(&cases[i].group), cases[i].rank, "case %u", i);
}

Test(group_item, labels)
{
	static const struct {
		struct group group;
		const char *label;
	} cases[] = {
		{{.kind = GROUP_PORT, .port = 0}, "0"},
		{{.kind = GROUP_PORT, .port = 65535}, "65535"},
		{{.kind = GROUP_EPHEMERAL, .port = 40000}, "ephemeral"},
		{{.kind = GROUP_OTHER, .port = 443}, "other"},
	};
	char label[16];

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		group_port_label(&cases[i].group, label);
		cr_assert_str_eq(label, cases[i].label);
	}
	cr_assert_str_eq(group_side_name(GROUP_SERVER), "server");
	cr_assert_str_eq(group_side_name(GROUP_CLIENT), "client");
}
