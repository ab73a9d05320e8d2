/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/log_line.h"

#include <stdio.h>
#include <string.h>

#include "daemon/io/clock.h"
#include "daemon/io/log_field.h"

/* A long message leaves its fields their room. */
#define MESSAGE_BYTES 2048
/* JSON's brace and the line feed. */
#define LINE_END_BYTES 2

struct line {
	char *text; /* of LOG_LINE_BYTES */
	size_t len;
	bool json;
};

static size_t digits_at(const char *p, const char *end)
{
	size_t n = 0;

	while (p + n < end && p[n] >= '0' && p[n] <= '9')
		n++;
	return n;
}

/* A decimal number as JSON allows it, without an exponent; no other value needs no quotes there. */
static bool is_json_number(const char *p, size_t len)
{
	const char *end = p + len;
	size_t digits, decimals;

	p += p < end && *p == '-';
	digits = digits_at(p, end);
	if (digits == 0 || (digits > 1 && *p == '0'))
		return false;
	p += digits;
	if (p == end)
		return true;
	decimals = *p == '.' ? digits_at(p + 1, end) : 0;
	return decimals > 0 && p + 1 + decimals == end;
}

static size_t line_room(const struct line *l)
{
	return LOG_LINE_BYTES - LINE_END_BYTES - l->len;
}

static void line_add(struct line *l, const char *bytes, size_t n)
{
	memcpy(l->text + l->len, bytes, n);
	l->len += n;
}

/* Adds a field, its value cut if need be; false if there is no room for that either. */
static bool line_add_field(struct line *l, const struct log_field *f)
{
	const char *separator = l->json ? ",\"" : " ", *equals = l->json ? "\":" : "=";
	size_t overhead = strlen(separator) + f->key_len + strlen(equals);
	bool bare = !f->quoted &&
		    (l->json ? is_json_number : log_field_is_plain)(f->value, f->value_len);

	if (line_room(l) < overhead + LOG_QUOTED_BYTES_MIN)
		return false;
	line_add(l, separator, strlen(separator));
	for (size_t i = 0; i < f->key_len; i++)
		l->text[l->len++] = log_field_is_plain(f->key + i, 1) ? f->key[i] : '_';
	line_add(l, equals, strlen(equals));
	if (bare && f->value_len <= line_room(l))
		line_add(l, f->value, f->value_len);
	else
		l->len += log_field_quote(f, l->text + l->len, line_room(l));
	return true;
}

static void line_begin(struct line *l, const struct log_entry *e)
{
	char utc[CLOCK_UTC_BYTES], quoted[MESSAGE_BYTES];

	log_quote(e->message, quoted, sizeof(quoted));
	l->len = (size_t)snprintf(l->text, LOG_LINE_BYTES,
				  l->json ? "{\"ts\":\"%s\",\"level\":\"%s\",\"msg\":%s"
					  : "ts=%s level=%s msg=%s",
				  clock_utc(e->realtime_ms, utc), log_level_name(e->level), quoted);
}

size_t log_line_render(const struct log_entry *e, bool json, char ret_text[LOG_LINE_BYTES])
{
	struct line line = {.text = ret_text, .json = json};
	const char *p = e->fields;
	struct log_field f;

	line_begin(&line, e);
	while (log_field_next(&p, &f) && line_add_field(&line, &f))
		;
	if (json)
		line_add(&line, "}", 1);
	line_add(&line, "\n", 1);
	return line.len;
}
