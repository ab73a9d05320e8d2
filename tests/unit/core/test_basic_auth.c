/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/basic_auth.h"

#include <errno.h>
#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(basic_auth);

Test(basic_auth, read)
{
	static const struct {
		const char *field, *user, *password;
	} cases[] = {
		{"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame"},
		{"basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame"},
		{"Basic   YTpi", "a", "b"},
		{"Basic YTpiOmM=", "a", "b:c"},
		{"Basic Og==", "", ""},
		{"Basic w6Q6w7Y=", "\xc3\xa4", "\xc3\xb6"},
		{"Basic Pz4/Oj4/fg==", "?>?", ">?~"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct basic_auth auth;

		cr_assert_eq(basic_auth_parse(cases[i].field, &auth), 0, "%s", cases[i].field);
		cr_assert_str_eq(auth.user, cases[i].user, "%s: %s", cases[i].field, auth.user);
		cr_assert_str_eq(auth.password, cases[i].password, "%s: %s", cases[i].field,
				 auth.password);
	}
}

Test(basic_auth, refused)
{
	static const char *const fields[] = {
		"",
		"Basic",
		"Basic ",
		"Bearer YTpi",
		"Basic YWI=",  /* no colon */
		"Basic YTpi ", /* a blank behind it */
		"Basic YTp",
		"Basic YT=i",
		"Basic =Tpi",
		"Basic YQ==YTpi",
		"Basic YTpi====",
		"Basic YTpi\n",
		"Basic YT_i",
		"Basic YToAYg==", /* a NUL in the password */
		"Basic AGE6Yg==",
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		struct basic_auth auth;

		cr_assert_eq(basic_auth_parse(fields[i], &auth), -EINVAL, "%zu: %s", i, fields[i]);
	}
}

Test(basic_auth, bounded)
{
	static char field[8192] = "Basic YTpi";
	struct basic_auth auth;
	size_t len = strlen("Basic ");

	for (size_t letters = 4; letters < 8000; letters += 4) {
		bool fits = letters / 4 * 3 <= BASIC_AUTH_MAX;

		memcpy(field + len + letters - 4, "YTpi", 5);
		cr_assert_eq(basic_auth_parse(field, &auth), fits ? 0 : -EINVAL, "%zu", letters);
	}
}
