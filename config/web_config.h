/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The web configuration: TLS, users and headers, in the file format of Prometheus'
 * exporter-toolkit. Plain values; whether its files can be read, and keys fit, is not known here.
 */
#pragma once

#include <stdbool.h>

#include "config/config_errors.h"
#include "config/config_types.h"
#include "daemon/util/buf.h"

enum web_client_auth {
	WEB_CLIENT_AUTH_NONE,
	WEB_CLIENT_AUTH_REQUEST,
	WEB_CLIENT_AUTH_REQUIRE_ANY,
	WEB_CLIENT_AUTH_REQUIRE, /* another name of the one before */
	WEB_CLIENT_AUTH_VERIFY_IF_GIVEN,
	WEB_CLIENT_AUTH_REQUIRE_AND_VERIFY,
};

enum web_tls_version {
	WEB_TLS10,
	WEB_TLS11,
	WEB_TLS12,
	WEB_TLS13,
};

#define WEB_HEADERS      5 /* that may be set; their names are web_header_name() */
#define WEB_USERS_MAX    256
#define WEB_COST_MAX     18 /* of a bcrypt hash: as in the example of exporter-toolkit */
#define WEB_PASSWORD_MAX 72 /* bytes of which bcrypt takes notice */
#define WEB_KEYS_MAX     32

/* Strings that the file does not give are NULL. Of CERT and CERT_FILE, and so on, one at most is
 * given; paths are as the process can open them. */
struct web_config {
	struct {
		char *cert, *cert_file, *key, *key_file, *client_ca, *client_ca_file;
		int client_auth_type; /* enum web_client_auth */
		struct config_strings client_allowed_sans;
		struct config_strings cipher_suites, curve_preferences; /* web_suites.h */
		int min_version, max_version;                           /* enum web_tls_version */
		int prefer_server_cipher_suites;
	} tls;
	int http2; /* is read, and changes nothing */
	char *headers[WEB_HEADERS];
	struct config_pairs users; /* names, and bcrypt hashes of passwords */
	struct {
		uint64_t interval_ns, burst; /* no interval: no limit */
	} rate_limit;
	struct config_mark places[WEB_KEYS_MAX];
};

/* Reads YAML text. As config_parse(): 0 and *RET_CONFIG, which the caller frees; -EINVAL with
 * ERRORS filled; or -ENOMEM. */
int web_config_parse(const char *text, size_t n, struct config_errors *errors,
		     struct web_config **ret_config);
/* The same from a file: -errno if it cannot be read. Paths in it are relative to its directory. */
int web_config_load(const char *path, struct config_errors *errors, struct web_config **ret_config);
void web_config_free(struct web_config *w);

/* Whether it wants TLS at all; it does not where it merely says with which versions. */
bool web_config_has_tls(const struct web_config *w);
/* Where the file says what it says of a key ("tls_server_config.key_file"); 0, 0: nowhere. */
struct config_mark web_config_place(const struct web_config *w, const char *path);
/* "X-Frame-Options". */
const char *web_header_name(unsigned int header);

/* What the file says, a line for each key, as comments of YAML; secrets are hidden. */
void web_config_render(const struct web_config *w, struct buf *out);
