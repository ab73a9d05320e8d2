/* SPDX-License-Identifier: Apache-2.0 */
/* Any text is refused with its errors in order, or rendered as text that reads back as the same. */
#include "config/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_errors(const struct config_errors *errors)
{
	require(errors->total > 0 && errors->count > 0);
	require(errors->count <= CONFIG_ERRORS_MAX && errors->count <= errors->total);
	for (size_t i = 0; i < errors->count; i++) {
		const struct config_error *e = &errors->items[i], *before = e - 1;

		require(memchr(e->key, '\0', sizeof(e->key)) != NULL);
		require(memchr(e->what, '\0', sizeof(e->what)) != NULL && e->what[0] != '\0');
		require((e->line == 0) == (e->column == 0));
		if (i > 0)
			require(before->line < e->line ||
				(before->line == e->line && before->column <= e->column));
	}
}

static void check_config(const struct config *c)
{
	struct buf text = BUF_INIT, again = BUF_INIT;
	struct config_errors errors;
	struct config *back = NULL;

	config_render(c, &text);
	require(config_parse(text.data, text.len, &errors, &back) == 0);
	config_render(back, &again);
	require(text.len == again.len && memcmp(text.data, again.data, text.len) == 0);
	config_free(back);
	buf_done(&again);
	buf_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct config_errors errors;
	struct config *c = NULL;
	int r;

	r = config_parse((const char *)bytes, n, &errors, &c);
	if (r == 0)
		check_config(c);
	else if (r == -EINVAL)
		check_errors(&errors);
	else
		abort();
	config_free(c);
	return 0;
}
