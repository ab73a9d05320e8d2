/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/utf8_model.h"

#include <string.h>

size_t utf8_model_encode(uint32_t point, unsigned char ret_bytes[4])
{
	size_t len = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
	static const unsigned char marks[] = {0, 0, 0xc0, 0xe0, 0xf0};

	if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	for (size_t i = len - 1; i > 0; i--) {
		ret_bytes[i] = (unsigned char)(0x80 | (point & 0x3f));
		point >>= 6;
	}
	ret_bytes[0] = (unsigned char)(marks[len] | point);
	return len;
}

/* The number that LEN bytes would have if they were a character of this length. */
static uint32_t number_of(const unsigned char *bytes, size_t len)
{
	static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t point = bytes[0] & masks[len];

	for (size_t i = 1; i < len; i++)
		point = point << 6 | (bytes[i] & 0x3f);
	return point;
}

size_t utf8_model_character(const char *text, size_t n)
{
	const unsigned char *bytes = (const unsigned char *)text;
	unsigned char encoded[4];

	for (size_t len = 1; len <= 4 && len <= n; len++)
		if (utf8_model_encode(number_of(bytes, len), encoded) == len &&
		    memcmp(encoded, bytes, len) == 0)
			return len;
	return 0;
}
