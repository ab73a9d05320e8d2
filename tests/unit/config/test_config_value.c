/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_value.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "daemon/util/macros.h"
#include "daemon/util/units.h"
#include "tests/support/test_support.h"

TEST_SUITE(config_value);

static const struct config_key *key_of(const char *path)
{
	int index = config_key_find(path);

	cr_assert_geq(index, 0, "%s", path);
	return &config_keys[index];
}

static const struct {
	const char *path, *text, *what;
} refused[] = {
	{"web.max_connections", "0", "must be a whole number from 1 to 4096"},
	{"web.max_connections", "4097", "must be a whole number from 1 to 4096"},
	{"web.max_connections", "-1", "must be a whole number from 1 to 4096"},
	{"web.max_connections", "6.4", "must be a whole number from 1 to 4096"},
	{"web.max_connections", "64k", "must be a whole number from 1 to 4096"},
	{"web.max_connections", "99999999999999999999", "must be a whole number from 1 to 4096"},
	{"poll.listeners", "0", "must be a duration from 1ms to 1s"},
	{"poll.listeners", "1s1ms", "must be a duration from 1ms to 1s"},
	{"poll.listeners", "100", "must be a duration from 1ms to 1s"},
	{"poll.listeners", "fast", "must be a duration from 1ms to 1s"},
	{"poll.sockets", "99ms", "must be a duration from 100ms to 1h"},
	{"poll.sockets", "1h1ms", "must be a duration from 100ms to 1h"},
	{"poll.sockets_max", "61m", "must be a duration from 100ms to 1h"},
	{"poll.cpu_limit", "0.0009", "must be a number from 0.001 to 1"},
	{"poll.cpu_limit", "1.1", "must be a number from 0.001 to 1"},
	{"poll.cpu_limit", "2%", "must be a number from 0.001 to 1"},
	{"poll.cpu_limit", "nan", "must be a number from 0.001 to 1"},
	{"peak_window", "999ms", "must be a duration from 1s to 1h"},
	{"peak_window", "2h", "must be a duration from 1s to 1h"},
	{"metrics.profile", "full", "must be one of: core, extended"},
	{"metrics.profile", "Core", "must be one of: core, extended"},
	{"ports.server", "0", "must be a port number from 1 to 65535"},
	{"ports.server", "65536", "must be a port number from 1 to 65535"},
	{"ports.client", "https", "must be a port number from 1 to 65535"},
	{"source", "proc", "must be one of: auto, netlink, procfs"},
	{"families.tcp", "yes", "must be one of: false, true"},
	{"families.unix", "True", "must be one of: false, true"},
	{"families.raw", "1", "must be one of: false, true"},
	{"counters", "on", "must be one of: off, polled, exact, auto"},
	{"counters", "Off", "must be one of: off, polled, exact, auto"},
	{"counters", "", "must be one of: off, polled, exact, auto"},
	{"limits.listeners", "10001", "must be a whole number from 1 to 10000"},
	{"limits.ports", "4097", "must be a whole number from 1 to 4096"},
	{"limits.series", "999", "must be a whole number from 1000 to 1000000"},
	{"limits.series", "1000001", "must be a whole number from 1000 to 1000000"},
	{"limits.tracked_sockets", "999", "must be a whole number from 1000 to 10000000"},
	{"limits.tracked_sockets", "10000001", "must be a whole number from 1000 to 10000000"},
	{"limits.tracked_sockets", "5e5", "must be a whole number from 1000 to 10000000"},
	{"limits.idle", "59s", "must be a duration from 1m to 30d"},
	{"limits.idle", "31d", "must be a duration from 1m to 30d"},
	{"histograms.rtt_seconds", "-1", "must be a number, at least 0"},
	{"histograms.rtt_seconds", "inf", "must be a number, at least 0"},
	{"histograms.rtt_seconds", "1e999", "must be a number, at least 0"},
	{"histograms.rtt_seconds", "1ms", "must be a number, at least 0"},
	{"histograms.closed_bytes", "-1", "must be a number, at least 0"},
	{"histograms.closed_bytes", "1MiB", "must be a number, at least 0"},
	{"web.telemetry_path", "metrics", "must begin with \"/\""},
	{"metrics.include", "tcp{}", "must be a metric's name: letters, digits, _ and * only"},
};

