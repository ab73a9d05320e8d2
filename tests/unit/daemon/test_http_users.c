/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/http_users.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(http_users);

/* "fakepassword", and "U*U" of libxcrypt's own tests. */
#define FAKE "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi"
#define UU   "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"

static struct http_users *must_make(const char *text)
{
	struct config_errors errors;
	struct http_users *users;
	struct web_config *w;

	cr_assert_eq(web_config_parse(text, strlen(text), &errors, &w), 0);
	cr_assert_eq(http_users_new(w, &errors, &users), 0);
	web_config_free(w);
	return users;
}

Test(http_users, verify)
{
	static const struct {
		const char *hash, *password;
		int expected;
	} cases[] = {
		{FAKE, "fakepassword", 0},
		{FAKE, "fakepasswor", -EACCES},
		{FAKE, "", -EACCES},
		{UU, "U*U", 0},
		{UU, "U*V", -EACCES},
		{"$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U", 0},
		{"$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U", 0},
		{"$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U", 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_assert_eq(http_users_verify(cases[i].hash, cases[i].password), cases[i].expected,
			     "%s %s", cases[i].hash, cases[i].password);
}

/* Each kind of hash that the manual names. */
Test(http_users, kinds)
{
	for (const char *kind = "abxy"; *kind; kind++) {
		char text[128];

		snprintf(text, sizeof(text),
			 "basic_auth_users: {a: "
			 "$2%c$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW}",
			 *kind);
		http_users_free(must_make(text));
	}
}

Test(http_users, find)
{
	struct http_users *users = must_make("basic_auth_users: {a: " UU ", b: " FAKE "}");
	const char *first;
	bool is_known = false;

	cr_assert_eq(http_users_count(users), 2);
	cr_assert_str_eq(http_users_hash(users, "a", &is_known), UU);
	cr_assert(is_known);
	cr_assert_str_eq(http_users_hash(users, "b", &is_known), FAKE);
	cr_assert(is_known);
	first = http_users_hash(users, "c", &is_known);
	cr_assert_not(is_known);
	for (int i = 0; i < 10; i++)
		cr_assert_eq(http_users_hash(users, "c", &is_known), first);
	http_users_free(users);
}

/* Strangers are as users are, each the one or the other. */
Test(http_users, strangers)
{
	struct http_users *users = must_make("basic_auth_users: {a: " UU ", b: " FAKE "}");
	unsigned int as_a = 0;
	bool is_known;

	for (int i = 0; i < 1000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "stranger %d", i);
		as_a += strcmp(http_users_hash(users, name, &is_known), UU) == 0;
		cr_assert_not(is_known);
	}
	cr_assert(as_a > 350 && as_a < 650, "%u", as_a);
	http_users_free(users);
}
