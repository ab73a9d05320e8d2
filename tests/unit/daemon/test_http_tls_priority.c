/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/http_tls_priority.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(http_tls_priority);

#define BASE "NORMAL:-RSA:-DHE-RSA:-DHE-DSS:-VERS-ALL"

static void check_is_known(const char *priority)
{
	gnutls_priority_t p;

	cr_assert_eq(gnutls_priority_init(&p, priority, NULL), 0, "%s", priority);
	gnutls_priority_deinit(p);
}

static struct web_config *parse(const char *text)
{
	struct config_errors errors;
	struct web_config *w;

	cr_assert_eq(web_config_parse(text, strlen(text), &errors, &w), 0, "%s", text);
	return w;
}

Test(http_tls_priority, strings)
{
	static const struct {
		const char *text, *to, *old;
	} cases[] = {
		{"", BASE ":+VERS-TLS1.2:+VERS-TLS1.3:%SERVER_PRECEDENCE", ""},
		{"min_version: TLS10, max_version: TLS12, prefer_server_cipher_suites: false",
		 BASE ":+VERS-TLS1.0:+VERS-TLS1.1:+VERS-TLS1.2", ""},
		{"curve_preferences: [X25519, CurveP521], min_version: TLS13",
		 BASE ":+VERS-TLS1.3:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP521R1:%SERVER_PRECEDENCE",
		 ""},
		{"cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA, TLS_AES_128_GCM_SHA256]",
		 BASE ":+VERS-TLS1.2:+VERS-TLS1.3:%SERVER_PRECEDENCE",
		 BASE ":+VERS-TLS1.2:-KX-ALL:-CIPHER-ALL:-MAC-ALL:+RSA:+AES-128-CBC:+SHA1"
		      ":%SERVER_PRECEDENCE"},
		{"cipher_suites: [TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256], min_version: "
		 "TLS13",
		 BASE ":+VERS-TLS1.3:%SERVER_PRECEDENCE", ""},
		{"cipher_suites: [TLS_CHACHA20_POLY1305_SHA256]",
		 BASE ":+VERS-TLS1.3:%SERVER_PRECEDENCE", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buf text = BUF_INIT, to = BUF_INIT, old = BUF_INIT;
		struct web_config *w;

		buf_add_format(&text, "tls_server_config: {%s}", cases[i].text);
		buf_add_char(&text, '\0');
		w = parse(text.data);
		cr_assert_eq(http_tls_priorities(w, &to, &old), 0, "%s", text.data);
		cr_assert_str_eq(to.data, cases[i].to, "%s: %s", text.data, to.data);
		cr_assert_str_eq(old.data, cases[i].old, "%s: %s", text.data, old.data);
		check_is_known(to.data);
		if (old.data[0] != '\0')
			check_is_known(old.data);
		web_config_free(w);
		buf_done(&text);
		buf_done(&to);
		buf_done(&old);
	}
}

Test(http_tls_priority, nothing_left)
{
	struct web_config *w = parse("tls_server_config: {max_version: TLS12, cipher_suites: "
				     "[TLS_AES_128_GCM_SHA256]}");
	struct buf to = BUF_INIT, old = BUF_INIT;

	cr_assert_eq(http_tls_priorities(w, &to, &old), -EINVAL);
	buf_done(&to);
	buf_done(&old);
	web_config_free(w);
}
