/* SPDX-License-Identifier: Apache-2.0 */
/* What an entry looks like is read from a pipe that stands in for stderr. */
#include "daemon/io/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/util/units.h"
#include "tests/support/test_support.h"

#define LINE_MAX_BYTES 4096

TEST_SUITE(log);

static int saved_stderr, pipe_fd;

/* A pipe of packets: each read() returns what one write() gave. */
static void capture_begin(void)
{
	int fds[2];

	cr_assert_eq(pipe2(fds, O_CLOEXEC | O_DIRECT), 0);
	saved_stderr = dup(STDERR_FILENO);
	cr_assert_eq(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	close(fds[1]);
	pipe_fd = fds[0];
}

/* The only write() since capture_begin(), terminated; "" if there was none. */
static void capture_end(char text[LINE_MAX_BYTES + 1])
{
	char more;
	ssize_t n;

	cr_assert_eq(dup2(saved_stderr, STDERR_FILENO), STDERR_FILENO);
	close(saved_stderr);
	n = read(pipe_fd, text, LINE_MAX_BYTES);
	cr_assert_geq(n, 0);
	text[n] = '\0';
	cr_assert_eq(read(pipe_fd, &more, 1), 0, "more than one write()");
	close(pipe_fd);
}

/* The line without its timestamp, whose form is checked, and without its line feed. */
static const char *without_timestamp(char *line, bool json)
{
	const char *form =
		json ? "{\"ts\":\"0000-00-00T00:00:00.000Z\"," : "ts=0000-00-00T00:00:00.000Z ";
	size_t n = strlen(form), end = strlen(line);
	char found[64] = "";

	for (size_t i = 0; i < n && i < end; i++)
		found[i] = (char)(line[i] >= '0' && line[i] <= '9' ? '0' : line[i]);
	cr_assert_str_eq(found, form, "%s", line);
	cr_assert_eq(strchr(line, '\n'), line + end - 1, "%s", line);
	line[end - 1] = '\0';
	return line + n;
}

/* What an entry with this message and these fields is. */
static const char *entry(bool json, const char *message, const char *fields,
			 char line[LINE_MAX_BYTES + 1])
{
	log_configure(LOG_LEVEL_INFO, json ? LOG_FORMAT_JSON : LOG_FORMAT_LOGFMT);
	capture_begin();
	if (fields)
		log_info(message, "%s", fields);
	else
		log_info(message, NULL);
	capture_end(line);
	return without_timestamp(line, json);
}

Test(log, parse)
{
	static const char *const levels[] = {"debug", "info", "warn", "error"};
	static const char *const not_levels[] = {"", "Info", "warning", "debug ", "logfmt"};
	enum log_format format = LOG_FORMAT_JSON;
	enum log_level level;

	for (unsigned int i = 0; i < ARRAY_SIZE(levels); i++) {
		cr_assert_eq(log_level_parse(levels[i], &level), 0, "%s", levels[i]);
		cr_assert_eq(level, i, "%s", levels[i]);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(not_levels); i++) {
		level = LOG_LEVEL_WARN;
		cr_assert_eq(log_level_parse(not_levels[i], &level), -EINVAL, "%s", not_levels[i]);
		cr_assert_eq(level, LOG_LEVEL_WARN, "%s", not_levels[i]);
	}
	cr_assert_eq(log_format_parse("logfmt", &format), 0);
	cr_assert_eq(format, LOG_FORMAT_LOGFMT);
	cr_assert_eq(log_format_parse("json", &format), 0);
	cr_assert_eq(format, LOG_FORMAT_JSON);
	cr_assert_eq(log_format_parse("text", &format), -EINVAL);
	cr_assert_eq(format, LOG_FORMAT_JSON);
}

static const struct {
	const char *name;
	const char *message, *fields;
	const char *logfmt, *json;
} entries[] = {
	{"no fields", "ready", NULL, "msg=\"ready\"", "\"msg\":\"ready\""},
	{"empty fields", "ready", "", "msg=\"ready\"", "\"msg\":\"ready\""},
	{"empty message", "", NULL, "msg=\"\"", "\"msg\":\"\""},
	{"words and numbers", "m", "a=x b=7 c=-0.25", "msg=\"m\" a=x b=7 c=-0.25",
	 "\"msg\":\"m\",\"a\":\"x\",\"b\":7,\"c\":-0.25"},
	{"no numbers of JSON", "m", "a=007 b=1. c=.5 d=- e=1e5 f=0x1 g=1.2.3 h=+1",
	 "msg=\"m\" a=007 b=1. c=.5 d=- e=1e5 f=0x1 g=1.2.3 h=+1",
	 "\"msg\":\"m\",\"a\":\"007\",\"b\":\"1.\",\"c\":\".5\",\"d\":\"-\",\"e\":\"1e5\","
	 "\"f\":\"0x1\",\"g\":\"1.2.3\",\"h\":\"+1\""},
	{"numbers of JSON", "m", "a=0 b=-0 c=0.5 d=18446744073709551615",
	 "msg=\"m\" a=0 b=-0 c=0.5 d=18446744073709551615",
	 "\"msg\":\"m\",\"a\":0,\"b\":-0,\"c\":0.5,\"d\":18446744073709551615"},
	{"a quoted number is text", "m", "a=\"7\"", "msg=\"m\" a=\"7\"",
	 "\"msg\":\"m\",\"a\":\"7\""},
	{"quotes keep spaces", "m", "a=\"x y=z\" b=1", "msg=\"m\" a=\"x y=z\" b=1",
	 "\"msg\":\"m\",\"a\":\"x y=z\",\"b\":1"},
	{"escapes stay", "m", "a=\"\\\"\\\\\\n\\r\\t\\u001b\\ufffd\" b=1",
	 "msg=\"m\" a=\"\\\"\\\\\\n\\r\\t\\u001b\\ufffd\" b=1",
	 "\"msg\":\"m\",\"a\":\"\\\"\\\\\\n\\r\\t\\u001b\\ufffd\",\"b\":1"},
	{"what is no escape is text", "m", "a=\"\\x\\u12\\u123g\"",
	 "msg=\"m\" a=\"\\\\x\\\\u12\\\\u123g\"", "\"msg\":\"m\",\"a\":\"\\\\x\\\\u12\\\\u123g\""},
	{"quotes that do not end", "m", "a=\"x b=1", "msg=\"m\" a=\"x b=1\"",
	 "\"msg\":\"m\",\"a\":\"x b=1\""},
	{"a backslash at the end", "m", "a=\"x\\", "msg=\"m\" a=\"x\\\\\"",
	 "\"msg\":\"m\",\"a\":\"x\\\\\""},
	{"values that want quotes", "m", "a=x=y b=x\"y c=x\\y d=\xc3\xa4 e=",
	 "msg=\"m\" a=\"x=y\" b=\"x\\\"y\" c=\"x\\\\y\" d=\"\xc3\xa4\" e=\"\"",
	 "\"msg\":\"m\",\"a\":\"x=y\",\"b\":\"x\\\"y\",\"c\":\"x\\\\y\",\"d\":\"\xc3\xa4\",\"e\":"
	 "\"\""},
	{"control characters in a value", "m", "a=x\ny=2 b=\"\x1b[31m\"",
	 "msg=\"m\" a=\"x\\ny=2\" b=\"\\u001b[31m\"",
	 "\"msg\":\"m\",\"a\":\"x\\ny=2\",\"b\":\"\\u001b[31m\""},
	{"a key that is none", "m", "a\"\n\xff=1", "msg=\"m\" a___=1", "\"msg\":\"m\",\"a___\":1"},
	{"no value", "m", "a b=1", "msg=\"m\" a=\"\" b=1", "\"msg\":\"m\",\"a\":\"\",\"b\":1"},
	{"spaces", "m", "  a=1   b=2 ", "msg=\"m\" a=1 b=2", "\"msg\":\"m\",\"a\":1,\"b\":2"},
	{"message: controls", "a\n\r\t\x01\x1f\x7f", NULL,
	 "msg=\"a\\n\\r\\t\\u0001\\u001f\\u007f\"", "\"msg\":\"a\\n\\r\\t\\u0001\\u001f\\u007f\""},
	{"message: C1 controls", "\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0", NULL,
	 "msg=\"\\u0080\\u009b\\u009f\xc2\xa0\"", "\"msg\":\"\\u0080\\u009b\\u009f\xc2\xa0\""},
	{"message: quotes", "say \"x\\n\"", NULL, "msg=\"say \\\"x\\\\n\\\"\"",
	 "\"msg\":\"say \\\"x\\\\n\\\"\""},
	{"message: UTF-8", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7", NULL,
	 "msg=\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7\"",
	 "\"msg\":\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7\""},
	{"message: not UTF-8", "\x80 \xc3 \xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80 \xe2\x82", NULL,
	 "msg=\"\\ufffd \\ufffd \\ufffd\\ufffd \\ufffd\\ufffd\\ufffd "
	 "\\ufffd\\ufffd\\ufffd\\ufffd \\ufffd\\ufffd\"",
	 "\"msg\":\"\\ufffd \\ufffd \\ufffd\\ufffd \\ufffd\\ufffd\\ufffd "
	 "\\ufffd\\ufffd\\ufffd\\ufffd \\ufffd\\ufffd\""},
	{"message: no format", "100%s %n", NULL, "msg=\"100%s %n\"", "\"msg\":\"100%s %n\""},
};

Test(log, logfmt)
{
	char line[LINE_MAX_BYTES + 1], expected[1024];

	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		snprintf(expected, sizeof(expected), "level=info %s", entries[i].logfmt);
		cr_assert_str_eq(entry(false, entries[i].message, entries[i].fields, line),
				 expected, "%s: %s", entries[i].name, line);
	}
}

