/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_bind.h"

#include <string.h>

#include "daemon/util/macros.h"
#include "daemon/util/units.h"
#include "tests/support/test_support.h"
#include "tests/unit/config/config_expect.h"

TEST_SUITE(config_bind);

Test(config_bind, every_section)
{
	static const char text[] = "web:\n"
				   "  listen_addresses:\n"
				   "    - 127.0.0.1:1\n"
				   "    - \"[::1]:2\"\n"
				   "  telemetry_path: '/t'\n"
				   "poll: {listeners: 1ms, sockets: 1s, cpu_limit: 1}\n"
				   "peak_window: \"1m\"\n"
				   "metrics:\n"
				   "  profile: extended\n"
				   "  include: [a_*]\n"
				   "  exclude: [b, c]\n"
				   "ports: {server: [443], client: [5432, 6379]}\n"
				   "counters: exact\n"
				   "limits: {idle: 1d, series: 1000, tracked_sockets: 10000000}\n"
				   "histograms: {closed_bytes: [0, 1e9], fill_ratio: [0.5, 1]}\n";
	struct config *c = expect_config("every section", text);

	cr_assert_eq(c->web.listen_addresses.count, 2);
	cr_assert_str_eq(c->web.listen_addresses.items[1], "[::1]:2");
	cr_assert_str_eq(c->web.telemetry_path, "/t");
	cr_assert_eq(c->web.max_connections, 64);
	cr_assert_eq(c->poll.listeners_ns, NSEC_PER_MSEC);
	cr_assert_eq(c->poll.sockets_ns, NSEC_PER_SEC);
	cr_assert_eq(c->poll.sockets_max_ns, 60 * NSEC_PER_SEC);
	cr_assert_eq(c->poll.cpu_limit, 1);
	cr_assert_eq(c->peak_window_ns, 60 * NSEC_PER_SEC);
	cr_assert_eq(c->metrics.profile, CONFIG_PROFILE_EXTENDED);
	cr_assert_eq(c->metrics.include.count, 1);
	cr_assert_str_eq(c->metrics.exclude.items[1], "c");
	cr_assert_eq(c->ports.server.items[0], 443);
	cr_assert_eq(c->ports.client.items[1], 6379);
	cr_assert_eq(c->counters, CONFIG_COUNTERS_EXACT);
	cr_assert_eq(c->limits.idle_ns, 86400 * NSEC_PER_SEC);
	cr_assert_eq(c->limits.series, 1000);
	cr_assert_eq(c->limits.tracked_sockets, 10000000);
	cr_assert_eq(c->histograms.closed_bytes.count, 2);
	cr_assert_eq(c->histograms.closed_bytes.bounds[1], 1e9);
	cr_assert_eq(c->histograms.fill_ratio.count, 2);
	cr_assert_eq(c->histograms.rtt_seconds.count, 14);
	config_free(c);
}

/* In YAML 1.1 "off" is a boolean; here it is a word, with quotes or without. */
Test(config_bind, counters)
{
	static const struct {
		const char *text;
		enum config_counters expected;
	} cases[] = {
		{"counters: off", CONFIG_COUNTERS_OFF},
		{"counters: \"off\"", CONFIG_COUNTERS_OFF},
		{"counters: 'off'", CONFIG_COUNTERS_OFF},
		{"{counters: off}", CONFIG_COUNTERS_OFF},
		{"counters: polled", CONFIG_COUNTERS_POLLED},
		{"counters: exact", CONFIG_COUNTERS_EXACT},
		{"counters: auto", CONFIG_COUNTERS_AUTO},
		{"limits: {series: 1000}", CONFIG_COUNTERS_AUTO},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct config *c = expect_config(cases[i].text, cases[i].text);

		cr_assert_eq(c->counters, (int)cases[i].expected, "%s: %d", cases[i].text,
			     c->counters);
		config_free(c);
	}
}

/* Its other names for what is off are no values, and neither is nothing. */
Test(config_bind, counters_refused)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"counters: false", "1:11: counters: must be one of: off, polled, exact, auto"},
		{"counters: no", "1:11: counters: must be one of: off, polled, exact, auto"},
		{"counters: OFF", "1:11: counters: must be one of: off, polled, exact, auto"},
		{"counters: !!bool off", "1:11: tags (!name) are not supported"},
		{"counters:", "1:10: counters: has no value"},
		{"counters: {tcp: off}", "1:11: counters: must be a single value, not a map"},
		{"counter: off", "1:1: counter: unknown key; did you mean counters?"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_errors(cases[i].text, cases[i].text, cases[i].expected);
}

