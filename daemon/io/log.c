/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a caller gives need not be well-formed: the fields are read back and written anew, so that
 * an entry is always one line of valid UTF-8, and in JSON one object.
 */
#include "daemon/io/log.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/io/clock.h"
#include "daemon/util/units.h"
#include "daemon/util/utf8.h"

/* What a pipe takes in one piece (PIPE_BUF), so that the entries of several writers never mix. */
#define LINE_BYTES 4096
/* A long message leaves its fields their room. */
#define MESSAGE_BYTES 2048
/* JSON's brace and the line feed. */
#define LINE_END_BYTES 2
#define FIELDS_BYTES   4096
/* Stands at the end of what was cut: an ellipsis. */
#define CUT_MARK "\xe2\x80\xa6"
/* Two quotes and the terminating byte, the mark, and one character or escape. */
#define MIN_QUOTED_BYTES 12

struct line {
	char text[LINE_BYTES];
	size_t len;
};

struct field {
	const char *key;
	size_t key_len;
	const char *value; /* without its quotes */
	size_t value_len;
	bool quoted; /* the value's escapes are escapes */
};

static const char *const level_names[] = {
	[LOG_LEVEL_DEBUG] = "debug",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_ERROR] = "error",
};

static const char *const format_names[] = {
	[LOG_FORMAT_LOGFMT] = "logfmt",
	[LOG_FORMAT_JSON] = "json",
};

/* What has an escape of its own, and that escape's letter; JSON's, which logfmt shares. */
static const char escaped_characters[] = "\"\\\n\r\t";
static const char escape_names[] = "\"\\nrt";

static atomic_int configured_level = LOG_LEVEL_INFO;
static atomic_int configured_format = LOG_FORMAT_LOGFMT;

static int find_name(const char *const *names, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], text) == 0)
			return (int)i;
	return -EINVAL;
}

int log_level_parse(const char *text, enum log_level *ret_level)
{
	int found = find_name(level_names, ARRAY_SIZE(level_names), text);

	if (found < 0)
		return found;
	*ret_level = (enum log_level)found;
	return 0;
}

int log_format_parse(const char *text, enum log_format *ret_format)
{
	int found = find_name(format_names, ARRAY_SIZE(format_names), text);

	if (found < 0)
		return found;
	*ret_format = (enum log_format)found;
	return 0;
}

void log_configure(enum log_level level, enum log_format format)
{
	atomic_store_explicit(&configured_level, (int)level, memory_order_relaxed);
	atomic_store_explicit(&configured_format, (int)format, memory_order_relaxed);
}

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

/* Writes TEXT of N bytes in quotes, terminated, and returns its length. What SIZE bytes do not hold
 * is cut behind a whole character, and marked. */
static size_t quote(const char *text, size_t n, bool escaped, char *buffer, size_t size)
{
	size_t len = 0, mark_at = 1, unit_len;
	char unit[8];

	assert(size >= MIN_QUOTED_BYTES);
	buffer[len++] = '"';
	for (size_t i = 0; i < n;) {
		i += quote_next(text + i, n - i, escaped, unit);
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
	quote(text, strlen(text), false, buffer, size);
	return buffer;
}

/* Reads one "key=value" at *TEXT and moves it behind; false at the end. */
static bool next_field(const char **text, struct field *f)
{
	const char *p = *text + strspn(*text, " ");

	if (*p == '\0')
		return false;
	*f = (struct field){.key = p, .key_len = strcspn(p, "= ")};
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

/* Whether logfmt takes the value without quotes. */
static bool is_plain(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] <= ' ' || p[i] >= 0x7f || strchr("\"\\=", p[i]))
			return false;
	return len > 0;
}

static size_t line_room(const struct line *l)
{
	return sizeof(l->text) - LINE_END_BYTES - l->len;
}

static void line_add(struct line *l, const char *bytes, size_t n)
{
	memcpy(l->text + l->len, bytes, n);
	l->len += n;
}

/* Adds a field, its value cut if need be; false if there is no room for that either. */
static bool line_add_field(struct line *l, const struct field *f, bool json)
{
	const char *separator = json ? ",\"" : " ", *equals = json ? "\":" : "=";
	size_t overhead = strlen(separator) + f->key_len + strlen(equals);
	bool bare = !f->quoted && (json ? is_json_number : is_plain)(f->value, f->value_len);

	if (line_room(l) < overhead + MIN_QUOTED_BYTES)
		return false;
	line_add(l, separator, strlen(separator));
	for (size_t i = 0; i < f->key_len; i++)
		l->text[l->len++] = is_plain(f->key + i, 1) ? f->key[i] : '_';
	line_add(l, equals, strlen(equals));
	if (bare && f->value_len <= line_room(l))
		line_add(l, f->value, f->value_len);
	else
		l->len += quote(f->value, f->value_len, f->quoted, l->text + l->len, line_room(l));
	return true;
}

static void line_begin(struct line *l, enum log_level level, const char *message, bool json)
{
	uint64_t now_ns = clock_realtime_ns();
	time_t now = (time_t)(now_ns / NSEC_PER_SEC);
	char seconds[32], quoted[MESSAGE_BYTES];
	struct tm utc;

	gmtime_r(&now, &utc);
	strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &utc);
	log_quote(message, quoted, sizeof(quoted));
	l->len = (size_t)snprintf(l->text, sizeof(l->text),
				  json ? "{\"ts\":\"%s.%03uZ\",\"level\":\"%s\",\"msg\":%s"
				       : "ts=%s.%03uZ level=%s msg=%s",
				  seconds, (unsigned int)(now_ns / NSEC_PER_MSEC % MSEC_PER_SEC),
				  level_names[level], quoted);
}

/* An entry that cannot be written is lost: there is nowhere left to say so. */
static void line_write(const struct line *l)
{
	ssize_t n;

	do
		n = write(STDERR_FILENO, l->text, l->len);
	while (n < 0 && errno == EINTR);
}

void log_write(enum log_level level, const char *message, const char *fields, ...)
{
	bool json =
		atomic_load_explicit(&configured_format, memory_order_relaxed) == LOG_FORMAT_JSON;
	char text[FIELDS_BYTES] = "";
	const char *p = text;
	int saved = errno;
	struct line line;
	struct field f;
	va_list args;

	if ((int)level < atomic_load_explicit(&configured_level, memory_order_relaxed))
		return;
	if (fields) {
		va_start(args, fields);
		if (vsnprintf(text, sizeof(text), fields, args) < 0)
			text[0] = '\0';
		va_end(args);
	}
	line_begin(&line, level, message, json);
	while (next_field(&p, &f) && line_add_field(&line, &f, json))
		;
	if (json)
		line_add(&line, "}", 1);
	line_add(&line, "\n", 1);
	line_write(&line);
	errno = saved;
}

bool log_limit_pass(struct log_limit *limit, uint64_t now_ns, uint64_t *ret_held_back)
{
	if (limit->last_ns && now_ns - limit->last_ns < limit->period_ns) {
		limit->held_back++;
		return false;
	}
	*ret_held_back = limit->held_back;
	limit->last_ns = now_ns;
	limit->held_back = 0;
	return true;
}
