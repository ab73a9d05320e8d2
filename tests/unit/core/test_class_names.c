/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/class_names.h"

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(class_names);

#define NAMES(...) ((const char *[]){__VA_ARGS__, NULL})

Test(class_names, copy)
{
	const struct class_names from = {.views = NAMES("web", "db"), .peers = NAMES("office")};
	const struct class_names less = {.views = NAMES("web"), .peers = NAMES("office")};
	struct class_names names, none;

	cr_assert_eq(class_names_copy(&names, &from), 0);
	cr_assert(class_names_equal(&names, &from));
	cr_assert_not(class_names_equal(&names, &less));
	cr_assert_str_eq(class_view_name(&names, 0), "other");
	cr_assert_str_eq(class_view_name(&names, 2), "db");
	cr_assert_str_eq(class_peer_name(&names, 0), "other");
	cr_assert_str_eq(class_peer_name(&names, 1), "office");
	class_names_done(&names);

	cr_assert_eq(class_names_copy(&none, &names), 0);
	cr_assert_null(none.views, "what has no name has no label");
	cr_assert_null(none.peers);
	cr_assert(class_names_equal(&none, &names));
	class_names_done(&none);
}

Test(class_names, map)
{
	const struct class_names from = {.views = NAMES("web", "db"),
					 .peers = NAMES("office", "vpn")};
	const struct class_names to = {.views = NAMES("new", "db"), .peers = NAMES("vpn")};
	static const struct {
		struct sock_class from, to;
	} cases[] = {
		{{0, 0}, {0, 0}},
		{{2, 0}, {2, 0}},
		{{2, 2}, {2, 1}},
		{{0, 2}, {0, 1}},
		{{1, 0}, {UINT16_MAX, 0}},
		{{2, 1}, {UINT16_MAX, 0}},
		{{UINT16_MAX, 0}, {UINT16_MAX, 0}},
	};
	struct class_map map;

	class_map_init(&map, &from, &to);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sock_class found = class_map_find(&map, cases[i].from);

		cr_assert_eq(found.view, cases[i].to.view, "case %zu", i);
		cr_assert_eq(found.peer, cases[i].to.peer, "case %zu", i);
	}
}
