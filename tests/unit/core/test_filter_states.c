/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/filter_states.h"

#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(filter_states);

static uint32_t find(const char *name)
{
	const struct filter_token t = {FILTER_TOKEN_WORD, name, strlen(name)};

	return filter_states_find(&t);
}

/* Each of our labels is a name, with a hyphen or without. */
Test(filter_states, labels)
{
	for (unsigned int i = SOCK_ESTABLISHED; i < SOCK_STATE_END; i++)
		cr_assert_eq(find(sock_state_name(i)), SOCK_STATE_BIT(i), "%s", sock_state_name(i));
}

/* What a set has and has not; together two of them are all. */
Test(filter_states, sets)
{
	const uint32_t closed = SOCK_STATE_BIT(SOCK_CLOSE) | SOCK_STATE_BIT(SOCK_LISTEN);

	cr_assert_eq(find("all"), FILTER_STATES_ALL);
	cr_assert_eq(find("connected") | closed, FILTER_STATES_ALL);
	cr_assert_eq(find("connected") & closed, 0);
	cr_assert_eq(find("connected") & ~find("synchronized"), SOCK_STATE_BIT(SOCK_SYN_SENT));
	cr_assert_eq(find("big") | find("bucket"), FILTER_STATES_ALL);
	cr_assert_eq(find("big") & find("bucket"), 0);
	cr_assert_eq(find("BIG"), find("big"));
}

Test(filter_states, none)
{
	static const char *const names[] = {"",
					    "establishe",
					    "established ",
					    "a",
					    "syn",
					    "sets",
					    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		cr_assert_eq(find(names[i]), 0, "%s", names[i]);
}
