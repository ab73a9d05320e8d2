/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/native_buckets.h"

#include <math.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"

TEST_SUITE(native_buckets);

/* The units of our values: as they are, thousandths, millionths, thousand millionths. */
static const double divisors[] = {1, 1e3, 1e6, 1e9};
static const unsigned int widths[] = {8, 32, 64};

Test(native_buckets, named_cases)
{
	static const struct {
		const char *name;
		double divisor;
		uint64_t value;
		int index; /* Prometheus' */
	} cases[] = {
		{"one", 1, 1, 0},
		{"two, a bound", 1, 2, 8},
		{"three, in (2^(12/8), 2^(13/8)]", 1, 3, 13},
		{"four", 1, 4, 16},
		{"five", 1, 5, 19},
		{"a second in microseconds", 1e6, 1000000, 0},
		{"more than that", 1e6, 1000001, 1},
		{"an eighth of a second, a bound", 1e6, 125000, -24},
		{"more than that", 1e6, 125001, -23},
		{"a microsecond", 1e6, 1, -159},
		{"a nanosecond", 1e9, 1, -239},
		{"the largest of 32 bits", 1, UINT32_MAX, 256},
		{"the largest", 1, UINT64_MAX, 512},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct native_buckets b;

		native_buckets_init(&b, cases[i].divisor, 64);
		cr_assert_eq((int)native_buckets_find(&b, cases[i].value) + b.first, cases[i].index,
			     "%s: %d", cases[i].name,
			     (int)native_buckets_find(&b, cases[i].value) + b.first);
	}
}

/* Rising bounds from 1 to the largest value, and each value is in the first that holds it. */
Test(native_buckets, each_bound)
{
	for (size_t i = 0; i < ARRAY_SIZE(divisors) * ARRAY_SIZE(widths); i++) {
		unsigned int bits = widths[i / ARRAY_SIZE(divisors)];
		uint64_t largest = UINT64_MAX >> (64 - bits);
		struct native_buckets b;

		native_buckets_init(&b, divisors[i % ARRAY_SIZE(divisors)], bits);
		cr_assert_leq(b.count, bits * NATIVE_PER_DOUBLING + 2);
		cr_assert_geq(b.upper[0], 1);
		cr_assert_geq(b.upper[b.count - 1], largest);
		for (unsigned int k = 0; k < b.count; k++) {
			uint64_t upper = b.upper[k];
			bool is_empty = k > 0 && upper == b.upper[k - 1];

			cr_assert(k == 0 || upper >= b.upper[k - 1]);
			cr_assert(k + 1 == b.count || upper < largest);
			if (!is_empty)
				cr_assert_eq(native_buckets_find(&b, upper), k, "%lu", upper);
			if (k + 1 < b.count)
				cr_assert_gt(native_buckets_find(&b, upper + 1), k, "%lu", upper);
		}
		cr_assert_eq(native_buckets_find(&b, UINT64_MAX), b.count - 1,
			     "the last has the rest");
	}
}

/* What the index promises to who computes quantiles, of values of every size. */
Test(native_buckets, index_is_of_the_schema)
{
	uint64_t state = 7;

	for (int i = 0; i < 200000; i++) {
		double divisor = divisors[core_random(&state, ARRAY_SIZE(divisors))];
		uint64_t value = (uint64_t)core_random(&state, UINT32_MAX) << 20;
		long double base;
		static struct native_buckets buckets[ARRAY_SIZE(divisors)];
		struct native_buckets *b = &buckets[(int)log10(divisor) / 3];
		int index;

		if (b->count == 0)
			native_buckets_init(b, divisor, 64);
		value = 1 + (value >> core_random(&state, 52));
		base = (long double)value / (long double)divisor;
		index = (int)native_buckets_find(b, value) + b->first;
		/* A bound is no integer but where it is a power of two, which long double has. */
		cr_assert_leq(base, exp2l((long double)index / NATIVE_PER_DOUBLING) * (1 + 1e-15L));
		cr_assert_gt(base,
			     exp2l((long double)(index - 1) / NATIVE_PER_DOUBLING) * (1 - 1e-15L));
	}
}
