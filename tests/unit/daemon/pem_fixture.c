/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/daemon/pem_fixture.h"

#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/util/buf.h"
#include "tests/support/test_support.h"

static char *take_datum(gnutls_datum_t *pem)
{
	char *text = strndup((const char *)pem->data, pem->size);

	gnutls_free(pem->data);
	return text;
}

struct pem_pair pem_pair_new(void)
{
	struct pem_pair pair;
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t cert;
	gnutls_datum_t pem;

	gnutls_x509_privkey_init(&key);
	gnutls_x509_crt_init(&cert);
	cr_assert_eq(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
						  GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1),
						  0),
		     0);
	gnutls_x509_crt_set_version(cert, 3);
	gnutls_x509_crt_set_serial(cert, "\1", 1);
	gnutls_x509_crt_set_activation_time(cert, time(NULL) - 3600);
	gnutls_x509_crt_set_expiration_time(cert, time(NULL) + 3600);
	gnutls_x509_crt_set_key(cert, key);
	gnutls_x509_crt_set_dn(cert, "CN=test", NULL);
	cr_assert_eq(gnutls_x509_crt_sign2(cert, cert, key, GNUTLS_DIG_SHA256, 0), 0);
	cr_assert_eq(gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_PEM, &pem), 0);
	pair.cert = take_datum(&pem);
	cr_assert_eq(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem), 0);
	pair.key = take_datum(&pem);
	gnutls_x509_crt_deinit(cert);
	gnutls_x509_privkey_deinit(key);
	return pair;
}

void pem_pair_done(struct pem_pair *pair)
{
	free(pair->cert);
	free(pair->key);
}

char *pem_indent(const char *text)
{
	struct buf out = BUF_INIT;

	buf_add_str(&out, "    ");
	for (; *text != '\0'; text++) {
		buf_add_char(&out, *text);
		if (*text == '\n' && text[1] != '\0')
			buf_add_str(&out, "    ");
	}
	buf_add_char(&out, '\0');
	return out.data;
}
