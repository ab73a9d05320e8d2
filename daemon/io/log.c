/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/io/clock.h"
#include "daemon/io/log_journal.h"
#include "daemon/io/log_line.h"
#include "daemon/util/units.h"

#define FIELDS_BYTES 4096

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

static atomic_int configured_level = LOG_LEVEL_INFO;
/* LOG_FORMAT_AUTO: to the journal. */
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

const char *log_level_name(enum log_level level)
{
	return level_names[level];
}

void log_configure(enum log_level level, enum log_format format)
{
	if (format == LOG_FORMAT_AUTO && !log_journal_has_stderr())
		format = LOG_FORMAT_LOGFMT;
	atomic_store_explicit(&configured_level, (int)level, memory_order_relaxed);
	atomic_store_explicit(&configured_format, (int)format, memory_order_relaxed);
}

/* An entry that cannot be written is lost: there is nowhere left to say so. */
static void write_line(const struct log_entry *e, bool json)
{
	char text[LOG_LINE_BYTES];
	size_t len = log_line_render(e, json, text);
	ssize_t n;

	do
		n = write(STDERR_FILENO, text, len);
	while (n < 0 && errno == EINTR);
}

static void write_entry(const struct log_entry *e)
{
	int format = atomic_load_explicit(&configured_format, memory_order_relaxed);

	if (format == LOG_FORMAT_AUTO && log_journal_send(e) == 0)
		return;
	write_line(e, format == LOG_FORMAT_JSON);
}

void log_write(enum log_level level, const char *id, const char *message, const char *fields, ...)
{
	char text[FIELDS_BYTES] = "";
	int saved = errno;
	va_list args;

	if ((int)level < atomic_load_explicit(&configured_level, memory_order_relaxed))
		return;
	if (fields) {
		va_start(args, fields);
		if (vsnprintf(text, sizeof(text), fields, args) < 0)
			text[0] = '\0';
		va_end(args);
	}
	write_entry(&(const struct log_entry){
		.level = level,
		.realtime_ms = clock_realtime_ns() / NSEC_PER_MSEC,
		.id = id,
		.message = message,
		.fields = text,
	});
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
