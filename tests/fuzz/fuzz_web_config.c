/* SPDX-License-Identifier: Apache-2.0 */
/* Any text is refused with its errors, or is a web configuration that says no secret. */
#include "config/web_config.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_config(const struct web_config *w)
{
	struct buf text = BUF_INIT;

	require(web_config_has_tls(w) == (w->tls.key || w->tls.key_file));
	require(!w->tls.cert || !w->tls.cert_file);
	require(w->tls.min_version <= w->tls.max_version);
	require(w->users.count <= WEB_USERS_MAX);
	web_config_render(w, &text);
	for (size_t i = 0; i < w->users.count; i++)
		require(w->users.items[i].value &&
			(text.len == 0 || !memmem(text.data, text.len, w->users.items[i].value,
						  strlen(w->users.items[i].value))));
	buf_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct config_errors errors;
	struct web_config *w = NULL;
	int r;

	r = web_config_parse((const char *)bytes, n, &errors, &w);
	if (r == 0)
		check_config(w);
	else
		require(r == -EINVAL && errors.total > 0);
	web_config_free(w);
	return 0;
}
