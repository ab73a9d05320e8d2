/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/collector.h"

#include <ctype.h>
#include <string.h>

#include "tests/support/test_support.h"

TEST_SUITE(collector);

Test(collector, every_reason_has_a_name_of_its_own)
{
	for (enum poll_failure i = POLL_FAILURE_NONE; i < POLL_FAILURE_END; i++) {
		const char *name = poll_failure_name(i);

		cr_assert(name && *name, "%u", i);
		for (const char *c = name; *c; c++)
			cr_assert(islower((unsigned char)*c) || *c == '_', "%s", name);
		for (enum poll_failure j = POLL_FAILURE_NONE; j < i; j++)
			cr_assert_str_neq(name, poll_failure_name(j));
	}
}

Test(collector, names_are_the_label_s_values)
{
	cr_assert_str_eq(poll_failure_name(POLL_FAILURE_SOCKET), "socket");
	cr_assert_str_eq(poll_failure_name(POLL_FAILURE_NO_HANDLER), "no_handler");
	cr_assert_str_eq(poll_failure_name(POLL_FAILURE_PROCFS), "procfs");
}
