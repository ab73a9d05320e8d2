/* SPDX-License-Identifier: Apache-2.0 */
/* What a field was before it was quoted; how it is quoted is in test_log.c. */
#include "daemon/io/log_field.h"

#include <stdio.h>
#include <string.h>

#include "daemon/io/log.h"
#include "tests/support/test_support.h"

TEST_SUITE(log_field);

/* The value of the first field of TEXT, in at most SIZE bytes, terminated. */
static const char *unquoted(const char *text, size_t size)
{
	static char value[64];
	struct log_field f;
	size_t len;

	cr_assert(log_field_next(&text, &f));
	memset(value, '#', sizeof(value));
	len = log_field_unquote(&f, value, size);
	cr_assert_leq(len, size);
	cr_assert_eq(value[size], '#');
	value[len] = '\0';
	return value;
}

Test(log_field, unquote)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"a=x", "x"},
		{"a=", ""},
		{"a", ""},
		{"a=\\n", "\\n"},
		{"a=\"x y\"", "x y"},
		{"a=\"\\\"\\\\\\n\\r\\t\"", "\"\\\n\r\t"},
		{"a=\"\\u001b[31m\\u0085\\ufffd\"", "\x1b[31m\xc2\x85\xef\xbf\xbd"},
		{"a=\"\\x\\u12\"", "\\x\\u12"},
		{"a=\"x\\", "x\\"},
		{"a=\"\xe2\x82\xac\"", "\xe2\x82\xac"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_assert_str_eq(unquoted(cases[i].text, 60), cases[i].expected, "%s",
				 cases[i].text);
}

Test(log_field, unquote_cuts)
{
	cr_assert_str_eq(unquoted("a=12345", 5), "12345");
	cr_assert_str_eq(unquoted("a=12345", 4), "1234");
	cr_assert_str_eq(unquoted("a=\"12\\u0085\"", 3), "12");
	cr_assert_str_eq(unquoted("a=\"12\\u0085\"", 4), "12\xc2\x85");
}

/* Whatever is quoted comes back. */
Test(log_field, round_trip)
{
	static const char *const texts[] = {
		"",    "plain",  "a b",          "\"",       "\\",
		"\\n", "\n\r\t", "\x01\x1f\x7f", "\xc2\x9b", "\xf0\x9f\x90\xa7",
		"a=b"};
	char quoted[64], field[80];

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		snprintf(field, sizeof(field), "k=%s", log_quote(texts[i], quoted, sizeof(quoted)));
		cr_assert_str_eq(unquoted(field, 60), texts[i], "%s", field);
	}
}
