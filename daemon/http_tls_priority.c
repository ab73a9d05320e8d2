/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A priority string names key exchanges, ciphers and MACs, not suites: what is listed with one key
 * exchange is offered with each one that is listed. TLS 1.3 shares the ciphers but not the choice,
 * as in Go, so there are two strings, and the second is for when the version is known to be older.
 */
#include "daemon/http_tls_priority.h"

#include <errno.h>

#include "config/web_suites.h"
#include "daemon/util/macros.h"

static const char *const versions[] = {
	[WEB_TLS10] = "TLS1.0",
	[WEB_TLS11] = "TLS1.1",
	[WEB_TLS12] = "TLS1.2",
	[WEB_TLS13] = "TLS1.3",
};

static void add_versions(struct buf *out, int min, int max)
{
	/* Without forward secrecy, or with groups that are not curves, only who lists it. */
	buf_add_str(out, "NORMAL:-RSA:-DHE-RSA:-DHE-DSS:-VERS-ALL");
	for (int i = WEB_TLS10; i <= WEB_TLS13; i++)
		if (i >= min && i <= max)
			buf_add_format(out, ":+VERS-%s", versions[i]);
}

static void add_curves(struct buf *out, const struct config_strings *curves)
{
	if (curves->count > 0)
		buf_add_str(out, ":-GROUP-ALL");
	for (size_t i = 0; i < curves->count; i++)
		buf_add_format(out, ":+%s", web_curve_find(curves->items[i])->group);
}

static void add_suites(struct buf *out, const struct config_strings *suites)
{
	buf_add_str(out, ":-KX-ALL:-CIPHER-ALL:-MAC-ALL");
	for (size_t i = 0; i < suites->count; i++) {
		const struct web_suite *suite = web_suite_find(suites->items[i]);

		if (suite->exchange)
			buf_add_format(out, ":+%s:+%s:+%s", suite->exchange, suite->cipher,
				       suite->mac);
	}
}

static void add_end(struct buf *out, const struct web_config *w)
{
	add_curves(out, &w->tls.curve_preferences);
	if (w->tls.prefer_server_cipher_suites)
		buf_add_str(out, ":%SERVER_PRECEDENCE");
	buf_add_char(out, '\0');
}

/* Whether any suite of the list is for a version below 1.3. */
static bool has_old_suite(const struct config_strings *suites)
{
	for (size_t i = 0; i < suites->count; i++)
		if (web_suite_find(suites->items[i])->exchange)
			return true;
	return false;
}

int http_tls_priorities(const struct web_config *w, struct buf *to, struct buf *old)
{
	const struct config_strings *suites = &w->tls.cipher_suites;
	int min = w->tls.min_version, max = w->tls.max_version;

	if (suites->count > 0 && !has_old_suite(suites))
		min = WEB_TLS13;
	if (min > max)
		return -EINVAL;
	add_versions(to, min, max);
	add_end(to, w);
	if (suites->count > 0 && min < WEB_TLS13) {
		add_versions(old, min, MIN(max, (int)WEB_TLS12));
		add_suites(old, suites);
		add_end(old, w);
	} else {
		buf_add_char(old, '\0');
	}
	return to->error ? to->error : old->error;
}
