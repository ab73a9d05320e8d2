/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/log_field.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/io/log.h"
#include "daemon/util/utf8.h"

/* Stands at the end of what was cut: an ellipsis. */
#define CUT_MARK "\xe2\x80\xa6"

/* What has an escape of its own, and that escape's letter; JSON's, which logfmt shares. */
static const char escaped_characters[] = "\"\\\n\r\t";
static const char escape_names[] = "\"\\nrt";

/* The control character at P, of N bytes, or -1. Terminals obey U+0080 to U+009F too. */
static int control_character(const char *p, size_t n)
{
	unsigned char first = (unsigned char)p[0];

	if (n == 1 && (first < 0x20 || first == 0x7f))
		return first;
	if (n == 2 && first == 0xc2 && (unsigned char)p[1] < 0xa0)
		return (unsigned char)p[1];
	return -1;
}

/* The length of the escape at P, of those that we write; 0 if there is none. */
static size_t escape_length(const char *p, size_t left)
{
	if (left < 2 || p[0] != '\\')
		return 0;
	if (memchr(escape_names, p[1], sizeof(escape_names) - 1))
		return 2;
	return p[1] == 'u' && left >= 6 && strspn(p + 2, "0123456789abcdefABCDEF") >= 4 ? 6 : 0;
}

/* The character at P, of N bytes (0: not UTF-8), as it stands in quotes. */
static void escape(const char *p, size_t n, char unit[8])
{
	const char *own = memchr(escaped_characters, *p, sizeof(escaped_characters) - 1);
	int control = control_character(p, n);

	if (n == 0)
		snprintf(unit, 8, "\\ufffd");
	else if (own)
		snprintf(unit, 8, "\\%c", escape_names[own - escaped_characters]);
	else if (control >= 0)
		snprintf(unit, 8, "\\u%04x", (unsigned int)control & 0xff);
	else
		snprintf(unit, 8, "%.*s", (int)n, p);
}

/* What stands in quotes for the next of P's LEFT ≥ 1 bytes, terminated; returns for how many of
 * them. If ESCAPED, an escape at P stays what it is. */
static size_t quote_next(const char *p, size_t left, bool escaped, char unit[8])
{
	size_t n = escaped ? escape_length(p, left) : 0;

	if (n > 0) {
		snprintf(unit, 8, "%.*s", (int)n, p);
		return n;
	}
	n = utf8_character(p, left);
	escape(p, n, unit);
	return MAX(n, 1);
}

size_t log_field_quote(const struct log_field *f, char *buffer, size_t size)
{
	size_t len = 0, mark_at = 1, unit_len;
	char unit[8];

	assert(size >= LOG_QUOTED_BYTES_MIN);
	buffer[len++] = '"';
	for (size_t i = 0; i < f->value_len;) {
		i += quote_next(f->value + i, f->value_len - i, f->quoted, unit);
		unit_len = strlen(unit);
		if (len + unit_len + 2 > size) {
			memcpy(buffer + mark_at, CUT_MARK, strlen(CUT_MARK));
			len = mark_at + strlen(CUT_MARK);
			break;
		}
		memcpy(buffer + len, unit, unit_len);
		len += unit_len;
		if (len + strlen(CUT_MARK) + 2 <= size)
			mark_at = len;
	}
	buffer[len++] = '"';
	buffer[len] = '\0';
	return len;
}

const char *log_quote(const char *text, char *buffer, size_t size)
{
	log_field_quote(&(struct log_field){.value = text, .value_len = strlen(text)}, buffer,
			size);
	return buffer;
}

/* The code point of an escape "\uXXXX". */
static unsigned int code_point(const char *escape)
{
	char digits[5] = {0};

	memcpy(digits, escape + 2, 4);
	return (unsigned int)strtoul(digits, NULL, 16);
}

static size_t unescape(const char *escape, size_t len, char unit[4])
{
	const char *letter = memchr(escape_names, escape[1], sizeof(escape_names) - 1);
	unsigned int c;

	if (len == 2) {
		unit[0] = escaped_characters[letter - escape_names];
		return 1;
	}
	c = code_point(escape);
	if (c < 0x80) {
		unit[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		unit[0] = (char)(0xc0 | c >> 6);
		unit[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	unit[0] = (char)(0xe0 | c >> 12);
	unit[1] = (char)(0x80 | (c >> 6 & 0x3f));
	unit[2] = (char)(0x80 | (c & 0x3f));
	return 3;
}

size_t log_field_unquote(const struct log_field *f, char *buffer, size_t size)
{
	size_t len = 0, n, unit_len;
	char unit[4];

	for (size_t i = 0; i < f->value_len; i += n) {
		const char *p = f->value + i;

		n = f->quoted ? escape_length(p, f->value_len - i) : 0;
		unit_len = n > 0 ? unescape(p, n, unit) : 1;
		if (len + unit_len > size)
			break;
		memcpy(buffer + len, n > 0 ? unit : p, unit_len);
		len += unit_len;
		n += n == 0;
	}
	return len;
}

bool log_field_next(const char **text, struct log_field *f)
{
	const char *p = *text + strspn(*text, " ");

	if (*p == '\0')
		return false;
	*f = (struct log_field){.key = p, .key_len = strcspn(p, "= ")};
	p += f->key_len;
	if (*p == '=')
		p++;
	f->quoted = *p == '"';
	f->value = p += f->quoted;
	if (f->quoted) {
		while (*p && *p != '"')
			p += *p == '\\' && p[1] ? 2 : 1;
	} else {
		p += strcspn(p, " ");
	}
	f->value_len = (size_t)(p - f->value);
	*text = p + (f->quoted && *p == '"');
	return true;
}

bool log_field_is_plain(const char *value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (value[i] <= ' ' || value[i] >= 0x7f || strchr("\"\\=", value[i]))
			return false;
	return len > 0;
}
