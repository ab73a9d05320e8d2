/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/sockstat.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "daemon/util/parse_num.h"

/* Copies the word at *AT, and moves on to the next. One that does not fit is none that is sought.
 */
static bool take_word(const char **at, const char *end, char ret_word[24])
{
	const char *begin;
	size_t len;

	while (*at < end && **at == ' ')
		(*at)++;
	begin = *at;
	while (*at < end && **at != ' ')
		(*at)++;
	len = (size_t)(*at - begin);
	if (len == 0)
		return false;
	if (len >= 24)
		len = 0;
	memcpy(ret_word, begin, len);
	ret_word[len] = '\0';
	return true;
}

/* "TCP: inuse 5 orphan 0": behind the name, keys and values by turns. */
static int parse_line(const char *at, const char *end, const char *key, uint64_t *ret_value)
{
	char name[24], value[24];

	while (take_word(&at, end, name)) {
		if (!take_word(&at, end, value))
			return -EBADMSG;
		if (strcmp(name, key) == 0)
			return parse_u64(value, 0, UINT64_MAX, ret_value) ? -EBADMSG : 0;
	}
	return -ENOENT;
}

int sockstat_parse(const char *text, size_t n, const char *line, const char *key,
		   uint64_t *ret_value)
{
	const char *at = text, *end = text + n;

	while (at < end) {
		/* A line without its end may be cut inside a number. */
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *next = at;
		char name[24];

		if (!newline)
			break;
		if (take_word(&next, newline, name) && strcmp(name, line) == 0)
			return parse_line(next, newline, key, ret_value);
		at = newline + 1;
	}
	return -ENOENT;
}
