/* SPDX-License-Identifier: Apache-2.0 */
/* Judges the certificate of a client while it shakes hands. */
#pragma once

#include <gnutls/gnutls.h>
#include <stdbool.h>

#include "config/config_types.h"

struct http_tls_policy {
	bool requires_cert, verifies;
	struct config_strings allowed_sans; /* owned; none: any */
};

/* With the certificates that a client has sent, if any; 0 or an error of GnuTLS. Tells the client
 * when it refuses. */
int http_tls_judge(const struct http_tls_policy *policy, gnutls_session_t session);