Test(config_bind, defaults)
{
	static const char *const cases[] = {
		"",         "\n",  "# a comment", "---\n",
		"--- {}\n", "~\n", "{}",          "web:\npoll: ~\nports: {}\n",
	};
	struct config *defaults = config_new();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct config *c = expect_config(cases[i], cases[i]);

		cr_assert(is_same_config(defaults, c), "%s", cases[i]);
		config_free(c);
	}
	config_free(defaults);
}

Test(config_bind, unknown_keys)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"x: 1", "1:1: x: unknown key"},
		{"poll:\n  socket: 5s\n",
		 "2:3: poll.socket: unknown key; did you mean poll.sockets?"},
		{"pol: {sockets: 5s}", "1:1: pol: unknown key; did you mean poll?"},
		{"sockets: 5s", "1:1: sockets: unknown key; did you mean poll.sockets?"},
		{"poll.sockets: 5s",
		 "1:1: poll.sockets: unknown key; sections are nested, not joined by dots"},
		{"poll: {poll.sockets: 5s}",
		 "1:8: poll.poll.sockets: unknown key; sections are nested, not joined by dots"},
		{"\"\": 1", "1:1: unknown key"},
		{"poll: {\"\": 1}", "1:8: poll.: unknown key"},
		{"{x: [1, {y: z}], peak_window: 1}",
		 "1:2: x: unknown key\n1:31: peak_window: must be a duration from 1s to 1h"},
		{"poll: {poll: {sockets: 5s}}", "1:8: poll.poll: unknown key; did you mean poll?"},
		{"enable_api: true", "1:1: enable_api: unknown key"},
		{"enable_lifecycle: true",
		 "1:1: enable_lifecycle: unknown key; did you mean web.enable_lifecycle?"},
		{"namespaces: all\nviewz: []\nfamilies: {sctp: true}\nlimits: {units: 100}\n",
		 "1:1: namespaces: unknown key\n2:1: viewz: unknown key; did you mean "
		 "views?\n3:12: "
		 "families.sctp: unknown "
		 "key\n"
		 "4:10: limits.units: unknown key; did you mean units?"},
		{"units: all", "1:8: units: must be one of: off, listeners"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_errors(cases[i].text, cases[i].text, cases[i].expected);
}

Test(config_bind, keys_given_twice)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"peak_window: 2m\n\npeak_window: 2m\n",
		 "3:1: peak_window: is given twice, first in line 1"},
		{"poll: {sockets: 5s}\npoll: {sockets: 6s, listeners: 5s}\n",
		 "2:1: poll: is given twice, first in line 1\n"
		 "2:8: poll.sockets: is given twice, first in line 1\n"
		 "2:32: poll.listeners: must be a duration from 1ms to 1s"},
		{"poll:\npoll:\n", "2:1: poll: is given twice, first in line 1"},
		{"ports: {server: [1, 2], \"server\": [1]}",
		 "1:25: ports.server: is given twice, first in line 1"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_errors(cases[i].text, cases[i].text, cases[i].expected);
}

Test(config_bind, wrong_types)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"5", "1:1: must be a map of keys"},
		{"[web]", "1:1: must be a map of keys"},
		{"poll: 5s", "1:7: poll: must be a map of keys"},
		{"poll: [5s]", "1:7: poll: must be a map of keys"},
		{"poll: \"\"", "1:7: poll: must be a map of keys"},
		{"peak_window: [2m]", "1:14: peak_window: must be a single value, not a list"},
		{"peak_window: {a: 2m}", "1:14: peak_window: must be a single value, not a map"},
		{"peak_window:\n", "1:13: peak_window: has no value"},
		{"peak_window: null", "1:14: peak_window: has no value"},
		{"peak_window: ''", "1:14: peak_window: must be a duration from 1s to 1h"},
		{"web: {max_connections: many}",
		 "1:24: web.max_connections: must be a whole number from 1 to 4096"},
		{"ports: {server: 22}", "1:17: ports.server: must be a list"},
		{"ports: {server: {22: 23}}", "1:17: ports.server: must be a list"},
		{"ports: {server: }", "1:17: ports.server: has no value"},
		{"ports: {server: [[22]]}",
		 "1:18: ports.server: must be a single value, not a list"},
		{"ports: {server: [a: b, 22]}",
		 "1:18: ports.server: must be a single value, not a map"},
		{"ports: {server: [~]}", "1:18: ports.server: has no value"},
		{"? [a]\n: 1\npeak_window: 1",
		 "1:3: a key must be a name\n3:14: peak_window: must be a duration from 1s to 1h"},
		{"poll: {? {a: b} : 1}", "1:10: poll: a key must be a name"},
		{"poll: {~: 1}", "1:8: poll: a key must be a name"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_errors(cases[i].text, cases[i].text, cases[i].expected);
}

