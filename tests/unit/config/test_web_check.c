/* SPDX-License-Identifier: Apache-2.0 */
#include "config/web_check.h"

#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/config/web_expect.h"

TEST_SUITE(web_check);

#define REST "QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi"

Test(web_check, values)
{
	static const struct {
		const char *text;
		config_check_fn check;
		bool good;
	} cases[] = {
		{"", web_check_given, false},
		{"x", web_check_given, true},
		{"", web_check_file, false},
		{"a/b", web_check_file, true},
		{"TLS_RSA_WITH_AES_256_CBC_SHA", web_check_suite, true},
		{"TLS_RSA_WITH_RC4_128_SHA", web_check_suite, false},
		{"X25519", web_check_curve, true},
		{"x25519", web_check_curve, false},
		{"max-age=1; preload", web_check_header, true},
		{"a\r\nSet-Cookie: b", web_check_header, false},
		{"\xc3\xa4", web_check_header, false},
		{"nosniff", web_check_nosniff, true},
		{"sniff", web_check_nosniff, false},
		{"sameorigin", web_check_frame, true},
		{"SAMEORIGIN", web_check_frame, false},
		{"alice", web_check_user, true},
		{"", web_check_user, false},
		{"a:b", web_check_user, false},
		{"$2y$10$" REST, web_check_hash, true},
		{"$2a$04$" REST, web_check_hash, true},
		{"$2b$18$" REST, web_check_hash, true},
		{"$2x$10$" REST, web_check_hash, true},
		{"$2c$10$" REST, web_check_hash, false},
		{"$2$10$" REST, web_check_hash, false},
		{"$2y$03$" REST, web_check_hash, false},
		{"$2y$19$" REST, web_check_hash, false},
		{"$2y$1$" REST, web_check_hash, false},
		{"$2y$10$" REST "x", web_check_hash, false},
		{"$2y$10$", web_check_hash, false},
		{"$2y$10$!OauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi", web_check_hash,
		 false},
		{"$6$salt$hash", web_check_hash, false},
		{"$", web_check_hash, false},
		{"", web_check_hash, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_assert_eq(cases[i].check(cases[i].text, NULL) == NULL, cases[i].good, "%zu: %s",
			     i, cases[i].text);
}

#define TLS "tls_server_config:\n  cert_file: a\n  key_file: b\n"

/* What belongs together, and what does not. */
Test(web_check, whole)
{
	static const struct {
		const char *text, *expected; /* NULL: nothing is wrong */
	} cases[] = {
		{TLS, NULL},
		{"tls_server_config:\n  cert_file: a\n",
		 "1:1: tls_server_config: one of key_file and key is missing"},
		{"\ntls_server_config:\n  key: a\n",
		 "2:1: tls_server_config: one of cert_file and cert is missing"},
		{"tls_server_config: {client_auth_type: NoClientCert}\n",
		 "1:1: tls_server_config: one of cert_file and cert is missing\n"
		 "1:1: tls_server_config: one of key_file and key is missing"},
		{TLS "  cert: x\n",
		 "2:14: tls_server_config.cert_file: must not be given beside cert"},
		{TLS "  key: x\n",
		 "3:13: tls_server_config.key_file: must not be given beside key"},
		{TLS "  client_ca: x\n  client_ca_file: x\n"
		     "  client_auth_type: RequireAndVerifyClientCert\n",
		 "5:19: tls_server_config.client_ca_file: must not be given beside client_ca"},
		{TLS "  client_ca_file: x\n",
		 "4:19: tls_server_config.client_ca_file: needs a client_auth_type that asks for "
		 "certificates"},
		{TLS "  client_auth_type: VerifyClientCertIfGiven\n  client_allowed_sans: [a]\n",
		 "5:24: tls_server_config.client_allowed_sans: needs client_auth_type "
		 "RequireAnyClientCert or RequireAndVerifyClientCert"},
		{TLS "  client_auth_type: RequireClientCert\n  client_allowed_sans: [a]\n", NULL},
		{TLS "  min_version: TLS13\n  max_version: TLS12\n",
		 "4:16: tls_server_config.min_version: min_version is above max_version"},
		{TLS "  max_version: TLS11\n",
		 "4:16: tls_server_config.max_version: min_version is above max_version"},
		{TLS "  min_version: TLS13\n", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (cases[i].expected)
			expect_web_errors(cases[i].text, cases[i].expected);
		else
			web_config_free(expect_web_config(cases[i].text, cases[i].text));
	}
}
