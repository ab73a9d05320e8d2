/* SPDX-License-Identifier: Apache-2.0 */
/* What a web configuration says, for people. */
#include "config/config_render.h"
#include "config/web_config.h"
#include "config/web_schema.h"

#define HIDDEN "<secret>\n"

static void render_pairs(const char *path, const struct config_pairs *pairs, struct buf *out)
{
	for (size_t i = 0; i < pairs->count; i++) {
		buf_add_format(out, "# %s.", path);
		config_render_string(pairs->items[i].name, out);
		buf_add_str(out, ": " HIDDEN);
	}
}

void web_config_render(const struct web_config *w, struct buf *out)
{
	for (size_t i = 0; i < web_schema.count; i++) {
		const struct config_key *key = &web_schema.keys[i];

		if (w->places[i].line == 0)
			continue;
		if (key->type == CONFIG_TYPE_PAIRS) {
			render_pairs(key->path, &w->users, out);
			continue;
		}
		buf_add_format(out, "# %s: ", key->path);
		if (key->is_secret) {
			buf_add_str(out, HIDDEN);
			continue;
		}
		config_render_value(key, w, out);
		buf_add_char(out, '\n');
	}
}
