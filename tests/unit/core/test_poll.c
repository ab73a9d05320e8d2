/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/poll.h"

#include <stdint.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(poll);

typedef const char *(*name_fn)(unsigned int value);

/* The names are labels' values, so they are a promise. */
static const char *const lanes[] = {"listeners", "sockets"};
static const char *const failures[] = {
	"none",     "denied",  "socket",      "send",    "receive",   "no_handler",
	"refused",  "busy",    "interrupted", "overrun", "truncated", "malformed",
	"sequence", "timeout", "memory",      "table",   "procfs",
};
static const char *const ignored[] = {"family", "state", "sender", "excess", "malformed"};
static const char *const families[] = {"tcp", "udp", "mptcp", "unix", "raw", "packet", "netlink"};
static const char *const sources[] = {"netlink", "procfs"};

static const struct {
	const char *name;
	name_fn function;
	const char *const *names;
	unsigned int count, end;
} cases[] = {
	{"lane", lane_name, lanes, ARRAY_SIZE(lanes), LANE_END},
	{"family", poll_family_name, families, ARRAY_SIZE(families), POLL_FAMILY_END},
	{"source", poll_source_name, sources, ARRAY_SIZE(sources), POLL_SOURCE_END},
	{"failure", poll_failure_name, failures, ARRAY_SIZE(failures), POLL_FAILURE_END},
	{"ignored", poll_ignored_name, ignored, ARRAY_SIZE(ignored), POLL_IGNORED_END},
};

Test(poll, names)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cr_assert_eq(cases[i].count, cases[i].end, "%s", cases[i].name);
		for (unsigned int j = 0; j < cases[i].count; j++)
			cr_assert_str_eq(cases[i].function(j), cases[i].names[j], "%s %u",
					 cases[i].name, j);
	}
}

Test(poll, no_names_beyond_the_last)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cr_assert_null(cases[i].function(cases[i].end), "%s", cases[i].name);
		cr_assert_null(cases[i].function(UINT32_MAX), "%s", cases[i].name);
	}
}
