/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/http_tls.h"

#include <errno.h>
#include <gnutls/x509.h>
#include <stdarg.h>
#include <string.h>

#include "config/config_file.h"
#include "daemon/http_tls_peer.h"
#include "daemon/http_tls_priority.h"
#include "daemon/util/cleanup.h"

#define PEM_MAX ((size_t)1024 * 1024)

struct http_tls {
	unsigned int references;
	gnutls_certificate_credentials_t credentials;
	gnutls_priority_t priority;
	gnutls_priority_t old_priority; /* NULL: the same for old versions */
	gnutls_certificate_request_t request;
	bool trusts_host; /* its authorities are too many to be named to clients */
	struct http_tls_policy policy;
};

DEFINE_CLEANUP(struct http_tls *, tls, http_tls_unref);

/* One thing that the file gives as text or by its path. */
struct source {
	const char *text, *path;
	const char *key; /* of what is given */
};

#define SOURCE(w, what)                                                    \
	{                                                                  \
		(w)->tls.what, (w)->tls.what##_file,                       \
			(w)->tls.what ? "tls_server_config." #what         \
				      : "tls_server_config." #what "_file" \
	}

/* What may hold a private key. */
static void wipe(struct buf *secret)
{
	if (secret->data)
		explicit_bzero(secret->data, secret->cap);
	buf_done(secret);
}

static int PRINTF_LIKE(4, 5) refuse(const struct web_config *w, struct config_errors *errors,
				    const char *key, const char *format, ...)
{
	char what[sizeof(errors->items[0].what)];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	config_errors_add(errors, web_config_place(w, key), key, "%s", what);
	return -EINVAL;
}

