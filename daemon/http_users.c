/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/http_users.h"

#include <assert.h>
#include <crypt.h>
#include <errno.h>
#include <gnutls/crypto.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/util/cleanup.h"

#define KEY_BYTES    32
#define DIGEST_BYTES 32

struct http_users {
	unsigned char key[KEY_BYTES]; /* so that nobody can tell whose hash a stranger meets */
	unsigned int count;
	struct http_user {
		char *name;
		char hash[HTTP_HASH_LEN + 1];
	} items[];
};

DEFINE_CLEANUP(struct http_users *, users, http_users_free);

static int take(struct http_users *users, const struct config_pair *pair,
		const struct web_config *w, struct config_errors *errors)
{
	struct config_mark place = web_config_place(w, "basic_auth_users");
	struct http_user *user = &users->items[users->count];
	int salt = crypt_checksalt(pair->value);

	assert(strlen(pair->value) == HTTP_HASH_LEN);
	/* $2x$ is of a bcrypt that had a mistake. */
	if (salt != CRYPT_SALT_OK && salt != CRYPT_SALT_METHOD_LEGACY) {
		place.line = pair->line;
		config_errors_add(errors, place, "basic_auth_users",
				  "%s: libcrypt does not take this hash", pair->name);
		return -EINVAL;
	}
	user->name = strdup(pair->name);
	if (!user->name)
		return -ENOMEM;
	memcpy(user->hash, pair->value, HTTP_HASH_LEN + 1);
	users->count++;
	return 0;
}

int http_users_new(const struct web_config *w, struct config_errors *errors,
		   struct http_users **ret_users)
{
	_cleanup_(cleanup_users) struct http_users *users = NULL;
	int r = 0, one;

	assert(w->users.count > 0);
	users = calloc(1, sizeof(*users) + w->users.count * sizeof(users->items[0]));
	if (!users || gnutls_rnd(GNUTLS_RND_KEY, users->key, sizeof(users->key)) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < w->users.count; i++) {
		one = take(users, &w->users.items[i], w, errors);
		if (one == -ENOMEM)
			return one;
		r = one < 0 ? one : r;
	}
	if (r < 0)
		return r;
	*ret_users = take_ptr(users);
	return 0;
}

void http_users_free(struct http_users *users)
{
	for (unsigned int i = 0; users && i < users->count; i++)
		free(users->items[i].name);
	free(users);
}

unsigned int http_users_count(const struct http_users *users)
{
	return users->count;
}

static const struct http_user *pick(const struct http_users *users, const char *name)
{
	unsigned char digest[DIGEST_BYTES] = {0};
	uint32_t n;

	gnutls_hmac_fast(GNUTLS_MAC_SHA256, users->key, sizeof(users->key), name, strlen(name),
			 digest);
	memcpy(&n, digest, sizeof(n));
	return &users->items[n % users->count];
}

const char *http_users_hash(const struct http_users *users, const char *name, bool *ret_is_known)
{
	const struct http_user *user = NULL;

	for (unsigned int i = 0; i < users->count; i++)
		if (strcmp(users->items[i].name, name) == 0)
			user = &users->items[i];
	*ret_is_known = user;
	return user ? user->hash : pick(users, name)->hash;
}

static void wipe(void *state)
{
	explicit_bzero(state, sizeof(struct crypt_data));
	free(state);
}

/* It does nothing but to compute, so that it may be left at any point. */
static const char *compute(const char *hash, const char *password, struct crypt_data *state)
{
	const char *found;
	int type, before;

	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &before);
	found = crypt_r(password, hash, state);
	pthread_setcancelstate(before, NULL);
	pthread_setcanceltype(type, NULL);
	return found;
}

/* NOLINTNEXTLINE(readability-function-size): the nesting is that of the C library's macros. */
static void hold(const char *hash, const char *password, struct crypt_data *state,
		 bool *ret_is_same)
{
	const char *found;

	pthread_cleanup_push(wipe, state);
	found = compute(hash, password, state);
	*ret_is_same = found && strlen(found) == HTTP_HASH_LEN &&
		       gnutls_memcmp(found, hash, HTTP_HASH_LEN) == 0;
	pthread_cleanup_pop(1);
}

int http_users_verify(const char *hash, const char *password)
{
	struct crypt_data *state = calloc(1, sizeof(*state));
	bool is_same = false;

	if (!state)
		return -ENOMEM;
	hold(hash, password, state, &is_same);
	return is_same ? 0 : -EACCES;
}
