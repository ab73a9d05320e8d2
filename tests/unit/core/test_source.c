/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/source.h"

#include "tests/support/test_support.h"

TEST_SUITE(source);

#define S UINT64_C(1000000000)

Test(source, only_one)
{
	struct source s = {0};
	bool is_new;

	source_configure(&s, SOURCE_PROCFS_ONLY);
	cr_assert_eq(source_choose(&s, S), POLL_SOURCE_PROCFS);
	source_configure(&s, SOURCE_NETLINK_ONLY);
	cr_assert_eq(source_choose(&s, S), POLL_SOURCE_NETLINK);
	cr_assert_not(source_refused(&s, S, &is_new));
	cr_assert_eq(source_choose(&s, S + 1), POLL_SOURCE_NETLINK, "there is no other");
}

Test(source, falls_back_and_goes_back)
{
	struct source s = {0};
	bool is_new;

	source_configure(&s, SOURCE_AUTO);
	cr_assert_eq(source_choose(&s, S), POLL_SOURCE_NETLINK);
	cr_assert_not(source_served(&s), "it served from the beginning");
	cr_assert(source_refused(&s, S, &is_new));
	cr_assert(is_new);
	cr_assert_eq(source_choose(&s, S), POLL_SOURCE_PROCFS, "the same poll");
	cr_assert_eq(source_choose(&s, S + SOURCE_RETRY_NS - 1), POLL_SOURCE_PROCFS);
	cr_assert_eq(source_choose(&s, S + SOURCE_RETRY_NS), POLL_SOURCE_NETLINK);
	cr_assert_eq(source_choose(&s, S + SOURCE_RETRY_NS), POLL_SOURCE_PROCFS,
		     "one lane tries for both");
	cr_assert(source_refused(&s, S + SOURCE_RETRY_NS, &is_new));
	cr_assert_not(is_new, "said already");
	cr_assert_eq(source_choose(&s, S + 2 * SOURCE_RETRY_NS), POLL_SOURCE_NETLINK);
	cr_assert(source_served(&s));
	cr_assert_eq(source_choose(&s, S + 2 * SOURCE_RETRY_NS), POLL_SOURCE_NETLINK);
}

Test(source, a_reload_tries_at_once)
{
	struct source s = {0};
	bool is_new;

	source_refused(&s, S, &is_new);
	source_configure(&s, SOURCE_AUTO);
	cr_assert_eq(source_choose(&s, S + 1), POLL_SOURCE_NETLINK);
	cr_assert(source_refused(&s, S + 1, &is_new));
	cr_assert_not(is_new);
}

/* Where /proc has no such table, netlink is asked now and then, whatever was configured. */
Test(source, without_procfs)
{
	static const enum source_mode modes[] = {SOURCE_AUTO, SOURCE_NETLINK_ONLY};
	struct source s = {.lacks_procfs = true};
	bool is_new;

	for (unsigned int i = 0; i < 2; i++) {
		source_configure(&s, modes[i]);
		cr_assert_eq(source_choose(&s, S), POLL_SOURCE_NETLINK);
		cr_assert_not(source_refused(&s, S, &is_new));
		cr_assert_eq(source_choose(&s, S + 1), POLL_SOURCE_END);
		cr_assert_eq(source_choose(&s, S + SOURCE_RETRY_NS), POLL_SOURCE_NETLINK);
		cr_assert(source_served(&s));
		cr_assert_eq(source_choose(&s, S + SOURCE_RETRY_NS + 1), POLL_SOURCE_NETLINK);
	}
	source_configure(&s, SOURCE_PROCFS_ONLY);
	cr_assert_eq(source_choose(&s, S), POLL_SOURCE_END);
}
