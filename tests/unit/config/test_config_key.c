/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_schema.h"

#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(config_key);

Test(config_key, find)
{
	static const char *const none[] = {
		"", "poll", "poll.", "poll.socket", "poll.socketss", "Poll.sockets"};
	int key = config_key_find("poll.sockets");

	cr_assert_geq(key, 0);
	cr_assert_str_eq(config_keys[key].path, "poll.sockets");
	for (unsigned int i = 0; i < ARRAY_SIZE(none); i++)
		cr_assert_eq(config_key_find(none[i]), -1, "%s", none[i]);
}

Test(config_key, section)
{
	static const char *const none[] = {"", "pol", "polls", "poll.", "peak_window"};
	int first = config_section_find("poll");

	cr_assert_geq(first, 0);
	cr_assert_eq(strncmp(config_keys[first].path, "poll.", 5), 0);
	cr_assert(first == 0 || strncmp(config_keys[first - 1].path, "poll.", 5) != 0,
		  "not the first of its section");
	for (unsigned int i = 0; i < ARRAY_SIZE(none); i++)
		cr_assert_eq(config_section_find(none[i]), -1, "%s", none[i]);
	cr_assert_eq(config_key_section_len(&(struct config_key){.path = "poll.sockets"}), 4);
	cr_assert_eq(config_key_section_len(&(struct config_key){.path = "peak_window"}), 0);
}

Test(config_key, list)
{
	static const struct {
		enum config_type type;
		bool is_list;
	} cases[] = {
		{CONFIG_TYPE_U64, false},    {CONFIG_TYPE_DURATION, false},
		{CONFIG_TYPE_DOUBLE, false}, {CONFIG_TYPE_CHOICE, false},
		{CONFIG_TYPE_STRING, false}, {CONFIG_TYPE_FILTER, false},
		{CONFIG_TYPE_STRINGS, true}, {CONFIG_TYPE_PORTS, true},
		{CONFIG_TYPE_BUCKETS, true}, {CONFIG_TYPE_MAPS, true},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct config_key key = {.path = "key", .type = cases[i].type};

		cr_assert_eq(config_key_is_list(&key), cases[i].is_list, "type %u", cases[i].type);
		cr_assert_eq(config_key_most(&key), CONFIG_LIST_MAX);
	}
	cr_assert_eq(config_key_most(&(struct config_key){.path = "key", .most = 7}), 7);
}
