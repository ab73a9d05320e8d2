/* SPDX-License-Identifier: Apache-2.0 */
/* What the web configuration makes of the server: TLS, users, headers and a limit. Owned by one,
 * and immutable but for what the limit counts. */
#pragma once

#include "config/web_config.h"
#include "daemon/core/token_bucket.h"

struct http_tls;
struct http_users;

struct http_header {
	const char *name;
	char *value;
};

struct http_security {
	struct http_tls *tls;                    /* NULL: plain HTTP */
	struct http_users *users;                /* NULL: everybody may come */
	struct token_bucket rate;                /* of requests */
	struct http_header headers[WEB_HEADERS]; /* of every answer; some have no value */
};

/* Loads the file and what it names. PATH may be NULL: no file, and *RET_SECURITY is NULL. 0;
 * -EINVAL with ERRORS filled; or -errno: the file cannot be read. */
int http_security_load(const char *path, struct config_errors *errors,
		       struct http_security **ret_security);
void http_security_free(struct http_security *security);
/* Says in the log what is served. */
void http_security_say(const struct http_security *security);
