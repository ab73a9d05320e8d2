/* SPDX-License-Identifier: Apache-2.0 */
#include "config/web_schema.h"

#include <string.h>

#include "config/web_config.h"
#include "tests/support/test_support.h"

TEST_SUITE(web_schema);

Test(web_schema, rows_are_whole)
{
	for (size_t i = 0; i < web_schema.count; i++) {
		const struct config_key *key = &web_schema.keys[i];

		cr_assert_eq(key->type == CONFIG_TYPE_CHOICE, key->choices != NULL, "%s",
			     key->path);
		cr_assert(key->check || key->choices || key->max, "%s", key->path);
		cr_assert_lt(key->offset, sizeof(struct web_config), "%s", key->path);
		cr_assert_eq(config_schema_find(&web_schema, key->path), (int)i, "%s", key->path);
		for (size_t j = 0; j < i; j++)
			cr_assert_neq(web_schema.keys[j].offset, key->offset, "%s", key->path);
	}
}

Test(web_schema, secrets)
{
	static const char *const secrets[] = {"tls_server_config.key", "basic_auth_users"};
	size_t found = 0;

	for (size_t i = 0; i < web_schema.count; i++)
		found += web_schema.keys[i].is_secret;
	cr_assert_eq(found, 2);
	for (size_t i = 0; i < 2; i++)
		cr_assert(web_schema.keys[config_schema_find(&web_schema, secrets[i])].is_secret);
}

/* A section within a section has keys of its own. */
Test(web_schema, sections)
{
	int outer = config_schema_find_section(&web_schema, "http_server_config");
	int inner = config_schema_find_section(&web_schema, "http_server_config.headers");

	cr_assert_eq(outer, config_schema_find(&web_schema, "http_server_config.http2"));
	cr_assert_eq(inner, outer + 1);
	cr_assert_eq(config_schema_find_section(&web_schema, "basic_auth_users"), -1);
}
