/* SPDX-License-Identifier: Apache-2.0 */
/* Between a TLS session and its socket: who speaks HTTP where TLS is spoken is told so. */
#pragma once

#include <gnutls/gnutls.h>
#include <stdbool.h>

struct http_wire {
	int fd;         /* borrowed */
	bool has_begun; /* something was received */
};

/* The session reads through WIRE, which must outlive it, and writes to FD. */
void http_wire_attach(struct http_wire *wire, int fd, gnutls_session_t session);
