/* SPDX-License-Identifier: Apache-2.0 */
/* Who may come, and with which password: names and bcrypt hashes. Immutable. */
#pragma once

#include <stdbool.h>

#include "config/web_config.h"

#define HTTP_HASH_LEN 60

struct http_users;

/* Copies the pairs, of which there is at least one. 0; -EINVAL, and what libcrypt does not like is
 * added to ERRORS at the place of the users; or -ENOMEM. */
int http_users_new(const struct web_config *w, struct config_errors *errors,
		   struct http_users **ret_users);
void http_users_free(struct http_users *users);
unsigned int http_users_count(const struct http_users *users);

/* The hash to hold the password of NAME against, of HTTP_HASH_LEN characters. A stranger's is held
 * against that of some user, always the same one, so that it takes as long. */
const char *http_users_hash(const struct http_users *users, const char *name, bool *ret_is_known);

/* Whether the password is that of the hash: takes as long as the hash's cost says, tens or hundreds
 * of milliseconds, or seconds; its thread can be cancelled meanwhile, and then nothing is left
 * behind. 0; -EACCES: it is not; or -ENOMEM. */
int http_users_verify(const char *hash, const char *password);
