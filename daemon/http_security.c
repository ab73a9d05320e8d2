/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/http_security.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/http_tls.h"
#include "daemon/io/log.h"
#include "daemon/util/cleanup.h"

DEFINE_CLEANUP(struct web_config *, web_config, web_config_free);
DEFINE_CLEANUP(struct http_security *, security, http_security_free);

static int copy_headers(struct http_security *s, const struct web_config *w)
{
	for (unsigned int i = 0; i < WEB_HEADERS; i++) {
		s->headers[i].name = web_header_name(i);
		if (!w->headers[i])
			continue;
		s->headers[i].value = strdup(w->headers[i]);
		if (!s->headers[i].value)
			return -ENOMEM;
	}
	return 0;
}

static int refuse_users(const struct web_config *w, struct config_errors *errors)
{
	if (w->users.count == 0)
		return 0;
	config_errors_add(errors, web_config_place(w, "basic_auth_users"), "basic_auth_users",
			  "is not supported");
	return -EINVAL;
}

static int security_new(const struct web_config *w, struct config_errors *errors,
			struct http_security **ret_security)
{
	_cleanup_(cleanup_security) struct http_security *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	r = copy_headers(s, w);
	if (r == 0)
		r = refuse_users(w, errors);
	if (r == 0 && web_config_has_tls(w))
		r = http_tls_new(w, errors, &s->tls);
	if (r < 0)
		return r;
	*ret_security = take_ptr(s);
	return 0;
}

int http_security_load(const char *path, struct config_errors *errors,
		       struct http_security **ret_security)
{
	_cleanup_(cleanup_web_config) struct web_config *w = NULL;
	int r;

	*errors = (struct config_errors){0};
	if (!path) {
		*ret_security = NULL;
		return 0;
	}
	r = web_config_load(path, errors, &w);
	return r < 0 ? r : security_new(w, errors, ret_security);
}

void http_security_free(struct http_security *security)
{
	if (!security)
		return;
	http_tls_unref(security->tls);
	for (unsigned int i = 0; i < WEB_HEADERS; i++)
		free(security->headers[i].value);
	free(security);
}

void http_security_say(const struct http_security *security)
{
	if (security && security->tls)
		log_info("TLS is enabled", NULL);
	else
		log_info("TLS is disabled", NULL);
}
