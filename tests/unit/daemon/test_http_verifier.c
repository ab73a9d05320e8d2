/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/http_verifier.h"

#include <errno.h>
#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(http_verifier);

#define UU "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"

static unsigned int ended;

static void on_ended(struct http_verifier *verifier, struct http_check *check)
{
	(void)verifier;
	(void)check;
	ended++;
}

Test(http_verifier, in_order)
{
	struct http_check checks[] = {
		{.hash = UU, .password = "U*U", .result = 1},
		{.hash = UU, .password = "wrong", .result = 1},
		{.hash = UU, .password = "U*U", .result = 1},
	};
	static const int expected[] = {0, -EACCES, 0};
	struct http_verifier v;
	struct loop loop;

	cr_assert_eq(loop_init(&loop), 0);
	cr_assert_eq(http_verifier_init(&v, &loop, on_ended), 0);
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		cr_assert_eq(http_verifier_submit(&v, &checks[i]), 0);
	while (ended < ARRAY_SIZE(checks))
		cr_assert_geq(loop_turn(&loop, 20000), 0);
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		cr_assert_eq(checks[i].result, expected[i], "%zu: %d", i, checks[i].result);
	http_verifier_done(&v);
	loop_done(&loop);
}

/* One that takes a quarter of a minute is not waited for. */
Test(http_verifier, leaves_what_takes_long, .timeout = 10)
{
	struct http_check check = {
		.hash = "$2y$18$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi",
		.password = "x",
		.result = 1,
	};
	struct http_verifier v;
	struct loop loop;
	bool has_begun = false;

	cr_assert_eq(loop_init(&loop), 0);
	cr_assert_eq(http_verifier_init(&v, &loop, on_ended), 0);
	cr_assert_eq(http_verifier_submit(&v, &check), 0);
	while (!has_begun) {
		pthread_mutex_lock(&v.lock);
		has_begun = v.current;
		pthread_mutex_unlock(&v.lock);
	}
	http_verifier_done(&v);
	cr_assert_eq(ended, 1);
	cr_assert_eq(check.result, -ECANCELED);
	loop_done(&loop);
}

/* One may be under way; of the others nobody has looked at the last. */
Test(http_verifier, ends_at_once)
{
	struct http_check checks[20];
	struct http_verifier v;
	struct loop loop;

	cr_assert_eq(loop_init(&loop), 0);
	cr_assert_eq(http_verifier_init(&v, &loop, on_ended), 0);
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		checks[i] = (struct http_check){.hash = UU, .password = "U*U", .result = 1};
		cr_assert_eq(http_verifier_submit(&v, &checks[i]), 0);
	}
	http_verifier_done(&v);
	http_verifier_done(&v);
	cr_assert_eq(ended, ARRAY_SIZE(checks));
	cr_assert_eq(checks[ARRAY_SIZE(checks) - 1].result, -ECANCELED);
	loop_done(&loop);
}
