/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/http_security.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/http_tls.h"
#include "daemon/http_users.h"
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

static int security_new(const struct web_config *w, struct config_errors *errors,
			struct http_security **ret_security)
{
	_cleanup_(cleanup_security) struct http_security *s = calloc(1, sizeof(*s));
	int r, tls_r = 0;

	if (!s)
		return -ENOMEM;
	s->rate.interval_ns = w->rate_limit.interval_ns;
	s->rate.burst = w->rate_limit.burst;
	r = copy_headers(s, w);
	if (r == 0 && w->users.count > 0)
		r = http_users_new(w, errors, &s->users);
	if (web_config_has_tls(w))
		tls_r = http_tls_new(w, errors, &s->tls);
	if (r < 0 || tls_r < 0)
		return r < 0 ? r : tls_r;
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
	http_users_free(security->users);
	for (unsigned int i = 0; i < WEB_HEADERS; i++)
		free(security->headers[i].value);
	free(security);
}

void http_security_say(const struct http_security *security)
{
	unsigned int users = security && security->users ? http_users_count(security->users) : 0;

	log_info(security && security->tls ? "TLS is enabled" : "TLS is disabled", "users=%u",
		 users);
}