Test(log, json)
{
	char line[LINE_MAX_BYTES + 1], expected[1024];

	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		snprintf(expected, sizeof(expected), "\"level\":\"info\",%s}", entries[i].json);
		cr_assert_str_eq(entry(true, entries[i].message, entries[i].fields, line), expected,
				 "%s: %s", entries[i].name, line);
	}
}

/* The fields are a printf format, and what it yields may come from log_quote(). */
Test(log, fields_are_a_format)
{
	char line[LINE_MAX_BYTES + 1], quoted[64];

	log_configure(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	capture_begin();
	log_info("m", "port=%d path=%s", 80, log_quote("a \"b\"\n", quoted, sizeof(quoted)));
	capture_end(line);
	cr_assert_str_eq(
		without_timestamp(line, true),
		"\"level\":\"info\",\"msg\":\"m\",\"port\":80,\"path\":\"a \\\"b\\\"\\n\"}");
}

Test(log, level_filters)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};
	char line[LINE_MAX_BYTES + 1], expected[64];

	for (int least = 0; least < 4; least++) {
		log_configure((enum log_level)least, LOG_FORMAT_LOGFMT);
		for (int level = 0; level < 4; level++) {
			capture_begin();
			log_write((enum log_level)level, NULL, "m", NULL);
			capture_end(line);
			snprintf(expected, sizeof(expected), "level=%s msg=\"m\"", names[level]);
			if (level < least)
				cr_assert_str_eq(line, "", "%s at %s", names[level], names[least]);
			else
				cr_assert_str_eq(without_timestamp(line, false), expected);
		}
	}
}

