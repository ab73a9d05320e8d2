/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/util/utf8.h"

#include <stdint.h>
#include <string.h>

static size_t claimed_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first < 0xe0)
		return 2;
	if (first >= 0xe0 && first < 0xf0)
		return 3;
	if (first >= 0xf0 && first < 0xf5)
		return 4;
	return 0;
}

size_t utf8_character(const char *text, size_t n)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t len = claimed_length(bytes[0]);
	uint32_t point;

	if (len == 0 || len > n)
		return 0;
	point = len == 1 ? bytes[0] : bytes[0] & (0x7fU >> len);
	for (size_t i = 1; i < len; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (bytes[i] & 0x3f);
	}
	if (len == 3 && (point < 0x800 || (point >= 0xd800 && point < 0xe000)))
		return 0;
	if (len == 4 && (point < 0x10000 || point > 0x10ffff))
		return 0;
	return len;
}

size_t utf8_next(const char *text, size_t max, size_t *at, const char **ret_character)
{
	const char *next = text + *at;
	size_t left = strnlen(next, 4);
	size_t n = left > 0 ? utf8_character(next, left) : 0;
	size_t used = n > 0 ? n : 1;

	if (left == 0 || *at + used > max)
		return 0;
	*at += used;
	*ret_character = n > 0 ? next : UTF8_REPLACEMENT;
	return n > 0 ? n : strlen(UTF8_REPLACEMENT);
}
