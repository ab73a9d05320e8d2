/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_errors.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define ELLIPSIS "..."

static bool is_utf8_tail(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* The length of a control character at P: ASCII, or U+0080 to U+009F; 0 if it is none. */
static size_t control_len(const char *p)
{
	unsigned char c = (unsigned char)p[0];

	if (c < 0x20 || c == 0x7f)
		return 1;
	return c == 0xc2 && (unsigned char)p[1] >= 0x80 && (unsigned char)p[1] < 0xa0 ? 2 : 0;
}

/* An error goes to terminals and logs: a key must not be able to steer them. */
static void copy_printable(char *to, size_t size, const char *from)
{
	size_t n = 0;

	while (*from != '\0' && n + 1 < size) {
		size_t control = control_len(from);

		to[n++] = control > 0 ? '?' : *from;
		from += control > 0 ? control : 1;
	}
	if (*from != '\0') {
		n = size - sizeof(ELLIPSIS);
		while (n > 0 && is_utf8_tail(to[n]))
			n--;
		memcpy(to + n, ELLIPSIS, sizeof(ELLIPSIS) - 1);
		n += sizeof(ELLIPSIS) - 1;
	}
	to[n] = '\0';
}

static bool is_before(struct config_mark at, const struct config_error *e)
{
	return at.line != e->line ? at.line < e->line : at.column < e->column;
}

/* Makes room for an error at this place. NULL: it is beyond the cap. */
static struct config_error *insert(struct config_errors *errors, struct config_mark at)
{
	size_t i = errors->count;

	while (i > 0 && is_before(at, &errors->items[i - 1]))
		i--;
	if (i == CONFIG_ERRORS_MAX)
		return NULL;
	if (errors->count < CONFIG_ERRORS_MAX)
		errors->count++;
	memmove(&errors->items[i + 1], &errors->items[i],
		(errors->count - 1 - i) * sizeof(errors->items[0]));
	return &errors->items[i];
}

static void fill(struct config_error *e, struct config_mark at, const char *key)
{
	*e = (struct config_error){.line = at.line, .column = at.column};
	copy_printable(e->key, sizeof(e->key), key);
}

void config_errors_add(struct config_errors *errors, struct config_mark at, const char *key,
		       const char *format, ...)
{
	struct config_error *e;
	va_list args;

	errors->total++;
	e = insert(errors, at);
	if (!e)
		return;
	fill(e, at, key);
	va_start(args, format);
	vsnprintf(e->what, sizeof(e->what), format, args);
	va_end(args);
}

/* Bytes of text that make at most so many, and end with a character. */
static unsigned int back_up(const char *text, unsigned int at, unsigned int most)
{
	unsigned int from = at > most ? at - most : 0;

	while (from < at && is_utf8_tail(text[from]))
		from++;
	return from;
}

static unsigned int count_characters(const char *text, unsigned int n)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < n && text[i] != '\0'; i++)
		count += !is_utf8_tail(text[i]);
	return count;
}

/* What does not print takes a place all the same, so that the caret stays below its character. */
static void quote(struct config_error *e, const char *text, const struct config_fault *fault)
{
	unsigned int from = back_up(text, fault->at, sizeof(e->excerpt) / 2);
	size_t n = 0;

	while (text[from + n] != '\0' && n + 1 < sizeof(e->excerpt)) {
		unsigned char c = (unsigned char)text[from + n];

		e->excerpt[n++] = c < 0x20 || c == 0x7f ? ' ' : (char)c;
	}
	while (n > 0 && text[from + n] != '\0' && is_utf8_tail(text[from + n]))
		n--;
	e->excerpt[n] = '\0';
	e->caret = count_characters(e->excerpt, fault->at - from);
	e->caret_len = count_characters(e->excerpt + (fault->at - from), fault->len);
	if (e->caret_len == 0)
		e->caret_len = 1;
}

void config_errors_add_fault(struct config_errors *errors, struct config_mark at, const char *key,
			     const char *text, const struct config_fault *fault)
{
	struct config_error *e;

	errors->total++;
	e = insert(errors, at);
	if (!e)
		return;
	fill(e, at, key);
	snprintf(e->what, sizeof(e->what), "%s", fault->what);
	if (fault->has_place)
		quote(e, text, fault);
}
