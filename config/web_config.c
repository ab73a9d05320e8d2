/* SPDX-License-Identifier: Apache-2.0 */
#include "config/web_config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_bind.h"
#include "config/config_file.h"
#include "config/config_value.h"
#include "config/web_schema.h"
#include "daemon/util/cleanup.h"
#include "daemon/util/macros.h"

DEFINE_CLEANUP(struct web_config *, web_config, web_config_free);

static struct web_config *web_config_new(void)
{
	_cleanup_(cleanup_web_config) struct web_config *w = calloc(1, sizeof(*w));

	for (size_t i = 0; w && i < web_schema.count; i++)
		if (config_value_set_fallback(&web_schema.keys[i], w) < 0)
			return NULL;
	return take_ptr(w);
}

void web_config_free(struct web_config *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < web_schema.count; i++)
		config_value_clear(&web_schema.keys[i], w);
	free(w);
}

int web_config_parse(const char *text, size_t n, struct config_errors *errors,
		     struct web_config **ret_config)
{
	_cleanup_(cleanup_web_config) struct web_config *w = NULL;
	int r;

	*errors = (struct config_errors){0};
	w = web_config_new();
	if (!w)
		return -ENOMEM;
	r = config_bind_text(text, n, &web_schema, errors, w);
	if (r < 0)
		return r;
	*ret_config = take_ptr(w);
	return 0;
}

/* Puts the directory, which ends with a slash or is empty, before a path that is relative. */
static int join(const char *directory, size_t n, char **path)
{
	char *joined;

	if (!*path || (*path)[0] == '/' || n == 0)
		return 0;
	if (asprintf(&joined, "%.*s%s", (int)n, directory, *path) < 0)
		return -ENOMEM;
	free(*path);
	*path = joined;
	return 0;
}

static int join_all(struct web_config *w, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash + 1 - path) : 0;
	char **files[] = {&w->tls.cert_file, &w->tls.key_file, &w->tls.client_ca_file};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(files); i++)
		r = join(path, n, files[i]);
	return r;
}

int web_config_load(const char *path, struct config_errors *errors, struct web_config **ret_config)
{
	_cleanup_(cleanup_web_config) struct web_config *w = NULL;
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	int r;

	*errors = (struct config_errors){0};
	r = config_file_read(path, CONFIG_YAML_TEXT_MAX, &text);
	if (r == 0)
		r = web_config_parse(text.data, text.len, errors, &w);
	if (r == 0)
		r = join_all(w, path);
	if (r < 0)
		return r;
	*ret_config = take_ptr(w);
	return 0;
}

bool web_config_has_tls(const struct web_config *w)
{
	return w->tls.cert || w->tls.cert_file;
}

struct config_mark web_config_place(const struct web_config *w, const char *path)
{
	int index = config_schema_find(&web_schema, path);

	return index < 0 ? (struct config_mark){0, 0} : w->places[index];
}

const char *web_header_name(unsigned int header)
{
	int first = config_schema_find_section(&web_schema, "http_server_config.headers");

	return web_schema.keys[(unsigned int)first + header].path + strlen(WEB_HEADER_PREFIX);
}
