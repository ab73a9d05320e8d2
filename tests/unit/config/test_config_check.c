/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_check.h"

#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(config_check);

#define TEXT_64  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define TEXT_128 TEXT_64 TEXT_64

static const struct config_strings none;

static void expect(const char *text, const char *found, const char *expected)
{
	cr_assert_eq(found == NULL, expected == NULL, "%s: %s", text, found ? found : "accepted");
	if (expected)
		cr_assert_str_eq(found, expected, "%s: %s", text, found);
}

Test(config_check, path)
{
	static const char letters[] = "must be letters, digits and -._~!$&'()*+,;=:@/ only";
	static const struct {
		const char *text, *what;
	} cases[] = {
		{"/metrics", NULL},
		{"/probe/tcp", NULL},
		{"/-", NULL},
		{"/-metrics", NULL},
		{"/a-._~!$&'()*+,;=:@", NULL},
		{"/" TEXT_128 TEXT_64 "0123456789abcdef0123456789abcdef0123456789abcdef"
		 "0123456789abcde",
		 NULL},
		{"", "must begin with \"/\""},
		{"metrics", "must begin with \"/\""},
		{"/", "must not be \"/\", which is the page with links"},
		{"/-/", "must not lie below \"/-/\", which is the daemon's own"},
		{"/-/metrics", "must not lie below \"/-/\", which is the daemon's own"},
		{"/a b", letters},
		{"/a?b", letters},
		{"/a#b", letters},
		{"/%6d", letters},
		{"/a\"b", letters},
		{"/a\\b", letters},
		{"/a\nb", letters},
		{"/gr\xc3\xb6\xc3\x9f"
		 "e",
		 letters},
		{"/" TEXT_128 TEXT_128, "must not be longer than 256 characters"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect(cases[i].text, config_check_path(cases[i].text, &none), cases[i].what);
}

Test(config_check, family)
{
	static const char letters[] = "must be a metric's name: letters, digits, _ and * only";
	static const struct {
		const char *text, *what;
	} cases[] = {
		{"sockstat_tcp_rtt_seconds", NULL},
		{"sockstat_*_Bytes9", NULL},
		{"*", NULL},
		{TEXT_128, NULL},
		{"", letters},
		{"sockstat-tcp", letters},
		{"tcp{}", letters},
		{"a b", letters},
		{"m\xc3\xa4", letters},
		{TEXT_128 "a", "must not be longer than 128 characters"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect(cases[i].text, config_check_family(cases[i].text, &none), cases[i].what);
}

Test(config_check, address)
{
	static char first[] = ":80", second[] = "127.0.0.1:80", third[] = "0.0.0.0:81";
	static char *items[] = {first, second, third};
	static const struct config_strings others = {items, ARRAY_SIZE(items)};
	static const char form[] =
		"must be \":PORT\", \"A.B.C.D:PORT\" or \"[v6]:PORT\"; names are not looked up";
	static const struct {
		const char *text, *what;
	} cases[] = {
		{":82", NULL},
		{"[::]:81", NULL},
		{"127.0.0.1:82", NULL},
		{":80", "is given twice"},
		{"0.0.0.0:081", "is given twice"},
		{"[::]:80", "overlaps with another address"},
		{"[::1]:80", "overlaps with another address"},
		{"0.0.0.0:80", "overlaps with another address"},
		{"127.0.0.2:80", "overlaps with another address"},
		{"127.0.0.1:81", "overlaps with another address"},
		{":81", "overlaps with another address"},
		{"localhost:80", form},
		{"", form},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect(cases[i].text, config_check_address(cases[i].text, &others), cases[i].what);
}
