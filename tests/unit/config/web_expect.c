/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/config/web_expect.h"

#include <errno.h>
#include <string.h>

#include "tests/support/test_support.h"

static void render_errors(const struct config_errors *errors, struct buf *out)
{
	for (size_t i = 0; i < errors->count; i++) {
		const struct config_error *e = &errors->items[i];

		buf_add_format(out, "%s%u:%u: %s: %s", i > 0 ? "\n" : "", e->line, e->column,
			       e->key, e->what);
	}
	buf_add_char(out, '\0');
}

void expect_web_errors(const char *text, const char *expected)
{
	struct config_errors errors;
	struct web_config *w = NULL;
	struct buf found = BUF_INIT;
	int r;

	r = web_config_parse(text, strlen(text), &errors, &w);
	render_errors(&errors, &found);
	cr_assert_eq(r, -EINVAL, "%s: %d", text, r);
	cr_assert_null(w, "%s", text);
	cr_assert_str_eq(found.data, expected, "%s:\n%s\ninstead of\n%s", text, found.data,
			 expected);
	buf_done(&found);
}

struct web_config *expect_web_config(const char *name, const char *text)
{
	struct config_errors errors;
	struct web_config *w = NULL;
	struct buf found = BUF_INIT;
	int r;

	r = web_config_parse(text, strlen(text), &errors, &w);
	render_errors(&errors, &found);
	cr_assert_eq(r, 0, "%s: %d\n%s", name, r, found.data);
	buf_done(&found);
	return w;
}
