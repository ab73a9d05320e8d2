/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "tests/support/test_support.h"
#include "tests/unit/config/web_expect.h"

TEST_SUITE(web_render);

Test(web_render, hides_secrets)
{
	static const char text[] =
		"tls_server_config:\n"
		"  cert_file: a.crt\n"
		"  key: |\n"
		"    hush\n"
		"  cipher_suites: [TLS_RSA_WITH_AES_256_CBC_SHA]\n"
		"  min_version: TLS13\n"
		"basic_auth_users:\n"
		"  \"a\\nb\": $2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi\n";
	static const char expected[] =
		"# tls_server_config.cert_file: \"a.crt\"\n"
		"# tls_server_config.key: <secret>\n"
		"# tls_server_config.cipher_suites: [\"TLS_RSA_WITH_AES_256_CBC_SHA\"]\n"
		"# tls_server_config.min_version: TLS13\n"
		"# basic_auth_users.\"a\\x0ab\": <secret>\n";
	struct web_config *w = expect_web_config("render", text);
	struct buf found = BUF_INIT;

	web_config_render(w, &found);
	buf_add_char(&found, '\0');
	cr_assert_str_eq(found.data, expected, "%s", found.data);
	buf_done(&found);
	web_config_free(w);
}
