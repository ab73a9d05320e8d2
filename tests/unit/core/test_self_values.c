/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/self_values.h"

#include <string.h>

#include "daemon/core/histogram.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"

TEST_SUITE(self_values);

Test(self_values, set_add_get)
{
	uint64_t value = 7;

	self_add(&value, 5);
	cr_assert_eq(self_get(&value), 12);
	self_set(&value, 1);
	cr_assert_eq(self_get(&value), 1);
	self_add(&value, UINT64_MAX);
	cr_assert_eq(self_get(&value), 0);
}

Test(self_values, bounds_rise)
{
	for (unsigned int i = 1; i < SELF_DURATION_BOUNDS; i++)
		cr_assert_lt(self_duration_bounds[i - 1], self_duration_bounds[i]);
	cr_assert_eq(self_duration_bounds[0], 0.00001);
	cr_assert_eq(self_duration_bounds[SELF_DURATION_BOUNDS - 1], 10);
}

/* The cells that its reader expects, which takes them for a histogram of histogram.h. */
Test(self_values, durations_are_a_histogram)
{
	uint64_t cells[SELF_DURATION_CELLS] = {0}, expected[SELF_DURATION_CELLS] = {0};
	struct histogram_bounds b;
	uint64_t state = 1;

	histogram_bounds_init(&b, self_duration_bounds, SELF_DURATION_BOUNDS, NSEC_PER_SEC);
	cr_assert_eq(histogram_cells(&b), SELF_DURATION_CELLS);
	for (unsigned int i = 0; i < SELF_DURATION_BOUNDS; i++) {
		for (uint64_t n = b.upper[i] - 1; n <= b.upper[i] + 1; n++) {
			self_observe_duration(cells, n);
			histogram_observe(expected, &b, n);
			cr_assert_arr_eq(cells, expected, sizeof(cells), "%lu ns", n);
		}
	}
	for (int i = 0; i < 100000; i++) {
		uint64_t n =
			(uint64_t)core_random(&state, UINT32_MAX) << 4 >> core_random(&state, 36);

		self_observe_duration(cells, n);
		histogram_observe(expected, &b, n);
	}
	cr_assert_arr_eq(cells, expected, sizeof(cells));
}

Test(self_values, copy)
{
	struct self_values from, to;
	unsigned char *bytes = (unsigned char *)&from;

	for (size_t i = 0; i < sizeof(from); i++)
		bytes[i] = (unsigned char)(i * 31 + i / 256);
	memset(&to, 0, sizeof(to));
	self_values_copy(&to, &from);
	cr_assert_arr_eq(&to, &from, sizeof(to));
}
