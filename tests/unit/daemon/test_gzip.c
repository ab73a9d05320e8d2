/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gzip.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "tests/support/test_support.h"

TEST_SUITE(gzip);

/* Whether it unpacks to TEXT. */
static bool unpacks_to(const struct buf *b, const char *text, size_t len)
{
	char *unpacked = malloc(len + 1);
	z_stream z = {.next_in = (Bytef *)b->data,
		      .avail_in = (uInt)b->len,
		      .next_out = (Bytef *)unpacked,
		      .avail_out = (uInt)len + 1};
	bool same;

	/* gzip's frame, and no other. */
	cr_assert_eq(inflateInit2(&z, MAX_WBITS + 16), Z_OK);
	cr_assert_eq(inflate(&z, Z_FINISH), Z_STREAM_END);
	same = z.total_out == len && z.avail_in == 0 && memcmp(unpacked, text, len) == 0;
	inflateEnd(&z);
	free(unpacked);
	return same;
}

Test(gzip, round_trip)
{
	static const size_t sizes[] = {0, 1, 2, 100, 65535, 65536, 1000000};
	char *text = malloc(1000000);

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct buf b = BUF_INIT;

		for (size_t j = 0; j < sizes[i]; j++)
			text[j] =
				(char)(j % 2 ? "sockstat"[j / 7 % 8] : rand() % (i % 2 ? 256 : 4));
		buf_add(&b, text, sizes[i]);
		cr_assert_eq(gzip_buf(&b), 0);
		cr_assert(unpacks_to(&b, text, sizes[i]), "%zu", sizes[i]);
		buf_done(&b);
	}
	free(text);
}
