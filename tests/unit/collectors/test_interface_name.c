/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/interface_name.h"

#include <stdio.h>

#include "tests/support/test_support.h"

TEST_SUITE(interface_name);

Test(interface_name, of_a_device_that_is_there)
{
	char name[IF_NAMESIZE];
	uint32_t lo = if_nametoindex("lo");

	if (lo == 0) {
		printf("SKIPPED: no device lo here\n");
		return;
	}
	interface_name_find(lo, name);
	cr_assert_str_eq(name, "lo");
}

Test(interface_name, of_a_device_that_is_gone)
{
	static const struct {
		uint32_t interface;
		const char *name;
	} cases[] = {
		{987654321, "if987654321"},
		{UINT32_MAX, "if4294967295"},
	};
	char name[IF_NAMESIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		interface_name_find(cases[i].interface, name);
		cr_assert_str_eq(name, cases[i].name);
	}
}
