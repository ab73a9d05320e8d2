/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What connections are encrypted with: certificate and key, whom to ask for a certificate, versions
 * and suites. Immutable and shared: a connection keeps what it began with, and the next one gets
 * what is configured then.
 */
#pragma once

#include <gnutls/gnutls.h>

#include "config/web_config.h"

struct http_tls;

/* Reads what a web configuration with TLS names. 0; -EINVAL, and what is wrong is added to ERRORS;
 * or -ENOMEM. */
int http_tls_new(const struct web_config *w, struct config_errors *errors,
		 struct http_tls **ret_tls);
/* Counted by one thread. */
struct http_tls *http_tls_ref(struct http_tls *tls);
void http_tls_unref(struct http_tls *tls);

/* Makes a session, whose handshake has not begun, one of TLS, which it must not outlive. 0 or
 * -ENOMEM, and then its handshake fails. */
int http_tls_attach(struct http_tls *tls, gnutls_session_t session);
