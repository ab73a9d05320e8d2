/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/http_tls_peer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/http_tls.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/daemon/pem_fixture.h"

TEST_SUITE(http_tls_peer);

/* More than a handshake between two that do not wait has. */
#define STEPS_MAX 100

static struct http_tls *server_new(const struct pem_pair *pair, const char *more)
{
	char *cert = pem_indent(pair->cert), *key = pem_indent(pair->key);
	struct buf text = BUF_INIT;
	struct config_errors errors;
	struct http_tls *tls;
	struct web_config *w;

	buf_add_format(&text, "tls_server_config:\n%s  cert: |\n%s  key: |\n%s", more, cert, key);
	cr_assert_eq(web_config_parse(text.data, text.len, &errors, &w), 0);
	cr_assert_eq(http_tls_new(w, &errors, &tls), 0);
	web_config_free(w);
	buf_done(&text);
	free(cert);
	free(key);
	return tls;
}

static gnutls_certificate_credentials_t client_new(const struct pem_pair *pair)
{
	gnutls_certificate_credentials_t c;
	gnutls_datum_t cert, key;

	cr_assert_eq(gnutls_certificate_allocate_credentials(&c), 0);
	if (!pair)
		return c;
	cert = (gnutls_datum_t){(void *)pair->cert, (unsigned int)strlen(pair->cert)};
	key = (gnutls_datum_t){(void *)pair->key, (unsigned int)strlen(pair->key)};
	cr_assert_eq(gnutls_certificate_set_x509_key_mem(c, &cert, &key, GNUTLS_X509_FMT_PEM), 0);
	return c;
}

static bool goes_on(int r)
{
	return r == GNUTLS_E_AGAIN || r == GNUTLS_E_INTERRUPTED;
}

/* Whether the server lets the client in. */
static bool shake_hands(gnutls_session_t server, gnutls_session_t client)
{
	int server_r = GNUTLS_E_AGAIN, client_r = GNUTLS_E_AGAIN;

	for (int i = 0; i < STEPS_MAX && goes_on(server_r); i++) {
		if (goes_on(client_r))
			client_r = gnutls_handshake(client);
		server_r = gnutls_handshake(server);
	}
	return server_r == 0;
}

static bool is_let_in(struct http_tls *tls, const struct pem_pair *pair, const char *priority)
{
	gnutls_certificate_credentials_t credentials = client_new(pair);
	gnutls_session_t server, client;
	bool let_in;
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	gnutls_init(&server, GNUTLS_SERVER | GNUTLS_NONBLOCK);
	gnutls_init(&client, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_FORCE_CLIENT_CERT);
	gnutls_transport_set_int(server, fds[0]);
	gnutls_transport_set_int(client, fds[1]);
	cr_assert_eq(http_tls_attach(tls, server), 0);
	cr_assert_eq(gnutls_priority_set_direct(client, priority, NULL), 0);
	gnutls_credentials_set(client, GNUTLS_CRD_CERTIFICATE, credentials);
	let_in = shake_hands(server, client);
	gnutls_deinit(server);
	gnutls_deinit(client);
	gnutls_certificate_free_credentials(credentials);
	close(fds[0]);
	close(fds[1]);
	return let_in;
}

Test(http_tls_peer, who_is_let_in)
{
	static const struct {
		const char *policy;
		bool without, stranger;
	} cases[] = {
		{"", true, true},
		{"  client_auth_type: RequestClientCert\n", true, true},
		{"  client_auth_type: RequireAnyClientCert\n", false, true},
		{"  client_auth_type: VerifyClientCertIfGiven\n", true, false},
		{"  client_auth_type: RequireAndVerifyClientCert\n", false, false},
		{"  client_auth_type: RequireAnyClientCert\n  client_allowed_sans: [x]\n", false,
		 false},
	};
	static const char *const priorities[] = {"NORMAL:-VERS-ALL:+VERS-TLS1.2",
						 "NORMAL:-VERS-ALL:+VERS-TLS1.3"};
	struct pem_pair own = pem_pair_new(), stranger = pem_pair_new();

	for (size_t i = 0; i < ARRAY_SIZE(cases) * ARRAY_SIZE(priorities); i++) {
		const char *priority = priorities[i % 2], *policy = cases[i / 2].policy;
		struct http_tls *tls = server_new(&own, policy);

		cr_assert_eq(is_let_in(tls, NULL, priority), cases[i / 2].without, "%s %s", policy,
			     priority);
		cr_assert_eq(is_let_in(tls, &stranger, priority), cases[i / 2].stranger, "%s %s",
			     policy, priority);
		http_tls_unref(tls);
	}
	pem_pair_done(&own);
	pem_pair_done(&stranger);
}