/* Until it is configured: what is said of the configuration itself must be seen. */
Test(log, unconfigured)
{
	char line[LINE_MAX_BYTES + 1];

	capture_begin();
	log_debug("not seen", NULL);
	log_warn("seen", NULL);
	capture_end(line);
	cr_assert_str_eq(without_timestamp(line, false), "level=warn msg=\"seen\"");
}

/* The timestamp is now, in UTC, whatever the time zone. */
Test(log, timestamp)
{
	char line[LINE_MAX_BYTES + 1], utc[32];
	time_t before, after, stamp;
	struct tm tm = {0};
	int milliseconds;

	setenv("TZ", "XYZ+5:30", 1);
	tzset();
	before = time(NULL);
	capture_begin();
	log_info("m", NULL);
	capture_end(line);
	after = time(NULL);
	cr_assert_eq(sscanf(line, "ts=%31[^.].%3dZ ", utc, &milliseconds), 2, "%s", line);
	cr_assert_eq(*strptime(utc, "%Y-%m-%dT%H:%M:%S", &tm), '\0', "%s", utc);
	stamp = timegm(&tm);
	cr_assert(stamp >= before - 1 && stamp <= after + 1, "%s", line);
}

/* However long: one write() of at most 4 KiB, whole characters, closed quotes, a mark at the cut.
 */
Test(log, long_message)
{
	static const char *const units[] = {"x", "\xe2\x82\xac", "\"", "\n", "\xff", "\x7f"};
	char line[LINE_MAX_BYTES + 1], message[20001];
	const char *text;
	size_t len;

	for (size_t i = 0; i < 2 * ARRAY_SIZE(units); i++) {
		bool json = i % 2;

		message[0] = '\0';
		for (len = 0; len + 4 < sizeof(message); len += strlen(units[i / 2]))
			strcpy(message + len, units[i / 2]);
		text = entry(json, message, "port=80 tail=\"a b\"", line);
		len = strlen(text);
		cr_assert_gt(len, 1900, "unit %zu: %zu", i / 2, len);
		cr_assert_lt(len, 2200, "unit %zu: %zu", i / 2, len);
		cr_assert(strstr(text, json ? "\xe2\x80\xa6\",\"port\":80,\"tail\":\"a b\"}"
					    : "\xe2\x80\xa6\" port=80 tail=\"a b\""),
			  "unit %zu: %s", i / 2, text);
	}
}

