/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/histogram.h"

#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"

TEST_SUITE(histogram);

#define CELLS_MAX (HISTOGRAM_BOUNDS_MAX + 3)

/* A bound is the largest integer, in the unit of the values, that is not above it. */
Test(histogram, bounds)
{
	static const struct {
		const char *name;
		double bound, divisor;
		uint64_t upper;
	} cases[] = {
		{"zero", 0, 1e6, 0},
		{"as it is", 10, 1, 10},
		{"50 µs", 0.00005, 1e6, 50},
		{"100 µs", 0.0001, 1e6, 100},
		{"200 µs", 0.0002, 1e6, 200},
		{"700 µs", 0.0007, 1e6, 700},
		{"1 ms", 0.001, 1e6, 1000},
		{"290 ms", 0.29, 1e6, 290000},
		{"570 ms", 0.57, 1e6, 570000},
		{"1 s", 1, 1e6, 1000000},
		{"99 %", 0.99, 1e9, 990000000},
		{"between two integers", 0.0000015, 1e6, 1},
		{"below the first", 0.0000009, 1e6, 0},
		{"half a segment", 2.5, 1, 2},
		{"large", 1e10, 1, UINT64_C(10000000000)},
		{"beyond", 1e30, 1, UINT64_MAX},
		{"just beyond", 0x1p64, 1, UINT64_MAX},
	};
	struct histogram_bounds b;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		histogram_bounds_init(&b, &cases[i].bound, 1, cases[i].divisor);
		cr_assert_eq(b.count, 1);
		cr_assert_eq(b.upper[0], cases[i].upper, "%s: %lu", cases[i].name, b.upper[0]);
		cr_assert_eq(b.le[0], cases[i].bound, "%s: le is as it was given", cases[i].name);
		cr_assert_eq(histogram_cells(&b), 4);
	}
}

/* Every decimal that one may write in milli-, micro- or nanoseconds is met exactly. */
Test(histogram, decimal_bounds_are_exact)
{
	static const uint64_t divisors[] = {1000, 1000000, 1000000000};
	struct histogram_bounds b;

	for (size_t i = 0; i < ARRAY_SIZE(divisors); i++) {
		for (uint64_t n = 1; n < 100000; n += 7) {
			double bound = (double)n / (double)divisors[i];

			histogram_bounds_init(&b, &bound, 1, (double)divisors[i]);
			if (b.upper[0] != n)
				cr_assert_fail("%lu / %lu: %lu", n, divisors[i], b.upper[0]);
		}
	}
}

static const double bounds[] = {0, 10, 20, 1000};

/* le is inclusive. */
Test(histogram, observations_on_the_bounds)
{
	static const struct {
		uint64_t value;
		unsigned int cell;
	} cases[] = {
		{0, 0},  {1, 1},   {9, 1},    {10, 1},   {11, 2},         {20, 2},
		{21, 3}, {999, 3}, {1000, 3}, {1001, 4}, {UINT64_MAX, 4},
	};
	struct histogram_bounds b;

	histogram_bounds_init(&b, bounds, ARRAY_SIZE(bounds), 1);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t cells[CELLS_MAX] = {0};

		histogram_observe(cells, &b, cases[i].value);
		for (unsigned int j = 0; j <= b.count; j++)
			cr_assert_eq(cells[j], j == cases[i].cell, "%lu: cell %u", cases[i].value,
				     j);
		cr_assert_eq(cells[5], cases[i].value);
		cr_assert_eq(cells[6], 0);
		cr_assert_eq(histogram_count(cells, &b), 1);
	}
}

Test(histogram, without_bounds)
{
	uint64_t cells[3] = {0};
	struct histogram_bounds b;

	histogram_bounds_init(&b, NULL, 0, 1);
	cr_assert_eq(histogram_cells(&b), ARRAY_SIZE(cells));
	histogram_observe(cells, &b, 0);
	histogram_observe(cells, &b, 7);
	cr_assert_eq(histogram_count(cells, &b), 2);
	cr_assert_eq(histogram_sum(cells, &b, 1), 7);
}

/* As many bounds as there may be, and any value: as a search from the first one on would find. */
Test(histogram, any_value_any_bounds)
{
	uint64_t state = 1;

	for (int round = 0; round < 200; round++) {
		unsigned int count = core_random(&state, HISTOGRAM_BOUNDS_MAX + 1);
		double some[HISTOGRAM_BOUNDS_MAX];
		uint64_t cells[CELLS_MAX] = {0}, expected[CELLS_MAX] = {0};
		struct histogram_bounds b;

		for (unsigned int i = 0; i < count; i++)
			some[i] = (i ? some[i - 1] : 0) + 1 + core_random(&state, 20);
		histogram_bounds_init(&b, some, count, 1);
		for (int i = 0; i < 500; i++) {
			uint64_t value = core_random(&state, 1000);
			unsigned int cell = 0;

			while (cell < count && (double)value > some[cell])
				cell++;
			expected[cell]++;
			expected[count + 1] += value;
			histogram_observe(cells, &b, value);
		}
		cr_assert_arr_eq(cells, expected, sizeof(cells), "round %d", round);
		cr_assert_eq(histogram_count(cells, &b), 500);
	}
}

