/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/sockstat.h"

#include <errno.h>
#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(sockstat);

static const char text[] = "sockets: used 151\n"
			   "TCP: inuse 5 orphan 1 tw 7 alloc 9 mem 2\n"
			   "UDP: inuse 3 mem 18446744073709551615\n"
			   "FRAG: inuse x memory\n"
			   "RAW: inuse 12";

Test(sockstat, parse)
{
	static const struct {
		const char *line, *key;
		int result;
		uint64_t value;
	} cases[] = {
		{"sockets:", "used", 0, 151},    {"TCP:", "inuse", 0, 5},
		{"TCP:", "mem", 0, 2},           {"UDP:", "mem", 0, UINT64_MAX},
		{"TCP:", "memory", -ENOENT, 0},  {"TCP:", "5", -ENOENT, 0}, /* a value is no key */
		{"TCP", "inuse", -ENOENT, 0},    {"TCP6:", "inuse", -ENOENT, 0},
		{"FRAG:", "inuse", -EBADMSG, 0}, {"FRAG:", "memory", -EBADMSG, 0},
		{"RAW:", "inuse", -ENOENT, 0}, /* the line may be cut */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t value = 0;

		cr_assert_eq(
			sockstat_parse(text, strlen(text), cases[i].line, cases[i].key, &value),
			cases[i].result, "%s %s", cases[i].line, cases[i].key);
		cr_assert_eq(value, cases[i].value, "%s %s", cases[i].line, cases[i].key);
	}
}

/* Whatever its length, a text is read within its bounds. */
Test(sockstat, cut_anywhere)
{
	uint64_t value;

	for (size_t n = 0; n < sizeof(text); n++)
		if (sockstat_parse(text, n, "TCP:", "alloc", &value) == 0)
			cr_assert_eq(value, 9, "%zu", n);
}