/* A value that does not fit is cut, and what follows left out. Every length near the edge. */
Test(log, long_fields)
{
	static const char *const ends[2][4] = {
		{" last=x", " next=12345", "v", "\xe2\x80\xa6\""},
		{"\"last\":\"x\"}", "\"next\":12345}", "v\"}", "\xe2\x80\xa6\"}"},
	};
	char line[LINE_MAX_BYTES + 1], fields[6000] = "key=";
	size_t len, ended;

	for (size_t i = 2 * 3990; i < 2 * 4050; i++) {
		memset(fields + 4, 'v', i / 2);
		strcpy(fields + 4 + i / 2, " next=12345 last=x");
		entry(i % 2, "m", fields, line);
		len = strlen(line) + 1;
		cr_assert_leq(len, LINE_MAX_BYTES, "%zu: %zu", i, len);
		cr_assert_geq(len, MIN(i / 2, 4096 - 48), "%zu: %zu", i, len);
		ended = 0;
		for (size_t j = 0; j < ARRAY_SIZE(ends[0]); j++)
			ended += !strcmp(line + strlen(line) - strlen(ends[i % 2][j]),
					 ends[i % 2][j]);
		cr_assert_eq(ended, 1, "%zu: %s", i, line + strlen(line) - 40);
	}
}

Test(log, quote_is_cut_to_its_buffer)
{
	static const struct {
		const char *text;
		size_t size;
		const char *expected;
	} cases[] = {
		{"123456789", 12, "\"123456789\""},
		{"1234567890", 13, "\"1234567890\""},
		{"1234567890", 12, "\"123456\xe2\x80\xa6\""},
		{"12345678901234567890", 12, "\"123456\xe2\x80\xa6\""},
		{"12345\xe2\x82\xac"
		 "67890",
		 12, "\"12345\xe2\x80\xa6\""},
		{"\"\"\"\"\"\"", 12, "\"\\\"\\\"\\\"\xe2\x80\xa6\""},
		{"\x01\x02", 12, "\"\\u0001\xe2\x80\xa6\""},
		{"", 12, "\"\""},
	};
	char buffer[32];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(buffer, '#', sizeof(buffer));
		cr_assert_eq(log_quote(cases[i].text, buffer, cases[i].size), buffer);
		cr_assert_str_eq(buffer, cases[i].expected, "%zu: %s", i, buffer);
		cr_assert_eq(buffer[cases[i].size], '#', "%zu", i);
	}
}

static void *write_entries(void *name)
{
	for (int i = 0; i < 100; i++)
		log_info(name, "thread=%s", (const char *)name);
	return NULL;
}

/* Entries of threads do not mix: each packet of the pipe is one entry. */
Test(log, threads)
{
	static char names[4][300];
	char line[LINE_MAX_BYTES + 1];
	pthread_t threads[4];
	const char *name;
	ssize_t n;

	capture_begin();
	for (int i = 0; i < 4; i++) {
		memset(names[i], 'a' + i, sizeof(names[i]) - 1);
		cr_assert_eq(pthread_create(&threads[i], NULL, write_entries, names[i]), 0);
	}
	for (int i = 0; i < 400; i++) {
		n = read(pipe_fd, line, LINE_MAX_BYTES);
		cr_assert_gt(n, 0);
		line[n] = '\0';
		name = strstr(without_timestamp(line, false), "thread=");
		cr_assert(name && name[7] >= 'a' && name[7] < 'e', "%s", line);
		cr_assert_str_eq(name + 7, names[name[7] - 'a'], "%s", line);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	capture_end(line);
	cr_assert_str_eq(line, "");
}

/* A log that nobody can read stops nobody, and hides no error of the caller. */
Test(log, stderr_is_closed)
{
	int saved = dup(STDERR_FILENO);

	close(STDERR_FILENO);
	errno = ENOENT;
	log_error("not seen", "a=%d", 1);
	cr_assert_eq(errno, ENOENT);
	dup2(saved, STDERR_FILENO);
	close(saved);
}

Test(log, limit)
{
	static const struct {
		uint64_t now_ns;
		bool pass;
		uint64_t held_back;
	} steps[] = {
		/* The first passes, however young the clock is. */
		{50, true, 0},   {51, false, 0},   {149, false, 0},
		{150, true, 2},  {249, false, 0},  {5000, true, 1},
		{5100, true, 0}, {5100, false, 0}, {5200, true, 1},
	};
	struct log_limit limit = {.period_ns = 100};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		uint64_t held_back = 4711;

		cr_assert_eq(log_limit_pass(&limit, steps[i].now_ns, &held_back), steps[i].pass,
			     "step %zu", i);
		cr_assert_eq(held_back, steps[i].pass ? steps[i].held_back : 4711, "step %zu", i);
	}
}