Test(histogram, sum_has_128_bits)
{
	uint64_t cells[CELLS_MAX] = {0}, more[CELLS_MAX] = {0};
	struct histogram_bounds b;

	histogram_bounds_init(&b, bounds, ARRAY_SIZE(bounds), 1);
	histogram_observe(cells, &b, UINT64_MAX);
	histogram_observe(cells, &b, 1);
	cr_assert_eq(cells[5], 0, "the low word");
	cr_assert_eq(cells[6], 1, "the high word");
	cr_assert_eq(histogram_sum(cells, &b, 1), 0x1p64);

	histogram_observe(more, &b, UINT64_MAX);
	histogram_observe(more, &b, UINT64_MAX);
	histogram_add(cells, more, &b);
	cr_assert_eq(cells[5], UINT64_MAX - 1);
	cr_assert_eq(cells[6], 2);
	histogram_add(cells, more, &b);
	cr_assert_eq(cells[5], UINT64_MAX - 3, "carry of two low words");
	cr_assert_eq(cells[6], 4);
	cr_assert_eq(histogram_count(cells, &b), 6);
}

Test(histogram, sum_is_in_base_units)
{
	uint64_t cells[CELLS_MAX] = {0};
	double second = 1;
	struct histogram_bounds b;

	histogram_bounds_init(&b, &second, 1, 1e6);
	histogram_observe(cells, &b, 1500000);
	histogram_observe(cells, &b, 250000);
	cr_assert_eq(histogram_sum(cells, &b, 1e6), 1.75);
	cr_assert_eq(cells[0], 1);
	cr_assert_eq(cells[1], 1);
}

/* Adding is the same as having observed both. */
Test(histogram, add)
{
	uint64_t a[CELLS_MAX] = {0}, c[CELLS_MAX] = {0}, both[CELLS_MAX] = {0};
	struct histogram_bounds b;
	uint64_t state = 3;

	histogram_bounds_init(&b, bounds, ARRAY_SIZE(bounds), 1);
	for (int i = 0; i < 1000; i++) {
		uint64_t value = (uint64_t)core_random(&state, 2000) << core_random(&state, 2) * 53;

		histogram_observe(i % 3 ? a : c, &b, value);
		histogram_observe(both, &b, value);
	}
	histogram_add(a, c, &b);
	cr_assert_arr_eq(a, both, sizeof(a));
}

/* A histogram that is native counts each value twice: in its bucket, and in that which has it. */
Test(histogram, native)
{
	static uint64_t cells[7 + 1 + NATIVE_BUCKETS_MAX], twice[7 + 1 + NATIVE_BUCKETS_MAX];
	static struct native_buckets native;
	struct histogram_bounds b;
	const uint64_t *counts;
	uint64_t state = 5;
	uint64_t sum = 0;

	native_buckets_init(&native, 1, 64);
	histogram_bounds_init(&b, bounds, ARRAY_SIZE(bounds), 1);
	cr_assert_eq(histogram_cells(&b), 7);
	b.native = &native;
	cr_assert_eq(histogram_cells(&b), 7 + 1 + native.count);
	cr_assert_eq(histogram_series(&b), 7, "those that are no series of a text");
	counts = histogram_native(cells, &b);
	for (int i = 0; i < 1000; i++)
		histogram_observe(cells, &b, core_random(&state, 2000));
	histogram_observe(cells, &b, 0);
	histogram_observe(cells, &b, 1);
	histogram_observe(cells, &b, UINT64_MAX);
	cr_assert_eq(counts[0], cells[0], "zeros have a bound of their own here");
	cr_assert_geq(counts[1], 1);
	cr_assert_eq(counts[native.count], 1);
	for (unsigned int i = 0; i <= native.count; i++)
		sum += counts[i];
	cr_assert_eq(sum, 1003);
	cr_assert_eq(histogram_count(cells, &b), 1003);
	histogram_add(twice, cells, &b);
	histogram_add(twice, cells, &b);
	for (unsigned int i = 0; i < histogram_cells(&b); i++)
		cr_assert(i == 5 || i == 6 || twice[i] == 2 * cells[i], "cell %u", i);
}