static int refuse_gnutls(const struct web_config *w, struct config_errors *errors, const char *key,
			 int error)
{
	if (error == GNUTLS_E_MEMORY_ERROR)
		return -ENOMEM;
	if (error == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
		return refuse(w, errors, key, "is not the key of the certificate");
	if (error == GNUTLS_E_NO_CERTIFICATE_FOUND ||
	    error == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE ||
	    error == GNUTLS_E_BASE64_UNEXPECTED_HEADER_ERROR)
		return refuse(w, errors, key, "holds nothing of the kind in PEM");
	if (error == GNUTLS_E_DECRYPTION_FAILED)
		return refuse(w, errors, key, "is encrypted, and there is nobody to ask");
	return refuse(w, errors, key, "is of no use: %s", gnutls_strerror(error));
}

/* The bytes of SOURCE; TEXT is the caller's to wipe. */
static int read_source(const struct web_config *w, const struct source *source,
		       struct config_errors *errors, struct buf *text)
{
	int r = 0;

	if (source->path)
		r = config_file_read(source->path, PEM_MAX, text);
	else
		buf_add_str(text, source->text);
	if (r == -ENOMEM || text->error)
		return -ENOMEM;
	if (r < 0)
		return refuse(w, errors, source->key, "cannot be read: %s: %s", strerror(-r),
			      source->path);
	return text->len == 0 ? refuse(w, errors, source->key, "is empty") : 0;
}

static gnutls_datum_t datum_of(const struct buf *text)
{
	return (gnutls_datum_t){.data = (void *)text->data, .size = (unsigned int)text->len};
}

/* GnuTLS does not say whether it is the certificate or the key that it does not like. */
static int check_certificate(const struct web_config *w, const struct source *source,
			     const struct buf *text, struct config_errors *errors)
{
	gnutls_datum_t pem = datum_of(text);
	gnutls_x509_crt_t *certs;
	unsigned int count;
	int r;

	r = gnutls_x509_crt_list_import2(&certs, &count, &pem, GNUTLS_X509_FMT_PEM, 0);
	if (r < 0)
		return refuse_gnutls(w, errors, source->key, r);
	for (unsigned int i = 0; i < count; i++)
		gnutls_x509_crt_deinit(certs[i]);
	gnutls_free(certs);
	return 0;
}

static int load_pair(struct http_tls *tls, const struct web_config *w, struct config_errors *errors)
{
	const struct source cert = SOURCE(w, cert), key = SOURCE(w, key);
	_cleanup_(buf_done) struct buf cert_text = BUF_INIT;
	_cleanup_(wipe) struct buf key_text = BUF_INIT;
	gnutls_datum_t cert_pem, key_pem;
	int r, other;

	r = read_source(w, &cert, errors, &cert_text);
	other = read_source(w, &key, errors, &key_text);
	if (r == 0)
		r = check_certificate(w, &cert, &cert_text, errors);
	if (r < 0 || other < 0)
		return r < 0 ? r : other;
	cert_pem = datum_of(&cert_text);
	key_pem = datum_of(&key_text);
	r = gnutls_certificate_set_x509_key_mem2(tls->credentials, &cert_pem, &key_pem,
						 GNUTLS_X509_FMT_PEM, NULL, 0);
	return r < 0 ? refuse_gnutls(w, errors, key.key, r) : 0;
}

/* Without CAs of its own, clients are verified against those of the host, as in Go. */
static int load_authorities(struct http_tls *tls, const struct web_config *w,
			    struct config_errors *errors)
{
	const struct source ca = SOURCE(w, client_ca);
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	gnutls_datum_t pem;
	int r;

	if (!ca.text && !ca.path) {
		tls->trusts_host = tls->policy.verifies;
		if (tls->trusts_host)
			gnutls_certificate_set_x509_system_trust(tls->credentials);
		return 0;
	}
	r = read_source(w, &ca, errors, &text);
	if (r < 0)
		return r;
	pem = datum_of(&text);
	r = gnutls_certificate_set_x509_trust_mem(tls->credentials, &pem, GNUTLS_X509_FMT_PEM);
	if (r < 0)
		return refuse_gnutls(w, errors, ca.key, r);
	return r == 0 ? refuse(w, errors, ca.key, "holds no certificate") : 0;
}

static int judge(gnutls_session_t session)
{
	const struct http_tls *tls = gnutls_session_get_ptr(session);

	return http_tls_judge(&tls->policy, session);
}

static int copy_sans(struct http_tls *tls, const struct config_strings *sans)
{
	struct config_strings *copy = &tls->policy.allowed_sans;

	copy->items = calloc(sans->count + 1, sizeof(*copy->items));
	if (!copy->items)
		return -ENOMEM;
	for (; copy->count < sans->count; copy->count++) {
		copy->items[copy->count] = strdup(sans->items[copy->count]);
		if (!copy->items[copy->count])
			return -ENOMEM;
	}
	return 0;
}

static int set_policy(struct http_tls *tls, const struct web_config *w)
{
	static const struct {
		gnutls_certificate_request_t request;
		bool verifies;
	} rules[] = {
		[WEB_CLIENT_AUTH_NONE] = {GNUTLS_CERT_IGNORE, false},
		[WEB_CLIENT_AUTH_REQUEST] = {GNUTLS_CERT_REQUEST, false},
		[WEB_CLIENT_AUTH_REQUIRE_ANY] = {GNUTLS_CERT_REQUIRE, false},
		[WEB_CLIENT_AUTH_REQUIRE] = {GNUTLS_CERT_REQUIRE, false},
		[WEB_CLIENT_AUTH_VERIFY_IF_GIVEN] = {GNUTLS_CERT_REQUEST, true},
		[WEB_CLIENT_AUTH_REQUIRE_AND_VERIFY] = {GNUTLS_CERT_REQUIRE, true},
	};

	tls->request = rules[w->tls.client_auth_type].request;
	tls->policy.verifies = rules[w->tls.client_auth_type].verifies;
	tls->policy.requires_cert = tls->request == GNUTLS_CERT_REQUIRE;
	return copy_sans(tls, &w->tls.client_allowed_sans);
}

static int set_priorities(struct http_tls *tls, const struct web_config *w,
			  struct config_errors *errors)
{
	_cleanup_(buf_done) struct buf to = BUF_INIT, old = BUF_INIT;
	int r = http_tls_priorities(w, &to, &old);

	if (r == -EINVAL)
		return refuse(w, errors, "tls_server_config.cipher_suites",
			      "has no suite for the versions that are allowed");
	if (r < 0)
		return r;
	r = gnutls_priority_init(&tls->priority, to.data, NULL);
	if (r == 0 && old.data[0] != '\0')
		r = gnutls_priority_init(&tls->old_priority, old.data, NULL);
	return r < 0 ? refuse_gnutls(w, errors, "tls_server_config", r) : 0;
}

int http_tls_new(const struct web_config *w, struct config_errors *errors,
		 struct http_tls **ret_tls)
{
	_cleanup_(cleanup_tls) struct http_tls *tls = calloc(1, sizeof(*tls));
	int r, other;

	if (!tls)
		return -ENOMEM;
	tls->references = 1;
	if (gnutls_certificate_allocate_credentials(&tls->credentials) < 0)
		return -ENOMEM;
	r = set_policy(tls, w);
	if (r == 0)
		r = set_priorities(tls, w, errors);
	other = load_pair(tls, w, errors);
	r = r < 0 ? r : other;
	other = load_authorities(tls, w, errors);
	r = r < 0 ? r : other;
	if (r < 0)
		return r;
	gnutls_certificate_set_verify_function(tls->credentials, judge);
	*ret_tls = take_ptr(tls);
	return 0;
}

struct http_tls *http_tls_ref(struct http_tls *tls)
{
	tls->references++;
	return tls;
}

void http_tls_unref(struct http_tls *tls)
{
	if (!tls || --tls->references > 0)
		return;
	if (tls->credentials)
		gnutls_certificate_free_credentials(tls->credentials);
	if (tls->priority)
		gnutls_priority_deinit(tls->priority);
	if (tls->old_priority)
		gnutls_priority_deinit(tls->old_priority);
	for (size_t i = 0; i < tls->policy.allowed_sans.count; i++)
		free(tls->policy.allowed_sans.items[i]);
	free(tls->policy.allowed_sans.items);
	free(tls);
}

/* When the version has been negotiated, and the suite has not. */
static int narrow(gnutls_session_t session)
{
	const struct http_tls *tls = gnutls_session_get_ptr(session);

	if (gnutls_protocol_get_version(session) >= GNUTLS_TLS1_3)
		return 0;
	return gnutls_priority_set(session, tls->old_priority);
}

int http_tls_attach(struct http_tls *tls, gnutls_session_t session)
{
	gnutls_session_set_ptr(session, tls);
	if (gnutls_priority_set(session, tls->priority) < 0 ||
	    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, tls->credentials) < 0)
		return -ENOMEM;
	gnutls_certificate_server_set_request(session, tls->request);
	gnutls_certificate_send_x509_rdn_sequence(session, tls->trusts_host);
	if (tls->old_priority)
		gnutls_handshake_set_post_client_hello_function(session, narrow);
	return 0;
}
