/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/token_bucket.h"

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(token_bucket);

Test(token_bucket, takes)
{
	static const struct {
		uint64_t now_ns;
		bool expected;
	} steps[] = {
		{1000, true}, {1000, true},  {1000, true},  {1000, false}, {1099, false},
		{1100, true}, {1100, false}, {1150, false}, {1199, false}, {1200, true},
		{1399, true}, {1400, true},  {1400, false}, {9000, true},  {9000, true},
		{9000, true}, {9000, false}, {9001, false},
	};
	struct token_bucket b = {.interval_ns = 100, .burst = 3};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		cr_assert_eq(token_bucket_take(&b, steps[i].now_ns), steps[i].expected, "%zu", i);
}

Test(token_bucket, no_limit_and_nothing)
{
	struct token_bucket open = {.burst = 0}, closed = {.interval_ns = 1};

	for (uint64_t i = 0; i < 1000; i++) {
		cr_assert(token_bucket_take(&open, 5));
		cr_assert_not(token_bucket_take(&closed, i));
	}
}
