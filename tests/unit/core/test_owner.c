/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/owner.h"

#include <stdio.h>

#include "tests/support/test_support.h"

TEST_SUITE(owner);

Test(owner, copies_its_labels)
{
	char unit[] = "web.service";
	const char *const labels[OWNER_LABELS] = {unit, "", "/system.slice/web.service", "33"};
	struct owner *o = owner_new(labels);

	cr_assert(o);
	unit[0] = 'W';
	cr_assert_str_eq(owner_label(o, OWNER_UNIT), "web.service");
	cr_assert_str_eq(owner_label(o, OWNER_CONTAINER_ID), "");
	cr_assert_str_eq(owner_label(o, OWNER_CGROUP), "/system.slice/web.service");
	cr_assert_str_eq(owner_label(o, OWNER_UID), "33");
	cr_assert_eq(owner_ref(o), o);
	owner_unref(o);
	cr_assert_str_eq(owner_label(o, OWNER_UID), "33");
	owner_unref(o);
}

Test(owner, nobody)
{
	cr_assert_null(owner_ref(NULL));
	owner_unref(NULL);
	for (unsigned int i = 0; i < OWNER_LABELS; i++)
		cr_assert_str_eq(owner_label(NULL, i), "");
}
