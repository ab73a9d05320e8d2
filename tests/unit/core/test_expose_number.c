/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/expose_number.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"

TEST_SUITE(expose_number);

static void assert_text(const struct buf *b, const char *expected)
{
	cr_assert_eq(b->error, 0);
	cr_assert(b->len == strlen(expected) && memcmp(b->data, expected, b->len) == 0,
		  "%s expected, not %.*s", expected, (int)b->len, b->data);
}

static const struct {
	double x;
	const char *expected;
} doubles[] = {
	{0, "0"},
	{-0.0, "-0"},
	{1, "1"},
	{-1, "-1"},
	{10, "10"},
	{120, "120"},
	{100000, "100000"},
	{999999, "999999"},
	{999999.5, "999999.5"},
	{999999.9999999999, "999999.9999999999"},
	{1000000, "1e+06"},
	{1000000.5, "1.0000005e+06"},
	{1234567, "1.234567e+06"},
	{123456.7, "123456.7"},
	{1e10, "1e+10"},
	{1e21, "1e+21"},
	{1e22, "1e+22"},
	{1e23, "1e+23"},
	{1e99, "1e+99"},
	{1e100, "1e+100"},
	{0.1, "0.1"},
	{0.001, "0.001"},
	{0.0001, "0.0001"},
	{0.00012345, "0.00012345"},
	{0.000099, "9.9e-05"},
	{0.00009999999999999999, "9.999999999999999e-05"},
	{0.00005, "5e-05"},
	{0.00001, "1e-05"},
	{0.0000001, "1e-07"},
	{-0.00001, "-1e-05"},
	{0.1 + 0.2, "0.30000000000000004"},
	{1.0 / 3, "0.3333333333333333"},
	{2.0 / 3, "0.6666666666666666"},
	{100.0 / 3, "33.333333333333336"},
	{M_PI, "3.141592653589793"},
	{1700000000.123, "1.700000000123e+09"},
	{12345678901234567, "1.2345678901234568e+16"},
	{0x1p53, "9.007199254740992e+15"},
	{0x1p53 - 1, "9.007199254740991e+15"},
	{0x1p53 + 2, "9.007199254740994e+15"},
	{0x1p63, "9.223372036854776e+18"},
	{0x1p64, "1.8446744073709552e+19"},
	{DBL_MAX, "1.7976931348623157e+308"},
	{DBL_MIN, "2.2250738585072014e-308"},
	/* Subnormal numbers have fewer digits than others. */
	{5e-324, "5e-324"},
	{1e-323, "1e-323"},
	{1.23e-321, "1.23e-321"},
	{2.225073858507201e-308, "2.225073858507201e-308"},
	/* Powers of two whose shortest digits are not the nearest of their number. */
	{0x1p-24, "5.960464477539063e-08"},
	{0x1p-44, "5.684341886080802e-14"},
	/* Halfway between two decimals of 15 digits, and of 16. */
	{0x1p-25, "2.9802322387695312e-08"},
	{2251799813685249.5, "2.2517998136852495e+15"},
	{9007199254740993e0, "9.007199254740992e+15"},
	{INFINITY, "+Inf"},
	{-INFINITY, "-Inf"},
	{NAN, "NaN"},
	{-NAN, "NaN"},
};

Test(expose_number, as_go_writes_them)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(doubles); i++) {
		buf_clear(&b);
		expose_double(&b, doubles[i].x);
		assert_text(&b, doubles[i].expected);
	}
	buf_done(&b);
}

Test(expose_number, integers)
{
	static const struct {
		uint64_t n;
		const char *expected;
	} cases[] = {
		{0, "0"},
		{7, "7"},
		{1000, "1000"},
		{999999, "999999"},
		{1000000, "1e+06"},
		{1000001, "1.000001e+06"},
		{1200000, "1.2e+06"},
		{100000000000, "1e+11"},
		{UINT32_MAX, "4.294967295e+09"},
		{(UINT64_C(1) << 53) - 1, "9.007199254740991e+15"},
		{UINT64_C(1) << 53, "9.007199254740992e+15"},
		{(UINT64_C(1) << 53) + 1, "9.007199254740992e+15"},
		{(UINT64_C(1) << 53) + 3, "9.007199254740996e+15"},
		{UINT64_C(1) << 63, "9.223372036854776e+18"},
		{UINT64_MAX - 1, "1.8446744073709552e+19"},
		{UINT64_MAX, "1.8446744073709552e+19"},
	};
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		buf_clear(&b);
		expose_u64(&b, cases[i].n);
		assert_text(&b, cases[i].expected);
	}
	buf_done(&b);
}

