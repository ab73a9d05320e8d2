/* SPDX-License-Identifier: Apache-2.0 */
/* Both files that the daemon is configured by, at its start and at each reload. */
#pragma once

#include "config/config_errors.h"

struct config;
struct http_security;
struct options;

struct loaded {
	struct config *config;
	struct http_security *security; /* NULL: there is no such file */
};

/* Says why a file could not be loaded: -EINVAL, and what is in ERRORS; or -errno alone. PATH may be
 * NULL. */
typedef void (*loading_say_fn)(void *userdata, const char *path, const struct config_errors *errors,
			       int error);
/* On standard error, and in the log. */
void loading_print(void *userdata, const char *path, const struct config_errors *errors, int error);
void loading_log(void *userdata, const char *path, const struct config_errors *errors, int error);

/* Loads the file at CONFIG_PATH, NULL: the defaults, and the web configuration that the flags name.
 * What is wrong with either is said. 0, or -errno and nothing is loaded. */
int loading_load(const struct options *o, const char *config_path, loading_say_fn say,
		 void *userdata, struct loaded *ret_loaded);
void loading_done(struct loaded *loaded);
