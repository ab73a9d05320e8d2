/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/expose_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"
#include "tests/unit/core/exposition.h"
#include "tests/unit/core/label_model.h"

TEST_SUITE(expose_text);

static const struct metric plain = {"a_metric", "Its help.", METRIC_GAUGE};
static const struct expose_series none;

static void assert_text(struct buf *b, const char *expected)
{
	cr_assert_eq(b->error, 0);
	cr_assert(b->len == strlen(expected) && memcmp(b->data, expected, b->len) == 0,
		  "expected:\n%s\nnot:\n%.*s", expected, (int)b->len, b->data);
	buf_done(b);
}

Test(expose_text, family)
{
	static const struct {
		struct metric metric;
		const char *expected;
	} cases[] = {
		{{"a_metric", "Its help.", METRIC_GAUGE},
		 "# HELP a_metric Its help.\n# TYPE a_metric gauge\n"},
		{{"b_total", "Counts.", METRIC_COUNTER},
		 "# HELP b_total Counts.\n# TYPE b_total counter\n"},
		{{"c", "Spreads.", METRIC_HISTOGRAM}, "# HELP c Spreads.\n# TYPE c histogram\n"},
		{{"d", "A \\ and a\nline; \"quotes\" stay, é too.", METRIC_GAUGE},
		 "# HELP d A \\\\ and a\\nline; \"quotes\" stay, é too.\n# TYPE d gauge\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buf b = BUF_INIT;

		expose_text.family(&b, &cases[i].metric);
		assert_text(&b, cases[i].expected);
	}
}

Test(expose_text, openmetrics_family)
{
	static const struct {
		struct metric metric;
		const char *expected;
	} cases[] = {
		{{"a_metric", "Its help.", METRIC_GAUGE},
		 "# TYPE a_metric gauge\n# HELP a_metric Its help.\n"},
		{{"b_total", "Counts.", METRIC_COUNTER}, "# TYPE b counter\n# HELP b Counts.\n"},
		{{"c_seconds", "Spreads.", METRIC_HISTOGRAM},
		 "# TYPE c_seconds histogram\n# UNIT c_seconds seconds\n# HELP c_seconds "
		 "Spreads.\n"},
		{{"d_bytes_total", "Counts.", METRIC_COUNTER},
		 "# TYPE d_bytes counter\n# UNIT d_bytes bytes\n# HELP d_bytes Counts.\n"},
		{{"kilobytes", "No unit of ours.", METRIC_GAUGE},
		 "# TYPE kilobytes gauge\n# HELP kilobytes No unit of ours.\n"},
		{{"bytes", "Nothing but a unit.", METRIC_GAUGE},
		 "# TYPE bytes gauge\n# HELP bytes Nothing but a unit.\n"},
		{{"e", "A \\ and a\nline; \"quotes\" too.", METRIC_GAUGE},
		 "# TYPE e gauge\n# HELP e A \\\\ and a\\nline; \\\"quotes\\\" too.\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buf b = BUF_INIT;

		expose_openmetrics.family(&b, &cases[i].metric);
		assert_text(&b, cases[i].expected);
	}
}

/* Help is not cut as a label's value is. */
Test(expose_text, long_help)
{
	char help[1000], expected[1100];
	const struct metric m = {"a_metric", help, METRIC_GAUGE};
	struct buf b = BUF_INIT;

	memset(help, 'x', sizeof(help));
	help[sizeof(help) - 1] = '\0';
	snprintf(expected, sizeof(expected), "# HELP a_metric %s\n# TYPE a_metric gauge\n", help);
	expose_text.family(&b, &m);
	assert_text(&b, expected);
}

Test(expose_text, values)
{
	static const struct expose_series two = {2, {{"x", "1"}, {"y", "2"}}};
	static const struct {
		const char *name;
		const struct expose_series *labels;
		uint64_t n, divisor;
		const char *expected;
	} cases[] = {
		{"no label", &none, 42, 0, "a_metric 42\n"},
		{"two labels", &two, 0, 0, "a_metric{x=\"1\",y=\"2\"} 0\n"},
		{"large", &none, 1000000, 0, "a_metric 1e+06\n"},
		{"largest", &none, UINT64_MAX, 0, "a_metric 1.8446744073709552e+19\n"},
		{"milliseconds", &none, 1700000000123, 1000, "a_metric 1.700000000123e+09\n"},
		{"microseconds", &none, 1, 1000000, "a_metric 1e-06\n"},
		{"nanoseconds", &none, 1000000000, 1000000000, "a_metric 1\n"},
		{"a third", &none, 1, 3, "a_metric 0.3333333333333333\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct metric m = plain;
		struct buf b = BUF_INIT;

		m.divisor = cases[i].divisor;
		expose_text.value(&b, &m, cases[i].labels, cases[i].n);
		assert_text(&b, cases[i].expected);
	}
}

Test(expose_text, histogram)
{
	static const double bounds[] = {0, 0.001, 1, 1e6};
	static const struct expose_series labels = {1, {{"x", "1"}}};
	const struct metric m = {"a_seconds", "", METRIC_HISTOGRAM, .divisor = 1000000};
	uint64_t cells[] = {1, 20, 0, 300, 4000, 5500000, 0};
	struct histogram_bounds b;
	struct buf out = BUF_INIT;

	histogram_bounds_init(&b, bounds, ARRAY_SIZE(bounds), 1e6);
	expose_text.histogram(&out, &m, &labels, &b, cells);
	assert_text(&out, "a_seconds_bucket{x=\"1\",le=\"0.0\"} 1\n"
			  "a_seconds_bucket{x=\"1\",le=\"0.001\"} 21\n"
			  "a_seconds_bucket{x=\"1\",le=\"1.0\"} 21\n"
			  "a_seconds_bucket{x=\"1\",le=\"1e+06\"} 321\n"
			  "a_seconds_bucket{x=\"1\",le=\"+Inf\"} 4321\n"
			  "a_seconds_sum{x=\"1\"} 5.5\n"
			  "a_seconds_count{x=\"1\"} 4321\n");
}

/* A sum that is larger than 64 bits; no label but le; no bound but +Inf. */
Test(expose_text, histogram_without_labels)
{
	const struct metric m = {"a_bytes", "", METRIC_HISTOGRAM};
	uint64_t cells[] = {2, 1, 1};
	struct histogram_bounds b;
	struct buf out = BUF_INIT;

	histogram_bounds_init(&b, NULL, 0, 1);
	expose_text.histogram(&out, &m, &none, &b, cells);
	assert_text(&out, "a_bytes_bucket{le=\"+Inf\"} 2\n"
			  "a_bytes_sum 1.8446744073709552e+19\n"
			  "a_bytes_count 2\n");
}

#define X10  "xxxxxxxxxx"
#define X120 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10
#define X248 X120 X120 "xxxxxxxx"
#define X255 X248 "xxxxxxx"

Test(expose_text, label_values)
{
	static const struct {
		const char *name, *value, *expected;
	} cases[] = {
		{"empty", "", ""},
		{"plain", "0.0.0.0", "0.0.0.0"},
		{"quote", "a\"b", "a\\\"b"},
		{"backslash", "a\\b", "a\\\\b"},
		{"backslash at the end", "a\\", "a\\\\"},
		{"line", "a\nb", "a\\nb"},
		{"what looks like an escape", "\\n", "\\\\n"},
		{"other control characters stay", "\t\r\x01\x7f", "\t\r\x01\x7f"},
		{"braces and commas stay", "}, {a=b", "}, {a=b"},
		{"characters", "é€😀", "é€😀"},
		{"no character",
		 "a\xff"
		 "b",
		 "a\uFFFD"
		 "b"},
		{"two that are none", "\xc3\xc3", "\uFFFD\uFFFD"},
		{"cut character", "\xe2\x82", "\uFFFD\uFFFD"},
		{"cut character before a quote", "\xe2\x82\"", "\uFFFD\uFFFD\\\""},
		{"surrogate", "\xed\xa0\x80", "\uFFFD\uFFFD\uFFFD"},
		{"overlong", "\xc0\xaf", "\uFFFD\uFFFD"},
		{"256 bytes", X255 "y", X255 "y"},
		{"257 bytes", X255 "yz", X255 "y"},
		{"a character ends at the cut", X248 "xxxxxxé.", X248 "xxxxxxé"},
		{"a character across the cut", X255 "é", X255},
		{"a long one across the cut", X248 "xxxxx😀", X248 "xxxxx"},
		{"an escape at the cut", X255 "\"\"", X255 "\\\""},
		{"no character at the cut", X255 "\xff\xff", X255 "\uFFFD"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct expose_series labels = {1, {{"x", cases[i].value}}};
		struct buf b = BUF_INIT;
		char expected[1024];

		snprintf(expected, sizeof(expected), "a_metric{x=\"%s\"} 1\n", cases[i].expected);
		expose_text.value(&b, &plain, &labels, 1);
		assert_text(&b, expected);
	}
}

/* Bytes of which many are special, in an odd order. */
static void make_value(uint64_t *state, char *ret_value, size_t size)
{
	static const char *const pieces[] = {"\\", "\"",   "\n",       "{",    "}",    ",",
					     "=",  "\xc3", "\xc3\xa9", "\xf0", "\x80", "😀"};
	size_t len = core_random(state, (uint32_t)size);
	char *to = ret_value;

	while ((size_t)(to - ret_value) + 4 < len) {
		const char *piece = pieces[core_random(state, ARRAY_SIZE(pieces))];

		if (core_random(state, 2))
			*to++ = (char)(1 + core_random(state, 255));
		else
			to = stpcpy(to, piece);
	}
	*to = '\0';
}

/* Whatever is in the values, they read back, and what follows them is where it was. */
Test(expose_text, any_bytes_read_back)
{
	char values[2][400], expected[2][LABEL_MODEL_MAX];
	struct buf b = BUF_INIT;
	uint64_t state = 1;

	for (int i = 0; i < 20000; i++) {
		const struct expose_series labels = {2, {{"x", values[0]}, {"y", values[1]}}};
		struct exposition e = EXPOSITION_INIT;

		buf_clear(&b);
		for (int j = 0; j < 2; j++) {
			make_value(&state, values[j], sizeof(values[j]));
			label_model(values[j], expected[j]);
		}
		expose_text.family(&b, &plain);
		expose_text.value(&b, &plain, &labels, 7);
		cr_assert_eq(exposition_parse(&e, b.data, b.len), 0, "%.*s", (int)b.len, b.data);
		cr_assert_eq(e.series_count, 1);
		cr_assert_eq(e.series[0].label_count, 2);
		cr_assert_str_eq(e.series[0].labels[0].value, expected[0], "%s", values[0]);
		cr_assert_str_eq(e.series[0].labels[1].value, expected[1], "%s", values[1]);
		cr_assert_eq(e.series[0].value, 7);
		exposition_done(&e);
	}
	buf_done(&b);
}

#define HEAD "# HELP a b\n# TYPE a gauge\n"

/* The reader that the tests lean on takes nothing else for an exposition. */
Test(expose_text, reader_is_strict)
{
	static const struct {
		const char *name, *text;
		unsigned int line;
	} cases[] = {
		{"empty", "", 0},
		{"one", HEAD "a 1\n", 0},
		{"two families",
		 HEAD "a{x=\"\"} 1\na{x=\"b\"} +Inf\n# HELP c d\n# TYPE c counter\nc 1\n", 0},
		{"no head", "a 1\n", 1},
		{"no help", "# TYPE a gauge\na 1\n", 1},
		{"no type", "# HELP a b\na 1\n", 1},
		{"type of another", "# HELP a b\n# TYPE b gauge\na 1\n", 1},
		{"unknown type", "# HELP a b\n# TYPE a untyped\na 1\n", 1},
		{"no sample at the end", HEAD, 3},
		{"no sample", HEAD "# HELP c d\n# TYPE c gauge\nc 1\n", 3},
		{"sample of another", HEAD "a 1\nb 1\n", 4},
		{"suffix of a gauge", HEAD "a_sum 1\n", 3},
		{"twice", HEAD "a{x=\"1\"} 1\na{x=\"1\"} 2\n", 4},
		{"family twice", HEAD "a 1\n" HEAD "a{x=\"1\"} 1\n", 4},
		{"label twice", HEAD "a{x=\"1\",x=\"2\"} 1\n", 3},
		{"no line end", HEAD "a 1", 3},
		{"empty line", HEAD "a 1\n\n", 4},
		{"comment", HEAD "a 1\n# x\n", 4},
		{"timestamp", HEAD "a 1 1\n", 3},
		{"two spaces", HEAD "a  1\n", 3},
		{"no number", HEAD "a x\n", 3},
		{"part of a number", HEAD "a 1e\n", 3},
		{"empty braces", HEAD "a{} 1\n", 3},
		{"comma at the end", HEAD "a{x=\"1\",} 1\n", 3},
		{"no quote at the end", HEAD "a{x=\"1} 1\n", 3},
		{"unknown escape", HEAD "a{x=\"\\t\"} 1\n", 3},
		{"escape of a quote in help", "# HELP a \\\"\n# TYPE a gauge\na 1\n", 1},
		{"no UTF-8", HEAD "a{x=\"\xff\"} 1\n", 3},
		{"zero byte", HEAD "a{x=\"", 3},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct exposition e = EXPOSITION_INIT;
		unsigned int line = exposition_parse(&e, cases[i].text, strlen(cases[i].text));

		cr_assert_eq(line, cases[i].line, "%s: line %u", cases[i].name, line);
		exposition_done(&e);
	}
}

/* OpenMetrics alone tells since when a series counts. */
Test(expose_text, created)
{
	static const struct expose_series labels = {1, {{"x", "1"}}, .created_ms = 1700000000123};
	const struct metric counter = {"a_total", "", METRIC_COUNTER};
	const struct metric histogram = {"b_bytes", "", METRIC_HISTOGRAM};
	uint64_t cells[] = {2, 3, 0};
	struct histogram_bounds b;
	struct buf out = BUF_INIT;

	expose_openmetrics.value(&out, &counter, &labels, 7);
	assert_text(&out, "a_total{x=\"1\"} 7\na_created{x=\"1\"} 1.700000000123e+09\n");
	out = (struct buf)BUF_INIT;
	histogram_bounds_init(&b, NULL, 0, 1);
	expose_openmetrics.histogram(&out, &histogram, &labels, &b, cells);
	assert_text(&out, "b_bytes_bucket{x=\"1\",le=\"+Inf\"} 2\n"
			  "b_bytes_sum{x=\"1\"} 3\n"
			  "b_bytes_count{x=\"1\"} 2\n"
			  "b_bytes_created{x=\"1\"} 1.700000000123e+09\n");
	out = (struct buf)BUF_INIT;
	expose_text.value(&out, &counter, &labels, 7);
	assert_text(&out, "a_total{x=\"1\"} 7\n");
}
