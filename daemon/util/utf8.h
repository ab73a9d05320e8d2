/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign bytes as text: what is UTF-8 (RFC 3629) and what is not. */
#pragma once

#include <stddef.h>

/* U+FFFD, which stands for a byte that is not part of valid UTF-8. */
#define UTF8_REPLACEMENT "\xef\xbf\xbd"

/* The length of the character at TEXT, which has N > 0 bytes; 0: its first byte begins none. */
size_t utf8_character(const char *text, size_t n);
/* The next character of a string of which MAX bytes count, or U+FFFD for a byte that begins none;
 * its length, and AT behind it. 0: no whole one is left. */
size_t utf8_next(const char *text, size_t max, size_t *at, const char **ret_character);
