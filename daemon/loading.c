/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/loading.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/http_security.h"
#include "daemon/io/log.h"
#include "daemon/options.h"
#include "daemon/settings.h"
#include "daemon/util/cleanup.h"

/* The value, with carets under what is wrong with it. */
static void print_excerpt(const struct config_error *e)
{
	if (!e->excerpt[0])
		return;
	fprintf(stderr, "    %s\n    %*s", e->excerpt, (int)e->caret, "");
	for (unsigned int i = 0; i < e->caret_len; i++)
		fputc('^', stderr);
	fputc('\n', stderr);
}

void loading_print(void *userdata, const char *path, const struct config_errors *errors, int error)
{
	char text[SETTINGS_ERROR_MAX];

	(void)userdata;
	for (size_t i = 0; i < errors->count; i++) {
		settings_describe_error(path, &errors->items[i], text);
		fprintf(stderr, "%s\n", text);
		print_excerpt(&errors->items[i]);
	}
	if (errors->total > errors->count)
		fprintf(stderr, "%s: %zu more\n", path, errors->total - errors->count);
	if (error != -EINVAL)
		fprintf(stderr, "%s: %s\n", path ? path : "sockstatd", strerror(-error));
}

void loading_log(void *userdata, const char *path, const struct config_errors *errors, int error)
{
	char text[SETTINGS_ERROR_MAX], quoted[2 * SETTINGS_ERROR_MAX];

	(void)userdata;
	for (size_t i = 0; i < errors->count; i++) {
		settings_describe_error(path, &errors->items[i], text);
		log_error("configuration is wrong", "error=%s",
			  log_quote(text, quoted, sizeof(quoted)));
	}
	if (errors->total > errors->count)
		log_error("configuration is wrong", "more=%zu", errors->total - errors->count);
	if (error != -EINVAL)
		log_error("cannot read the configuration", "path=%s error=\"%s\"",
			  log_quote(path ? path : "", quoted, sizeof(quoted)), strerror(-error));
}

int loading_load(const struct options *o, const char *config_path, loading_say_fn say,
		 void *userdata, struct loaded *ret_loaded)
{
	_cleanup_(loading_done) struct loaded loaded = {0};
	struct config_errors errors;
	int r, web_r;

	r = settings_load(o, config_path, &errors, &loaded.config);
	if (r < 0)
		say(userdata, config_path, &errors, r);
	web_r = http_security_load(o->web_config_file, &errors, &loaded.security);
	if (web_r < 0)
		say(userdata, o->web_config_file, &errors, web_r);
	if (r < 0 || web_r < 0)
		return r < 0 ? r : web_r;
	ret_loaded->config = take_ptr(loaded.config);
	ret_loaded->security = take_ptr(loaded.security);
	return 0;
}

void loading_done(struct loaded *loaded)
{
	config_free(take_ptr(loaded->config));
	http_security_free(take_ptr(loaded->security));
}
