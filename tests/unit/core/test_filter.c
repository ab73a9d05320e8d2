/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/filter.h"

#include <arpa/inet.h>
#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(filter);

static const struct filter_world world;

static uint32_t find_interface(const char *name)
{
	return strcmp(name, "lo") == 0 ? 1 : 0;
}

static uint64_t find_cgroup(const char *path)
{
	return strcmp(path, "/a") == 0 ? 77 : 0;
}

static const struct filter_names names = {
	.ephemeral_low = 32768,
	.ephemeral_high = 60999,
	.interface = find_interface,
	.cgroup = find_cgroup,
};

static struct filter *parse(const char *text)
{
	struct filter_error error;
	struct filter *f = NULL;

	cr_assert_eq(filter_parse(text, &world, &error, &f), 0, "%s: %s", text, error.what);
	filter_resolve(f, &names);
	return f;
}

static void assert_match(const char *text, const struct sock_record *record, bool expected)
{
	struct filter *f = parse(text);

	cr_assert_eq(filter_match(f, record), expected, "%s", text);
	filter_free(f);
}

struct expectation {
	const char *text;
	bool matches;
};

static void assert_all(const struct sock_record *record, const struct expectation *cases,
		       size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_match(cases[i].text, record, cases[i].matches);
}

static struct sock_record record(uint8_t family, const char *local, const char *remote)
{
	struct sock_record r = {
		.cookie = 1,
		.family = family,
		.local_port = 443,
		.remote_port = 50000,
		.state = SOCK_ESTABLISHED,
		.interface = 1,
		.cgroup_id = 77,
	};

	cr_assert_eq(inet_pton(family, local, r.local.bytes), 1);
	cr_assert_eq(inet_pton(family, remote, r.remote.bytes), 1);
	return r;
}

Test(filter, ipv4)
{
	static const struct expectation cases[] = {
		{"src 127.0.0.1", true},
		{"src 127.0.0.2", false},
		{"dst 127.0.0.1", false},
		{"dst 10.0.0.0/8", true},
		{"dst 10.128.0.0/9", true},
		{"dst 10.0.0.0/9", false},
		{"dst 10.192.0.0/16", false},
		{"dst 10.129.1.2/31", true},
		{"dst 10.129.1.0/31", false},
		{"dst 10.129.1.3:50000", true},
		{"dst 10.129.1.3:50001", false},
		{"src [::1]", false},
		{"src ::/8", false},
		{"src [::ffff:127.0.0.1]", false},
		{"src 0.0.0.0/0", true},
		{"src ::/0", false},
		{"src * and dst *", true},
		{"sport = :443 dport = :50000", true},
		{"sport != 443", false},
		{"sport <= 443 and sport >= 443 and not sport < 443 and not sport > 443", true},
		{"dport > 49999 and dport < 50001", true},
		{"dport >= 50001 or dport <= 49999", false},
		{"autobound", false},
		{"not autobound", true},
		{"dev lo", true},
		{"dev != lo", false},
		{"dev eth7", false},
		{"not dev eth7", true},
		{"cgroup /a", true},
		{"cgroup /b", false},
		{"not cgroup /b", true},
		{"state established", true},
		{"exclude established", false},
		{"not state listening", true},
	};
	struct sock_record r = record(AF_INET, "127.0.0.1", "10.129.1.3");

	assert_all(&r, cases, ARRAY_SIZE(cases));
	r.local_port = 32768;
	assert_match("autobound", &r, true);
	r.local_port = 61000;
	assert_match("autobound", &r, false);
}

Test(filter, ipv6)
{
	static const struct expectation cases[] = {
		{"src [2001:db8::1]", true}, {"src [2001:db8::2]", false},
		{"src 2001:db8::/32", true}, {"src 2001:db9::/32", false},
		{"src 2001:db8::/31", true}, {"src 2001:db8::/127", true},
		{"src 0.0.0.0/1", false},    {"dst [::1]:50000", true},
	};
	struct sock_record r = record(AF_INET6, "2001:db8::1", "::1");

	assert_all(&r, cases, ARRAY_SIZE(cases));
}

/* Folded, it is matched by a rule for IPv4; and by one for IPv6 as the address that it was. */
Test(filter, mapped)
{
	static const struct expectation cases[] = {
		{"src 127.0.0.1", true},
		{"src [::ffff:127.0.0.1]", true},
		{"src [::ffff:127.0.0.2]", false},
		{"src ::ffff:127.0.0.0/104", true},
		{"src ::/8", true},
		{"src ::/127", false},
		{"src [::1]", false},
	};
	struct sock_record r = record(AF_INET, "127.0.0.1", "127.0.0.1");

	r.is_v4_in_v6 = true;
	assert_all(&r, cases, ARRAY_SIZE(cases));
	r.state = SOCK_LISTEN;
	memset(&r.remote, 0, sizeof(r.remote));
	assert_match("dst 0.0.0.0/0", &r, false);
	assert_match("dst [::]", &r, true);
}

/* What is neither true nor false matches no more if it is negated; what decides without it does. */
Test(filter, what_a_record_does_not_say)
{
	static const struct expectation cases[] = {
		{"dev lo", false},
		{"not dev lo", false},
		{"dev != lo", false},
		{"not not dev lo", false},
		{"dev lo or sport = 443", true},
		{"sport = 443 or dev lo", true},
		{"dev lo and sport = 443", false},
		{"not (dev lo and sport = 443)", false},
		{"not (dev lo and sport = 1)", true},
		{"not (dev lo or sport = 1)", false},
		{"not (sport = 443 or dev lo)", false},
		{"cgroup /a", false},
		{"cgroup != /a", false},
		{"cgroup /a or dev lo", false},
		{"cgroup /a or not cgroup /a", false},
	};
	struct sock_record r = record(AF_INET, "127.0.0.1", "10.0.0.1");
	struct filter *f = parse("not autobound");
	struct filter_names unknown = names;

	r.cookie = 0;
	r.interface = 0;
	r.cgroup_id = 0;
	assert_all(&r, cases, ARRAY_SIZE(cases));
	cr_assert(filter_match(f, &r));
	unknown.ephemeral_low = 1;
	unknown.ephemeral_high = 0;
	filter_resolve(f, &unknown);
	cr_assert_not(filter_match(f, &r), "the range is not known");
	filter_free(f);
}

/* A device or a cgroup may come, and have another number when it comes again. */
Test(filter, resolve)
{
	struct filter *f = parse("dev eth7 or cgroup /b");
	struct sock_record r = record(AF_INET, "127.0.0.1", "127.0.0.1");

	r.interface = 0;
	cr_assert_not(filter_match(f, &r), "no device is not a device that is not there");
	f->nodes[0].interface = 9;
	r.interface = 9;
	cr_assert(filter_match(f, &r));
	filter_resolve(f, &names);
	cr_assert_not(filter_match(f, &r));
	filter_free(f);
}
