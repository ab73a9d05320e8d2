/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/basic_auth.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#define SCHEME "Basic "

/* The six bits that a letter stands for; −1: it is none. */
static int bits_of(char c)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *found = c == '\0' ? NULL : strchr(letters, c);

	return found ? (int)(found - letters) : -1;
}

/* Four letters, of which the last ones may be "="; how many bytes, 0: none such. */
static size_t decode_four(const char *letters, unsigned char ret_bytes[3])
{
	uint32_t bits = 0;
	size_t padding = 0;

	for (int i = 0; i < 4; i++) {
		int value = bits_of(letters[i]);

		if (letters[i] == '=' && i >= 2)
			padding++;
		else if (value < 0 || padding > 0)
			return 0;
		bits = bits << 6 | (value < 0 ? 0 : (uint32_t)value);
	}
	for (int i = 0; i < 3; i++)
		ret_bytes[i] = (unsigned char)(bits >> (16 - 8 * i));
	return 3 - padding;
}

/* How many bytes TEXT then has, or -EINVAL. */
static int decode(const char *letters, char text[BASIC_AUTH_MAX + 1])
{
	size_t n = strlen(letters), len = 0;
	unsigned char bytes[3];

	if (n == 0 || n % 4 != 0 || n / 4 * 3 > BASIC_AUTH_MAX)
		return -EINVAL;
	for (size_t i = 0; i < n; i += 4) {
		size_t got = decode_four(letters + i, bytes);

		if (got == 0 || (got < 3 && i + 4 < n))
			return -EINVAL;
		memcpy(text + len, bytes, got);
		len += got;
	}
	text[len] = '\0';
	return (int)len;
}

int basic_auth_parse(const char *field, struct basic_auth *ret_auth)
{
	char *colon;
	int len;

	if (strncasecmp(field, SCHEME, strlen(SCHEME)) != 0)
		return -EINVAL;
	field += strlen(SCHEME);
	len = decode(field + strspn(field, " "), ret_auth->text);
	if (len < 0 || strlen(ret_auth->text) != (size_t)len)
		return -EINVAL;
	colon = strchr(ret_auth->text, ':');
	if (!colon)
		return -EINVAL;
	*colon = '\0';
	ret_auth->user = ret_auth->text;
	ret_auth->password = colon + 1;
	return 0;
}
