/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_prefix.h"

#include <arpa/inet.h>
#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(config_prefix);

Test(config_prefix, good)
{
	static const struct {
		const char *text;
		uint8_t family;
		unsigned int bits;
		const char *address;
	} cases[] = {
		{"10.0.0.0/8", AF_INET, 8, "10.0.0.0"},
		{"10.1.2.3", AF_INET, 32, "10.1.2.3"},
		{"0.0.0.0/0", AF_INET, 0, "0.0.0.0"},
		{"192.0.2.128/25", AF_INET, 25, "192.0.2.128"},
		{"fd00::/8", AF_INET6, 8, "fd00::"},
		{"::1", AF_INET6, 128, "::1"},
		{"::/0", AF_INET6, 0, "::"},
		{"2001:db8::/33", AF_INET6, 33, "2001:db8::"},
		{"::ffff:10.0.0.0/104", AF_INET, 8, "10.0.0.0"},
		{"::ffff:10.0.0.1", AF_INET, 32, "10.0.0.1"},
		{"::ffff:0:0/96", AF_INET, 0, "0.0.0.0"},
		{"::/64", AF_INET6, 64, "::"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct config_prefix p;
		struct sock_address expected = {{0}};

		cr_assert_null(config_prefix_parse(cases[i].text, &p), "%s", cases[i].text);
		cr_assert_eq(p.family, cases[i].family, "%s", cases[i].text);
		cr_assert_eq(p.bits, cases[i].bits, "%s", cases[i].text);
		cr_assert_eq(inet_pton(p.family, cases[i].address, expected.bytes), 1);
		cr_assert(sock_address_equal(&p.address, &expected), "%s", cases[i].text);
	}
}

Test(config_prefix, bad)
{
	static const char *const texts[] = {
		"",
		"/8",
		"10",
		"10.0.0.0/",
		"10.0.0.0/33",
		"10.0.0.0/-1",
		"10.0.0.0/08x",
		"10.0.0.0/8/8",
		"10.0.0.1/8",
		"10.0.0.128/24",
		"fd00::/129",
		"fd00::1/127",
		"fd00::%lo/64",
		"[fd00::]/8",
		"office",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/8",
		"::fffe:10.0.0.1/104",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct config_prefix p;

		cr_assert(config_prefix_parse(texts[i], &p), "%s", texts[i]);
	}
}
