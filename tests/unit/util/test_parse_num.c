/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/util/parse_num.h"

#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/util/macros.h"
#include "daemon/util/units.h"
#include "tests/support/test_support.h"

#define UNTOUCHED 4711
#define MINUTE_NS (60 * NSEC_PER_SEC)
#define HOUR_NS   (60 * MINUTE_NS)
#define DAY_NS    (24 * HOUR_NS)

TEST_SUITE(parse_num);

Test(parse_num, u64)
{
	static const struct {
		const char *text;
		uint64_t min, max;
		int expected;
		uint64_t n;
	} cases[] = {
		{"0", 0, UINT64_MAX, 0, 0},
		{"7", 0, UINT64_MAX, 0, 7},
		{"007", 0, UINT64_MAX, 0, 7},
		{"18446744073709551615", 0, UINT64_MAX, 0, UINT64_MAX},
		{"18446744073709551616", 0, UINT64_MAX, -ERANGE, 0},
		{"18446744073709551620", 0, UINT64_MAX, -ERANGE, 0},
		{"99999999999999999999999", 0, UINT64_MAX, -ERANGE, 0},
		{"184467440737095516160000", 0, UINT64_MAX, -ERANGE, 0},
		{"1", 1, 65535, 0, 1},
		{"65535", 1, 65535, 0, 65535},
		{"0", 1, 65535, -ERANGE, 0},
		{"65536", 1, 65535, -ERANGE, 0},
		{"", 0, UINT64_MAX, -EINVAL, 0},
		{" 1", 0, UINT64_MAX, -EINVAL, 0},
		{"1 ", 0, UINT64_MAX, -EINVAL, 0},
		{"1\n", 0, UINT64_MAX, -EINVAL, 0},
		{"+1", 0, UINT64_MAX, -EINVAL, 0},
		{"-1", 0, UINT64_MAX, -EINVAL, 0},
		{"0x10", 0, UINT64_MAX, -EINVAL, 0},
		{"1e3", 0, UINT64_MAX, -EINVAL, 0},
		{"1.0", 0, UINT64_MAX, -EINVAL, 0},
		{"1_000", 0, UINT64_MAX, -EINVAL, 0},
		{"one", 0, UINT64_MAX, -EINVAL, 0},
		{"99999999999999999999999x", 0, UINT64_MAX, -EINVAL, 0},
		{"\xd9\xa1", 0, UINT64_MAX, -EINVAL, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t n = UNTOUCHED;

		cr_assert_eq(parse_u64(cases[i].text, cases[i].min, cases[i].max, &n),
			     cases[i].expected, "\"%s\"", cases[i].text);
		cr_assert_eq(n, cases[i].expected ? UNTOUCHED : cases[i].n, "\"%s\": %" PRIu64,
			     cases[i].text, n);
	}
}

static void assert_doubles(void)
{
	static const struct {
		const char *text;
		int expected;
		double x;
	} cases[] = {
		{"0", 0, 0},
		{"0.5", 0, 0.5},
		{".5", 0, 0.5},
		{"5.", 0, 5},
		{"-0.25", 0, -0.25},
		{"0.1", 0, 0.1},
		{"1e3", 0, 1000},
		{"1E3", 0, 1000},
		{"1.5e-3", 0, 0.0015},
		{"2e+2", 0, 200},
		{"1.7976931348623157e308", 0, 1.7976931348623157e308},
		{"1e-400", 0, 0},
		{"1e309", -ERANGE, 0},
		{"-1e309", -ERANGE, 0},
		{"", -EINVAL, 0},
		{".", -EINVAL, 0},
		{"-", -EINVAL, 0},
		{"-.", -EINVAL, 0},
		{"e3", -EINVAL, 0},
		{".e3", -EINVAL, 0},
		{"1e", -EINVAL, 0},
		{"1e+", -EINVAL, 0},
		{"1e3.5", -EINVAL, 0},
		{"1.2.3", -EINVAL, 0},
		{"+1", -EINVAL, 0},
		{"--1", -EINVAL, 0},
		{" 1", -EINVAL, 0},
		{"1 ", -EINVAL, 0},
		{"0,5", -EINVAL, 0},
		{"0x10", -EINVAL, 0},
		{"0x1p3", -EINVAL, 0},
		{"inf", -EINVAL, 0},
		{"-inf", -EINVAL, 0},
		{"infinity", -EINVAL, 0},
		{"nan", -EINVAL, 0},
		{"1f", -EINVAL, 0},
		{"50%", -EINVAL, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		double x = UNTOUCHED;

		cr_assert_eq(parse_double(cases[i].text, &x), cases[i].expected, "\"%s\"",
			     cases[i].text);
		cr_assert_eq(x, cases[i].expected ? UNTOUCHED : cases[i].x, "\"%s\": %g",
			     cases[i].text, x);
	}
}

Test(parse_num, double_in_the_c_locale)
{
	assert_doubles();
}

/* Makes a locale with a decimal comma, and takes it; false if this host cannot make locales. */
static bool take_comma_locale(void)
{
	static const char make[] =
		"d=$(mktemp -d) && printf 'LC_NUMERIC\\ndecimal_point \",\"\\n"
		"thousands_sep \".\"\\ngrouping 3;3\\nEND LC_NUMERIC\\n' >$d/source && "
		"{ localedef -c -i $d/source -f UTF-8 $d/comma >$d/log 2>&1; echo $d; }";
	char directory[256] = "", remove[300];
	FILE *output = popen(make, "r");
	bool taken;

	cr_assert(output);
	cr_assert(fgets(directory, sizeof(directory), output));
	pclose(output);
	directory[strcspn(directory, "\n")] = '\0';
	setenv("LOCPATH", directory, 1);
	taken = setlocale(LC_NUMERIC, "comma") && strcmp(localeconv()->decimal_point, ",") == 0;
	snprintf(remove, sizeof(remove), "rm -r '%s'", directory);
	cr_assert_eq(system(remove), 0);
	return taken;
}

Test(parse_num, double_where_the_comma_is_decimal)
{
	if (!take_comma_locale()) {
		printf("SKIPPED: localedef cannot make a locale here\n");
		return;
	}
	assert_doubles();
	cr_assert_eq(strtod("0,5", NULL), 0.5);
}

Test(parse_num, duration)
{
	static const struct {
		const char *text;
		int expected;
		uint64_t ns;
	} cases[] = {
		{"0", 0, 0},
		{"0s", 0, 0},
		{"100ms", 0, 100 * NSEC_PER_MSEC},
		{"5s", 0, 5 * NSEC_PER_SEC},
		{"1m", 0, MINUTE_NS},
		{"1h30m", 0, 90 * MINUTE_NS},
		{"1d", 0, DAY_NS},
		{"90s", 0, 90 * NSEC_PER_SEC},
		{"1m500ms", 0, MINUTE_NS + 500 * NSEC_PER_MSEC},
		{"1d2h3m4s5ms", 0,
		 DAY_NS + 2 * HOUR_NS + 3 * MINUTE_NS + 4 * NSEC_PER_SEC + 5 * NSEC_PER_MSEC},
		{"213503d", 0, 213503 * DAY_NS},
		{"213504d", -ERANGE, 0},
		{"213503d24h", -ERANGE, 0},
		{"18446744073709551616s", -ERANGE, 0},
		{"18446744073709551616s1ms", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"5", -EINVAL, 0},
		{"00", -EINVAL, 0},
		{"s", -EINVAL, 0},
		{"5x", -EINVAL, 0},
		{"5sec", -EINVAL, 0},
		{"5S", -EINVAL, 0},
		{"5us", -EINVAL, 0},
		{"1w", -EINVAL, 0},
		{"1.5s", -EINVAL, 0},
		{"-5s", -EINVAL, 0},
		{"+5s", -EINVAL, 0},
		{" 5s", -EINVAL, 0},
		{"5 s", -EINVAL, 0},
		{"5s ", -EINVAL, 0},
		{"1h 30m", -EINVAL, 0},
		{"30m1h", -EINVAL, 0},
		{"1ms1s", -EINVAL, 0},
		{"1s1s", -EINVAL, 0},
		{"1h30", -EINVAL, 0},
		{"99999999999999999999s!", -EINVAL, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t ns = UNTOUCHED;

		cr_assert_eq(parse_duration_ns(cases[i].text, &ns), cases[i].expected, "\"%s\"",
			     cases[i].text);
		cr_assert_eq(ns, cases[i].expected ? UNTOUCHED : cases[i].ns, "\"%s\": %" PRIu64,
			     cases[i].text, ns);
	}
}

Test(parse_num, render_duration)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = {
		{0, "0"},
		{NSEC_PER_MSEC, "1ms"},
		{100 * NSEC_PER_MSEC, "100ms"},
		{1500 * NSEC_PER_MSEC, "1s500ms"},
		{5 * NSEC_PER_SEC, "5s"},
		{90 * NSEC_PER_SEC, "1m30s"},
		{HOUR_NS, "1h"},
		{DAY_NS + MINUTE_NS, "1d1m"},
		{UINT64_MAX / NSEC_PER_MSEC * NSEC_PER_MSEC, "213503d23h34m33s709ms"},
	};
	char text[32];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		render_duration_ns(cases[i].ns, text);
		cr_assert_str_eq(text, cases[i].text, "%s: %s", cases[i].text, text);
	}
}

Test(parse_num, durations_come_back)
{
	uint64_t ms = 1, ns;
	char text[32];

	for (int i = 0; i < 2000; i++) {
		render_duration_ns(ms * NSEC_PER_MSEC, text);
		if (parse_duration_ns(text, &ns) < 0 || ns != ms * NSEC_PER_MSEC)
			cr_assert_fail("%s", text);
		/* Small ones first, then ever more units. */
		ms = i < 1000 ? ms + 7 : ms * 31 % (UINT64_MAX / NSEC_PER_MSEC);
	}
}
