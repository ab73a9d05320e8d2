/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/http_tls_peer.h"

#include <arpa/inet.h>
#include <gnutls/x509.h>
#include <string.h>

#include "daemon/util/cleanup.h"

/* Longer than any name that is worth comparing. */
#define SAN_LEN_MAX 512

struct san {
	enum gnutls_x509_subject_alt_name_t type;
	unsigned char bytes[SAN_LEN_MAX];
	size_t len;
};

static bool is_address(const struct san *san, const char *allowed)
{
	unsigned char address[sizeof(struct in6_addr)];

	if (san->len == sizeof(struct in_addr))
		return inet_pton(AF_INET, allowed, address) == 1 &&
		       memcmp(address, san->bytes, san->len) == 0;
	return san->len == sizeof(address) && inet_pton(AF_INET6, allowed, address) == 1 &&
	       memcmp(address, san->bytes, san->len) == 0;
}

static bool is_same(const struct san *san, const char *allowed)
{
	switch ((int)san->type) {
	case GNUTLS_SAN_IPADDRESS:
		return is_address(san, allowed);
	case GNUTLS_SAN_DNSNAME:
	case GNUTLS_SAN_RFC822NAME:
	case GNUTLS_SAN_URI:
		return san->len == strlen(allowed) && memcmp(san->bytes, allowed, san->len) == 0;
	default: /* of GnuTLS's, which has others */
		return false;
	}
}

static bool is_allowed(const struct san *san, const struct config_strings *allowed)
{
	for (size_t i = 0; i < allowed->count; i++)
		if (is_same(san, allowed->items[i]))
			return true;
	return false;
}

static bool has_allowed_san(gnutls_x509_crt_t cert, const struct config_strings *allowed)
{
	struct san san;
	int type;

	for (unsigned int i = 0;; i++) {
		san.len = sizeof(san.bytes);
		type = gnutls_x509_crt_get_subject_alt_name(cert, i, san.bytes, &san.len, NULL);
		if (type == GNUTLS_E_SHORT_MEMORY_BUFFER)
			continue;
		if (type < 0)
			return false;
		san.type = (enum gnutls_x509_subject_alt_name_t)type;
		if (is_allowed(&san, allowed))
			return true;
	}
}

static bool is_allowed_peer(const gnutls_datum_t *peer, const struct config_strings *allowed)
{
	gnutls_x509_crt_t cert;
	bool found;

	if (gnutls_x509_crt_init(&cert) < 0)
		return false;
	found = gnutls_x509_crt_import(cert, peer, GNUTLS_X509_FMT_DER) == 0 &&
		has_allowed_san(cert, allowed);
	gnutls_x509_crt_deinit(cert);
	return found;
}

static bool is_trusted(gnutls_session_t session)
{
	gnutls_typed_vdata_st purpose = {
		.type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT,
	};
	unsigned int status = 0;

	return gnutls_certificate_verify_peers(session, &purpose, 1, &status) == 0 && status == 0;
}

static bool is_welcome(const struct http_tls_policy *policy, gnutls_session_t session)
{
	unsigned int count = 0;
	const gnutls_datum_t *peers = gnutls_certificate_get_peers(session, &count);

	if (!peers || count == 0)
		return !policy->requires_cert;
	if (policy->verifies && !is_trusted(session))
		return false;
	return policy->allowed_sans.count == 0 || is_allowed_peer(&peers[0], &policy->allowed_sans);
}

int http_tls_judge(const struct http_tls_policy *policy, gnutls_session_t session)
{
	if (is_welcome(policy, session))
		return 0;
	/* libmicrohttpd would end the connection without a word. */
	gnutls_alert_send(session, GNUTLS_AL_FATAL, GNUTLS_A_BAD_CERTIFICATE);
	return GNUTLS_E_CERTIFICATE_ERROR;
}
