/* SPDX-License-Identifier: Apache-2.0 */
/* Who a request says it is from: the field Authorization of RFC 7617. */
#pragma once

#include <stddef.h>

/* A name and a password of this many bytes are more than anybody is asked for. */
#define BASIC_AUTH_MAX 1024

struct basic_auth {
	char text[BASIC_AUTH_MAX + 1];
	const char *user, *password; /* in the text, terminated */
};

/* 0, or -EINVAL: it is of another kind, not well formed, too long, or holds a NUL. */
int basic_auth_parse(const char *field, struct basic_auth *ret_auth);
