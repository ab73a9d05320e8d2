/* SPDX-License-Identifier: Apache-2.0 */
/* Each allocation fails in turn: what was there is still there, and nothing leaks. */
#include <errno.h>
#include <string.h>

#include "daemon/gzip.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/test_support.h"

TEST_SUITE(gzip_memory);

#define TEXT "sockstatd_series 1\n"

Test(gzip_memory, every_allocation)
{
	struct fail_alloc_result result;
	struct buf b = BUF_INIT;
	size_t failed = 0;
	int r;

	buf_add_str(&b, TEXT);
	do {
		fail_alloc_start(failed + 1);
		r = gzip_buf(&b);
		result = fail_alloc_stop();
		if (r < 0) {
			failed++;
			cr_assert_eq(r, -ENOMEM);
			cr_assert_eq(result.not_freed, 0, "allocation %zu", failed);
			cr_assert(b.len == strlen(TEXT) && memcmp(b.data, TEXT, b.len) == 0);
		}
	} while (r < 0);
	cr_assert_gt(failed, 1);
	cr_assert_lt(failed, 100);
	buf_done(&b);
}