static uint64_t random_u64(uint64_t *state)
{
	return (uint64_t)core_random(state, UINT32_MAX) << 32 | core_random(state, UINT32_MAX);
}

static void assert_both_alike(struct buf *a, struct buf *b, uint64_t n)
{
	buf_clear(a);
	buf_clear(b);
	expose_u64(a, n);
	expose_double(b, (double)n);
	cr_assert(a->len == b->len && memcmp(a->data, b->data, a->len) == 0,
		  "%" PRIu64 ": %.*s, %.*s", n, (int)a->len, a->data, (int)b->len, b->data);
}

Test(expose_number, integers_as_doubles)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	uint64_t state = 1, power = 1;

	for (uint64_t n = 0; n < 20000; n++)
		assert_both_alike(&a, &b, n);
	for (int i = 0; i < 100000; i++)
		assert_both_alike(&a, &b, random_u64(&state) >> core_random(&state, 64));
	for (int i = 0; i < 20; i++, power *= 10) {
		assert_both_alike(&a, &b, power - 1);
		assert_both_alike(&a, &b, power);
		assert_both_alike(&a, &b, power + 1);
	}
	buf_done(&a);
	buf_done(&b);
}

/* The digits of TEXT as an integer, and the number of them. */
static uint64_t digits_of(const char *text, int *ret_count)
{
	uint64_t n = 0;
	int count = 0;

	for (; *text && *text != 'e'; text++) {
		if (*text == '.' || *text == '-' || (n == 0 && *text == '0'))
			continue;
		n = n * 10 + (uint64_t)(*text - '0');
		count++;
	}
	*ret_count = count;
	return n;
}

/* Whether some number of one digit less reads back as X: one of the two that enclose it. */
static bool can_be_shorter(double x, uint64_t digits, int count, int exponent)
{
	for (uint64_t shorter = digits / 10; shorter <= digits / 10 + 1; shorter++) {
		char text[64];

		snprintf(text, sizeof(text), "%" PRIu64 "e%d", shorter, exponent - count + 2);
		if (count > 1 && strtod(text, NULL) == x)
			return true;
	}
	return false;
}

static void assert_shortest(struct buf *b, double x)
{
	char text[64], exact[64];
	uint64_t digits;
	int count;

	buf_clear(b);
	expose_double(b, x);
	snprintf(text, sizeof(text), "%.*s", (int)b->len, b->data);
	cr_assert_eq(strtod(text, NULL), x, "%s is not %a", text, x);
	digits = digits_of(text, &count);
	while (count > 1 && digits % 10 == 0) {
		digits /= 10;
		count--;
	}
	snprintf(exact, sizeof(exact), "%.*e", count - 1, x);
	cr_assert_not(can_be_shorter(x, digits, count, atoi(strchr(exact, 'e') + 1)),
		      "%s can be shorter", text);
}

/* Any double reads back, and no shorter text does. */
Test(expose_number, shortest_that_reads_back)
{
	struct buf b = BUF_INIT;
	uint64_t state = 2;

	for (int i = 0; i < 50000; i++) {
		uint64_t bits = random_u64(&state) & INT64_MAX;
		double x;

		memcpy(&x, &bits, sizeof(x));
		if (isfinite(x) && x > 0)
			assert_shortest(&b, x);
		assert_shortest(&b, (double)(1 + (bits >> core_random(&state, 50))) / 1e9);
	}
	for (int i = -1074; i < 1024; i++)
		assert_shortest(&b, ldexp(1, i));
	buf_done(&b);
}

Test(expose_number, bounds)
{
	static const struct {
		double le;
		const char *expected;
	} cases[] = {
		{0, "0.0"},         {1, "1.0"},         {10, "10.0"},       {1024, "1024.0"},
		{0.5, "0.5"},       {0.0001, "0.0001"}, {0.00005, "5e-05"}, {100000, "100000.0"},
		{1e6, "1e+06"},     {1e10, "1e+10"},    {2.5e6, "2.5e+06"}, {999999, "999999.0"},
		{1e-300, "1e-300"},
	};
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		buf_clear(&b);
		/* What is there already is not looked at. */
		buf_add_str(&b, "1.5e");
		expose_le(&b, cases[i].le);
		cr_assert_eq(b.error, 0);
		cr_assert(b.len == 4 + strlen(cases[i].expected) &&
				  memcmp(b.data + 4, cases[i].expected, b.len - 4) == 0,
			  "%s expected, not %.*s", cases[i].expected, (int)b.len, b.data);
	}
	buf_done(&b);
}
