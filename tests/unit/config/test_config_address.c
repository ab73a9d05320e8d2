/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(config_address);

/* The address as the kernel would take it, "family host%scope port". */
static void describe(const struct config_address *a, char *ret_text, size_t size)
{
	char host[INET6_ADDRSTRLEN];

	if (a->any.sa_family == AF_INET) {
		cr_assert_eq(a->len, sizeof(a->in));
		inet_ntop(AF_INET, &a->in.sin_addr, host, sizeof(host));
		snprintf(ret_text, size, "4 %s %u", host, ntohs(a->in.sin_port));
		return;
	}
	cr_assert_eq(a->any.sa_family, AF_INET6);
	cr_assert_eq(a->len, sizeof(a->in6));
	inet_ntop(AF_INET6, &a->in6.sin6_addr, host, sizeof(host));
	snprintf(ret_text, size, "%s %s%%%u %u", a->dual_stack ? "46" : "6", host,
		 a->in6.sin6_scope_id, ntohs(a->in6.sin6_port));
}

Test(config_address, accepted)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{":17625", "46 ::%0 17625"},
		{":0", "46 ::%0 0"},
		{":65535", "46 ::%0 65535"},
		{"127.0.0.1:17625", "4 127.0.0.1 17625"},
		{"0.0.0.0:80", "4 0.0.0.0 80"},
		{"[::]:80", "6 ::%0 80"},
		{"[::1]:17625", "6 ::1%0 17625"},
		{"[2001:db8::1:2]:1", "6 2001:db8::1:2%0 1"},
		{"[fe80::1%7]:80", "6 fe80::1%7 80"},
		{"[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:1",
		 "6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%0 1"},
	};
	char found[96];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct config_address a;

		memset(&a, 0xa5, sizeof(a));
		cr_assert_eq(config_address_parse(cases[i].text, &a), 0, "%s", cases[i].text);
		describe(&a, found, sizeof(found));
		cr_assert_str_eq(found, cases[i].expected, "%s is %s", cases[i].text, found);
		cr_assert_eq(a.dual_stack, cases[i].text[0] == ':', "%s", cases[i].text);
	}
}

Test(config_address, refused)
{
	static const char *const cases[] = {
		"",
		":",
		"17625",
		"127.0.0.1",
		"127.0.0.1:",
		"127.0.0.1:65536",
		"127.0.0.1:-1",
		"127.0.0.1:+1",
		"127.0.0.1: 1",
		"127.0.0.1:1 ",
		"127.0.0.1:0x50",
		"127.0.0.1:http",
		" 127.0.0.1:1",
		"127.0.0.1 :1",
		"127.1:1",
		"256.0.0.1:1",
		"*:1",
		"localhost:1",
		"example.org:1",
		"::1:1",
		"[::1]",
		"[::1]1",
		"[::1:1",
		"[:1",
		"]:1",
		"[]:1",
		"::1]:1",
		"[::1]]:1",
		"[[::1]]:1",
		"[::1%]:1",
		"[::1%1]:1",
		"[127.0.0.1]:1",
		"[::ffff:127.0.0.1]:1",
		"[fe80::1]:1",
		"[fe80::1%]:1",
		"[fe80::1%0]:1",
		"[fe80::1%4294967296]:1",
		"[fe80::1%no-such-if]:1",
		"[fe80::1%l\"o]:1",
		"[fe80::1%1%2]:1",
		"[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255%0123456789abcdef]:1",
		"/run/sockstatd.sock",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct config_address a, untouched;

		memset(&a, 0xa5, sizeof(a));
		memset(&untouched, 0xa5, sizeof(untouched));
		cr_assert_eq(config_address_parse(cases[i], &a), -EINVAL, "%s", cases[i]);
		cr_assert_eq(memcmp(&a, &untouched, sizeof(a)), 0, "%s", cases[i]);
	}
}

Test(config_address, interface_by_name)
{
	unsigned int index = if_nametoindex("lo");
	struct config_address a;

	if (index == 0) {
		printf("SKIPPED: there is no interface lo\n");
		return;
	}
	cr_assert_eq(config_address_parse("[fe80::1%lo]:80", &a), 0);
	cr_assert_eq(a.in6.sin6_scope_id, index);
}
