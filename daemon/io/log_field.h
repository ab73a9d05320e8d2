/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fields of an entry, as callers write them: logfmt. They need not be well-formed, so they are
 * read back here, and what is written of them is written anew.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Two quotes and the terminating byte, the mark of a cut, and one character or escape. */
#define LOG_QUOTED_BYTES_MIN 12

struct log_field {
	const char *key;
	size_t key_len;
	const char *value; /* without its quotes */
	size_t value_len;
	bool quoted; /* the value's escapes are escapes */
};

/* Reads one "key=value" at *TEXT and moves it behind; false at the end. */
bool log_field_next(const char **text, struct log_field *f);
/* Whether logfmt takes the value without quotes. */
bool log_field_is_plain(const char *value, size_t len);
/* Writes the field's value in quotes, terminated, and returns its length. What SIZE bytes (at least
 * LOG_QUOTED_BYTES_MIN) do not hold is cut behind a whole character, and marked. */
size_t log_field_quote(const struct log_field *f, char *buffer, size_t size);
/* The value as it was before it was quoted, not terminated, cut at SIZE bytes; its length. */
size_t log_field_unquote(const struct log_field *f, char *buffer, size_t size);