Test(config_value, refused)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct config c = {0}, untouched = {0};
		struct config_fault fault = {.what = ""};
		int r;

		r = config_value_add(key_of(refused[i].path), &c, refused[i].text, &fault);
		cr_assert_eq(r, -EINVAL, "%s: %s: %d", refused[i].path, refused[i].text, r);
		cr_assert_str_eq(fault.what, refused[i].what, "%s: %s: %s", refused[i].path,
				 refused[i].text, fault.what);
		cr_assert_eq(memcmp(&c, &untouched, sizeof(c)), 0, "%s: %s", refused[i].path,
			     refused[i].text);
	}
}

static void add(struct config *c, const char *path, const char *text, int expected)
{
	struct config_fault fault = {.what = ""};
	int r;

	r = config_value_add(key_of(path), c, text, &fault);
	cr_assert_eq(r, expected, "%s: %s: %d, %s", path, text, r, fault.what);
}

Test(config_value, accepted)
{
	struct config c = {0};

	add(&c, "web.max_connections", "7", 0);
	cr_assert_eq(c.web.max_connections, 7);
	add(&c, "poll.sockets", "1m30s", 0);
	cr_assert_eq(c.poll.sockets_ns, 90 * NSEC_PER_SEC);
	add(&c, "poll.cpu_limit", "5e-1", 0);
	cr_assert_eq(c.poll.cpu_limit, 0.5);
	add(&c, "metrics.profile", "extended", 0);
	cr_assert_eq(c.metrics.profile, CONFIG_PROFILE_EXTENDED);
	add(&c, "web.telemetry_path", "/a", 0);
	add(&c, "web.telemetry_path", "/b", 0);
	cr_assert_str_eq(c.web.telemetry_path, "/b");
	config_value_clear(key_of("web.telemetry_path"), &c);
	cr_assert_null(c.web.telemetry_path);
}

Test(config_value, ports)
{
	struct config c = {0};

	add(&c, "ports.server", "443", 0);
	add(&c, "ports.server", "22", 0);
	add(&c, "ports.server", "443", -EINVAL);
	add(&c, "ports.client", "443", 0);
	cr_assert_eq(c.ports.server.count, 2);
	cr_assert_eq(c.ports.server.items[0], 443);
	cr_assert_eq(c.ports.server.items[1], 22);
	config_value_clear(key_of("ports.server"), &c);
	config_value_clear(key_of("ports.server"), &c);
	cr_assert_eq(c.ports.server.count, 0);
	cr_assert_null(c.ports.server.items);
	config_value_clear(key_of("ports.client"), &c);
}

Test(config_value, buckets_rise)
{
	struct config c = {0};

	add(&c, "histograms.fill_ratio", "-0", 0);
	cr_assert(!signbit(c.histograms.fill_ratio.bounds[0]));
	add(&c, "histograms.fill_ratio", "0", -EINVAL);
	add(&c, "histograms.fill_ratio", "0.5", 0);
	add(&c, "histograms.fill_ratio", "0.5", -EINVAL);
	add(&c, "histograms.fill_ratio", "0.4", -EINVAL);
	add(&c, "histograms.fill_ratio", "2", 0);
	cr_assert_eq(c.histograms.fill_ratio.count, 3);
	config_value_clear(key_of("histograms.fill_ratio"), &c);
	cr_assert_eq(c.histograms.fill_ratio.count, 0);
}

/* Each kind of list takes as many as it may and says so for the next one. */
Test(config_value, lists_are_bounded)
{
	static const struct {
		const char *path, *prefix;
		size_t max;
	} cases[] = {
		{"ports.server", "", CONFIG_PORTS_MAX},
		{"histograms.rtt_seconds", "", CONFIG_BUCKETS_MAX},
		{"metrics.include", "m", CONFIG_LIST_MAX},
		{"web.listen_addresses", ":", CONFIG_LIST_MAX},
	};
	char text[32];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct config c = {0};

		for (size_t n = 1; n <= cases[i].max + 1; n++) {
			snprintf(text, sizeof(text), "%s%zu", cases[i].prefix, n);
			add(&c, cases[i].path, text, n <= cases[i].max ? 0 : -E2BIG);
		}
		config_value_clear(key_of(cases[i].path), &c);
	}
}

Test(config_value, number)
{
	struct config c = {.limits.series = 5000, .poll.sockets_ns = 3};

	cr_assert_eq(config_value_number(key_of("limits.series"), &c), 5000);
	cr_assert_eq(config_value_number(key_of("poll.sockets"), &c), 3);
}
