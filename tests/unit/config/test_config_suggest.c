/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_suggest.h"

#include <stdio.h>
#include <string.h>

#include "config/config_schema.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(config_suggest);

Test(config_suggest, nearest)
{
	static const struct {
		const char *path, *expected; /* empty: nothing is near */
	} cases[] = {
		{"poll.socket", "poll.sockets"},
		{"poll.sokcets", "poll.sockets"},
		{"poll.socketsmax", "poll.sockets_max"},
		{"poll.Sockets", "poll.sockets"},
		{"pol.sockets", "poll.sockets"},
		{"sockets", "poll.sockets"},
		{"web.cpu_limit", "poll.cpu_limit"},
		{"web.listen_address", "web.listen_addresses"},
		{"listen_addresses", "web.listen_addresses"},
		{"poll.peak_window", "peak_window"},
		{"peakwindow", "peak_window"},
		{"pol", "poll"},
		{"metric", "metrics"},
		{"histogram", "histograms"},
		{"histograms.rtt_second", "histograms.rtt_seconds"},
		{"limits.idel", ""},
		{"limits.idl", "limits.idle"},
		{"x", ""},
		{"", ""},
		{"we", ""},
		{"poll.", ""},
		{"poll.interval", ""},
		{"something_else", ""},
		{"poll.sockets_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char found[64] = "";
		const char *path;
		size_t n = 0;

		path = config_suggest(&config_schema, cases[i].path, &n);
		if (path)
			snprintf(found, sizeof(found), "%.*s", (int)n, path);
		cr_assert_str_eq(found, cases[i].expected, "%s: %s", cases[i].path, found);
	}
}

/* Every known key is its own nearest one, also those of the later rows. */
Test(config_suggest, known)
{
	for (size_t i = 0; i < config_keys_count; i++) {
		size_t n = 0;

		cr_assert_eq(config_suggest(&config_schema, config_keys[i].path, &n),
			     config_keys[i].path);
		cr_assert_eq(n, strlen(config_keys[i].path));
	}
}
