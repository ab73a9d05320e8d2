/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/collectors.h"

#include <errno.h>
#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(collectors);

Test(collectors, names)
{
	static const char *const wrong[] = {"", "TCP", "tcp ", "mptcp", "units"};
	enum collector_name found;

	for (unsigned int i = 0; i < COLLECTOR_NAME_END; i++) {
		cr_assert_eq(collector_parse(collector_name(i), &found), 0, "%u", i);
		cr_assert_eq(found, i);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		cr_assert_eq(collector_parse(wrong[i], &found), -EINVAL, "%s", wrong[i]);
}

/* By the beginnings of their names, which say the same. */
Test(collectors, families)
{
	static const struct {
		const char *beginning;
		enum collector_name expected;
	} cases[] = {
		{"sockstat_listener_", COLLECTOR_LISTENERS},
		{"sockstat_tcp_overview_", COLLECTOR_SUMMARY},
		{"sockstat_tcp_", COLLECTOR_TCP},
		{"sockstat_udp_", COLLECTOR_UDP},
		{"sockstat_unix_", COLLECTOR_UNIX},
		{"sockstat_mptcp_", COLLECTOR_OTHER},
		{"sockstat_raw_", COLLECTOR_OTHER},
		{"sockstat_packet_", COLLECTOR_OTHER},
		{"sockstat_netlink_", COLLECTOR_OTHER},
		{"sockstat_netstat_", COLLECTOR_NETSTAT},
		{"sockstat_limit_", COLLECTOR_LIMITS},
		{"sockstat_sockets_used", COLLECTOR_SUMMARY},
		{"sockstat_protocol_", COLLECTOR_SUMMARY},
		{"sockstatd_", COLLECTOR_SELF},
		{"process_", COLLECTOR_SELF},
	};

	for (unsigned int i = 0; i < metric_count; i++) {
		size_t j = 0;

		while (j < ARRAY_SIZE(cases) && strncmp(metrics[i].name, cases[j].beginning,
							strlen(cases[j].beginning)) != 0)
			j++;
		cr_assert_lt(j, ARRAY_SIZE(cases), "%s", metrics[i].name);
		cr_assert_eq(collector_of(&metrics[i]), cases[j].expected, "%s", metrics[i].name);
	}
}
