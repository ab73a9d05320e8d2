/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: one line an entry on stderr, in logfmt or JSON, with fields. Only files directly in
 * daemon/ log; below them a function returns a code. Safe from any thread: an entry is one
 * write(). Format and level are process-wide, and with the program's name the only globals.
 */
#pragma once

#include <stdbool.h>
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
};

/* "debug" … "error"; "logfmt", "json". 0 or -EINVAL. */
int log_level_parse(const char *text, enum log_level *ret_level);
int log_format_parse(const char *text, enum log_format *ret_format);
void log_configure(enum log_level level, enum log_format format);

/* FIELDS is a printf format that yields the fields in logfmt, "key=value key2=value2", or NULL.
 * A value with a space, quote, '=' or control character must be given with log_quote(). */
void log_write(enum log_level level, const char *message, const char *fields, ...)
	PRINTF_LIKE(3, 4);

/* TEXT quoted for a field's value, cut at what BUFFER holds (SIZE ≥ 12); returns BUFFER. */
const char *log_quote(const char *text, char *buffer, size_t size);

#define log_debug(message, ...) log_write(LOG_LEVEL_DEBUG, message, __VA_ARGS__)
#define log_info(message, ...)  log_write(LOG_LEVEL_INFO, message, __VA_ARGS__)
#define log_warn(message, ...)  log_write(LOG_LEVEL_WARN, message, __VA_ARGS__)
#define log_error(message, ...) log_write(LOG_LEVEL_ERROR, message, __VA_ARGS__)

/* At most one entry per PERIOD: what is held back is counted and said with the next one. */
struct log_limit {
	uint64_t period_ns;
	uint64_t last_ns;
	uint64_t held_back;
};

/* Whether an entry may be written now (monotonic time); if so, RET_HELD_BACK says how many were
 * not since the last. For one thread. */
bool log_limit_pass(struct log_limit *limit, uint64_t now_ns, uint64_t *ret_held_back);
