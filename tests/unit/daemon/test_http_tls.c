/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/http_tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/daemon/pem_fixture.h"

TEST_SUITE(http_tls);

/* With this in the file: the errors, "LINE key: what" each, or nothing. */
static void expect(const char *name, const char *text, const char *expected)
{
	struct config_errors errors;
	struct web_config *w;
	struct http_tls *tls = NULL;
	struct buf found = BUF_INIT;
	int r;

	cr_assert_eq(web_config_parse(text, strlen(text), &errors, &w), 0, "%s", name);
	r = http_tls_new(w, &errors, &tls);
	for (size_t i = 0; i < errors.count; i++)
		buf_add_format(&found, "%u %s: %s\n", errors.items[i].line, errors.items[i].key,
			       errors.items[i].what);
	buf_add_char(&found, '\0');
	cr_assert_str_eq(found.data, expected, "%s: %s", name, found.data);
	cr_assert_eq(r, expected[0] == '\0' ? 0 : -EINVAL, "%s: %d", name, r);
	web_config_free(w);
	if (tls)
		http_tls_unref(http_tls_ref(tls));
	http_tls_unref(tls);
	buf_done(&found);
}

/* "cert: …, key: …, MORE" as a file. */
static void expect_pair(const char *name, const struct pem_pair *pair, const char *more,
			const char *expected)
{
	char *cert = pem_indent(pair->cert), *key = pem_indent(pair->key);
	struct buf text = BUF_INIT;

	buf_add_format(&text, "tls_server_config:\n%s  cert: |\n%s  key: |\n%s", more, cert, key);
	buf_add_char(&text, '\0');
	expect(name, text.data, expected);
	buf_done(&text);
	free(cert);
	free(key);
}

Test(http_tls, loads)
{
	struct pem_pair pair = pem_pair_new();

	expect_pair("a pair", &pair, "", "");
	expect_pair("clients of the host's authorities", &pair,
		    "  client_auth_type: VerifyClientCertIfGiven\n", "");
	expect_pair("sans", &pair,
		    "  client_auth_type: RequireAnyClientCert\n  client_allowed_sans: [a, b]\n",
		    "");
	expect_pair("no suite", &pair,
		    "  max_version: TLS12\n  cipher_suites: [TLS_AES_128_GCM_SHA256]\n",
		    "3 tls_server_config.cipher_suites: has no suite for the versions that are "
		    "allowed\n");
	expect_pair("an authority that is none", &pair,
		    "  client_auth_type: RequireAnyClientCert\n  client_ca: x\n",
		    "3 tls_server_config.client_ca: holds no certificate\n");
	pem_pair_done(&pair);
}

Test(http_tls, refuses_pairs)
{
	struct pem_pair one = pem_pair_new(), other = pem_pair_new();
	char nothing[] = "nothing\n";
	const struct pem_pair mixed = {one.cert, other.key};
	const struct pem_pair no_cert = {nothing, one.key}, no_key = {one.cert, nothing};

	expect_pair("another's key", &mixed, "",
		    "11 tls_server_config.key: is not the key of the certificate\n");
	expect_pair("no certificate", &no_cert, "",
		    "2 tls_server_config.cert: holds nothing of the kind in PEM\n");
	expect_pair("no key", &no_key, "",
		    "11 tls_server_config.key: holds nothing of the kind in PEM\n");
	pem_pair_done(&one);
	pem_pair_done(&other);
}

/* Each file that cannot be read is said. */
Test(http_tls, refuses_files)
{
	expect("no files",
	       "tls_server_config:\n  cert_file: /nowhere/a\n  key_file: /nowhere/b\n"
	       "  client_auth_type: RequireAnyClientCert\n  client_ca_file: /nowhere/c\n",
	       "2 tls_server_config.cert_file: cannot be read: No such file or directory: "
	       "/nowhere/a\n"
	       "3 tls_server_config.key_file: cannot be read: No such file or directory: "
	       "/nowhere/b\n"
	       "5 tls_server_config.client_ca_file: cannot be read: No such file or directory: "
	       "/nowhere/c\n");
}
