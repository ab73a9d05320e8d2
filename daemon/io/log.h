/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: one entry at a time, with fields, as a line on stderr in logfmt or JSON, or to the
 * journal. Only files directly in daemon/ log; below them a function returns a code. Safe from any
 * thread: an entry is one write(), or one datagram. Format and level are process-wide, and with the
 * program's name the only globals.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/util/macros.h"

enum log_level {
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_INFO,
	LOG_LEVEL_WARN,
	LOG_LEVEL_ERROR,
};

enum log_format {
	LOG_FORMAT_LOGFMT, /* ts=2026-01-02T03:04:05.678Z level=info msg="…" key=value */
	LOG_FORMAT_JSON,   /* the same fields as one object */
	LOG_FORMAT_AUTO,   /* the journal's own if that is where stderr goes (log_journal.h), else
			      logfmt */
};

/* What log_line.h and log_journal.h are given. */
struct log_entry {
	enum log_level level;
	uint64_t realtime_ms;
	const char *id; /* of the kind of message: 32 hexadecimal digits; NULL: none */
	const char *message, *fields;
};

/* "debug" … "error"; "logfmt", "json". 0 or -EINVAL. */
int log_level_parse(const char *text, enum log_level *ret_level);
int log_format_parse(const char *text, enum log_format *ret_format);
const char *log_level_name(enum log_level level);
/* Before it is called: info, logfmt. */
void log_configure(enum log_level level, enum log_format format);

/* FIELDS is a printf format that yields the fields in logfmt, "key=value key2=value2", or NULL.
 * A value with a space, quote, '=' or control character must be given with log_quote(). ID is the
 * journal's MESSAGE_ID, or NULL. */
void log_write(enum log_level level, const char *id, const char *message, const char *fields, ...)
	PRINTF_LIKE(4, 5);

/* TEXT quoted for a field's value, cut at what BUFFER holds (SIZE ≥ 12); returns BUFFER. */
const char *log_quote(const char *text, char *buffer, size_t size);

#define log_debug(message, ...) log_write(LOG_LEVEL_DEBUG, NULL, message, __VA_ARGS__)
#define log_info(message, ...)  log_write(LOG_LEVEL_INFO, NULL, message, __VA_ARGS__)
#define log_warn(message, ...)  log_write(LOG_LEVEL_WARN, NULL, message, __VA_ARGS__)
#define log_error(message, ...) log_write(LOG_LEVEL_ERROR, NULL, message, __VA_ARGS__)

/* At most one entry per PERIOD: what is held back is counted and said with the next one. */
struct log_limit {
	uint64_t period_ns;
	uint64_t last_ns;
	uint64_t held_back;
};

/* Whether an entry may be written now (monotonic time); if so, RET_HELD_BACK says how many were
 * not since the last. For one thread. */
bool log_limit_pass(struct log_limit *limit, uint64_t now_ns, uint64_t *ret_held_back);