Test(config_bind, lists)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"web: {listen_addresses: []}",
		 "1:25: web.listen_addresses: must have at least one entry"},
		{"web: {listen_addresses: [\":1\", 127.0.0.1:2, \":1\"]}",
		 "1:45: web.listen_addresses: is given twice"},
		{"histograms: {rtt_seconds: []}",
		 "1:27: histograms.rtt_seconds: must have at least one entry"},
		{"histograms: {closed_bytes: []}",
		 "1:28: histograms.closed_bytes: must have at least one entry"},
		{"histograms: {rtt_seconds: [1, 2, 2]}",
		 "1:34: histograms.rtt_seconds: must be larger than the bound before it"},
		{"ports: {client: [1, x, 2, 1]}",
		 "1:21: ports.client: must be a port number from 1 to 65535\n"
		 "1:27: ports.client: is given twice"},
		{"histograms: {rtt_seconds: [*a]}", "1:28: aliases (*name) are not supported"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_errors(cases[i].text, cases[i].text, cases[i].expected);
}

/* Said once, not for each entry beyond; and what follows is still read. */
Test(config_bind, list_too_long)
{
	struct buf text = BUF_INIT;

	buf_add_str(&text, "histograms:\n  fill_ratio:\n");
	for (int i = 0; i < CONFIG_BUCKETS_MAX + 10; i++)
		buf_add_format(&text, "    - %d\n", i);
	buf_add_str(&text, "    - [1, 2]\npeak_window: x\n");
	expect_errors_n("too long", text.data, text.len,
			"67:7: histograms.fill_ratio: the list must not have more than 64 entries\n"
			"78:14: peak_window: must be a duration from 1s to 1h");
	buf_done(&text);
}

Test(config_bind, order_of_values)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"poll: {sockets: 10s, sockets_max: 5s}",
		 "1:35: poll.sockets_max: must not be below poll.sockets, which is 10s"},
		{"poll: {sockets_max: 5s, sockets: 10s}",
		 "1:21: poll.sockets_max: must not be below poll.sockets, which is 10s"},
		{"poll: {sockets_max: 1s}",
		 "1:21: poll.sockets_max: must not be below poll.sockets, which is 5s"},
		{"poll: {sockets: 2m}",
		 "1:17: poll.sockets: must not be above poll.sockets_max, which is 1m"},
		{"poll: {sockets: 2m}\npeak_window: 0\n",
		 "1:17: poll.sockets: must not be above poll.sockets_max, which is 1m\n"
		 "2:14: peak_window: must be a duration from 1s to 1h"},
		/* One that is wrong by itself is not compared. */
		{"poll: {sockets: 2m, sockets_max: 5}",
		 "1:34: poll.sockets_max: must be a duration from 100ms to 1h"},
		{"poll: {sockets: 2h, sockets_max: 1s}",
		 "1:17: poll.sockets: must be a duration from 100ms to 1h"},
		{"poll: {sockets: 2m, sockets_max: }", "1:34: poll.sockets_max: has no value"},
		{"poll: {sockets: 2m, sockets_max: *a}", "1:34: aliases (*name) are not supported"},
	};
	struct config *c;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_errors(cases[i].text, cases[i].text, cases[i].expected);
	c = expect_config("equal", "poll: {sockets: 1h, sockets_max: 60m}");
	config_free(c);
}

/* All are counted, and the first of the file are kept. */
Test(config_bind, more_errors_than_kept)
{
	struct config_errors errors;
	struct config *c = NULL;
	struct buf text = BUF_INIT;

	buf_add_str(&text, "poll: {sockets: 2m}\n");
	for (int i = 0; i < 3 * CONFIG_ERRORS_MAX; i++)
		buf_add_format(&text, "polll%d: x\n", i);
	cr_assert_lt(config_parse(text.data, text.len, &errors, &c), 0);
	cr_assert_eq(errors.count, CONFIG_ERRORS_MAX);
	cr_assert_eq(errors.total, 3 * CONFIG_ERRORS_MAX + 1);
	cr_assert_str_eq(errors.items[0].key, "poll.sockets");
	cr_assert_eq(errors.items[CONFIG_ERRORS_MAX - 1].line, CONFIG_ERRORS_MAX);
	buf_done(&text);
}

Test(config_bind, long_keys)
{
	char text[600];

	memset(text, 'k', sizeof(text));
	memcpy(text, "poll: {", 7);
	memcpy(text + sizeof(text) - 5, ": 1}", 5);
	expect_errors(
		"a key of 588 letters", text,
		"1:8: "
		"poll.kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
		"kkkkkkkkkkkkkk...: unknown key");
}
