/* SPDX-License-Identifier: Apache-2.0 */
#include "config/web_config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/config/web_expect.h"

TEST_SUITE(web_config);

#define HASH "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi"

Test(web_config, every_key)
{
	static const char text[] = "tls_server_config:\n"
				   "  cert_file: server.crt\n"
				   "  key: |\n"
				   "    first\n"
				   "    second\n"
				   "  client_ca_file: /ca.crt\n"
				   "  client_auth_type: RequireAndVerifyClientCert\n"
				   "  client_allowed_sans: [a.example, 10.0.0.1]\n"
				   "  min_version: TLS10\n"
				   "  max_version: TLS12\n"
				   "  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]\n"
				   "  prefer_server_cipher_suites: false\n"
				   "  curve_preferences: [X25519, CurveP256]\n"
				   "http_server_config:\n"
				   "  http2: false\n"
				   "  headers:\n"
				   "    Content-Security-Policy: \"default-src 'self'\"\n"
				   "    X-Frame-Options: deny\n"
				   "basic_auth_users:\n"
				   "  alice: " HASH "\n"
				   "  \"b c\": " HASH "\n";
	struct web_config *w = expect_web_config("every key", text);

	cr_assert_str_eq(w->tls.cert_file, "server.crt");
	cr_assert_null(w->tls.cert);
	cr_assert_str_eq(w->tls.key, "first\nsecond\n");
	cr_assert_str_eq(w->tls.client_ca_file, "/ca.crt");
	cr_assert_eq(w->tls.client_auth_type, WEB_CLIENT_AUTH_REQUIRE_AND_VERIFY);
	cr_assert_eq(w->tls.client_allowed_sans.count, 2);
	cr_assert_str_eq(w->tls.client_allowed_sans.items[1], "10.0.0.1");
	cr_assert_eq(w->tls.min_version, WEB_TLS10);
	cr_assert_eq(w->tls.max_version, WEB_TLS12);
	cr_assert_eq(w->tls.cipher_suites.count, 1);
	cr_assert_eq(w->tls.prefer_server_cipher_suites, 0);
	cr_assert_eq(w->tls.curve_preferences.count, 2);
	cr_assert_eq(w->http2, 0);
	cr_assert_str_eq(w->headers[0], "default-src 'self'");
	cr_assert_str_eq(w->headers[3], "deny");
	cr_assert_eq(w->users.count, 2);
	cr_assert_str_eq(w->users.items[0].name, "alice");
	cr_assert_str_eq(w->users.items[1].name, "b c");
	cr_assert_str_eq(w->users.items[1].value, HASH);
	cr_assert(web_config_has_tls(w));
	cr_assert_eq(web_config_place(w, "tls_server_config.key").line, 3);
	cr_assert_eq(web_config_place(w, "tls_server_config.cert").line, 0);
	cr_assert_eq(web_config_place(w, "nothing").line, 0);
	web_config_free(w);
}

Test(web_config, defaults)
{
	static const char *const texts[] = {"", "# nothing\n", "tls_server_config:\n",
					    "basic_auth_users:\nhttp_server_config:\n  headers:\n",
					    "tls_server_config: {min_version: TLS12}\n"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct web_config *w = expect_web_config(texts[i], texts[i]);

		cr_assert_not(web_config_has_tls(w), "%s", texts[i]);
		cr_assert_eq(w->tls.client_auth_type, WEB_CLIENT_AUTH_NONE);
		cr_assert_eq(w->tls.min_version, WEB_TLS12);
		cr_assert_eq(w->tls.max_version, WEB_TLS13);
		cr_assert_eq(w->tls.prefer_server_cipher_suites, 1);
		cr_assert_eq(w->http2, 1);
		cr_assert_eq(w->users.count, 0);
		web_config_free(w);
	}
}

Test(web_config, faults)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"tls: {}\n", "1:1: tls: unknown key"},
		{"tls_server_config: {cert-file: a}\n",
		 "1:21: tls_server_config.cert-file: unknown key; did you mean "
		 "tls_server_config.cert_file?"},
		{"tls_server_config: 1\n", "1:20: tls_server_config: must be a map of keys"},
		{"basic_auth_users: [a]\n", "1:19: basic_auth_users: must be a map"},
		{"basic_auth_users:\n  a: secret\n",
		 "2:6: basic_auth_users.a: must be a bcrypt hash, as htpasswd -nB writes it"},
		{"basic_auth_users:\n  a: [x]\n",
		 "2:6: basic_auth_users.a: must be a single value, not a list"},
		{"basic_auth_users:\n  a: " HASH "\n  a: " HASH "\n",
		 "3:3: basic_auth_users.a: is given twice, first in line 2"},
		{"http_server_config:\n  headers:\n    Server: x\n",
		 "3:5: http_server_config.headers.Server: unknown key"},
		{"http_server_config: {headers: {X-Frame-Options: allow}}\n",
		 "1:49: http_server_config.headers.X-Frame-Options: must be one of: deny, "
		 "sameorigin"},
		{"http_server_config: {http2: 2}\n",
		 "1:29: http_server_config.http2: must be one of: false, true"},
		{"tls_server_config: {min_version: SSL3}\n",
		 "1:34: tls_server_config.min_version: must be one of: TLS10, TLS11, TLS12, TLS13"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_web_errors(cases[i].text, cases[i].expected);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	cr_assert_not_null(f);
	fputs(text, f);
	fclose(f);
}

Test(web_config, paths_begin_where_the_file_lies)
{
	char directory[] = "/tmp/web-config-XXXXXX", path[64], expected[64];
	struct config_errors errors;
	struct web_config *w;

	cr_assert_not_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/web.yaml", directory);
	snprintf(expected, sizeof(expected), "%s/a.crt", directory);
	write_file(path, "tls_server_config: {cert_file: a.crt, key_file: /b.key}\n");
	cr_assert_eq(web_config_load(path, &errors, &w), 0);
	cr_assert_str_eq(w->tls.cert_file, expected);
	cr_assert_str_eq(w->tls.key_file, "/b.key");
	web_config_free(w);
	cr_assert_eq(chdir(directory), 0);
	cr_assert_eq(web_config_load("web.yaml", &errors, &w), 0);
	cr_assert_str_eq(w->tls.cert_file, "a.crt");
	web_config_free(w);
	write_file(path, "x\n");
	cr_assert_eq(web_config_load(path, &errors, &w), -EINVAL);
	cr_assert_eq(errors.total, 1);
	unlink(path);
	cr_assert_eq(web_config_load(path, &errors, &w), -ENOENT);
	rmdir(directory);
}

Test(web_config, names_of_headers)
{
	cr_assert_str_eq(web_header_name(0), "Content-Security-Policy");
	cr_assert_str_eq(web_header_name(WEB_HEADERS - 1), "X-XSS-Protection");
}
