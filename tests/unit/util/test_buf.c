/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/util/buf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/test_support.h"

TEST_SUITE(buf);

__attribute__((visibility("default"))) const char *__asan_default_options(void);

/* So that memory that runs out is what it is without ASan: a NULL. */
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void assert_content(const struct buf *b, const char *expected)
{
	cr_assert_eq(b->error, 0);
	cr_assert_eq(b->len, strlen(expected), "%zu bytes: %.*s", b->len, (int)b->len, b->data);
	cr_assert_arr_eq(b->data, expected, b->len);
}

Test(buf, unused)
{
	struct buf b = BUF_INIT;

	cr_assert_null(b.data);
	buf_add(&b, NULL, 0);
	buf_add_str(&b, "");
	buf_add_format(&b, "%s", "");
	cr_assert_eq(b.len, 0);
	cr_assert_eq(b.error, 0);
	buf_clear(&b);
	buf_done(&b);
	buf_done(&b);
	cr_assert_null(b.data);
}

Test(buf, every_kind)
{
	struct buf b = BUF_INIT;

	buf_add_str(&b, "a line");
	buf_add_char(&b, ' ');
	buf_add_u64(&b, 4711);
	buf_add_format(&b, " %s=%d", "x", -3);
	buf_add(&b, "tail", 2);
	assert_content(&b, "a line 4711 x=-3ta");
	buf_done(&b);
}

Test(buf, zero_bytes_are_content)
{
	struct buf b = BUF_INIT;

	buf_add(&b, "a\0b", 3);
	buf_add_char(&b, '\0');
	cr_assert_eq(b.len, 4);
	cr_assert_arr_eq(b.data, "a\0b\0", 4);
	buf_done(&b);
}

Test(buf, clear_keeps_memory)
{
	struct buf b = BUF_INIT;
	size_t cap;
	char *data;

	for (int i = 0; i < 1000; i++)
		buf_add_str(&b, "0123456789");
	data = b.data;
	cap = b.cap;
	buf_clear(&b);
	cr_assert_eq(b.len, 0);
	buf_add_str(&b, "again");
	assert_content(&b, "again");
	cr_assert_eq(b.data, data);
	cr_assert_eq(b.cap, cap);
	buf_done(&b);
	cr_assert_eq(b.cap, 0);
}

/* Every kind of addition meets every state of fullness. */
Test(buf, growth)
{
	static char expected[5000 * 16];
	struct buf b = BUF_INIT;
	size_t len = 0;

	for (uint64_t i = 0; i < 5000; i++) {
		buf_add_u64(&b, i);
		buf_add_format(&b, "<%" PRIu64 ">", i);
		buf_add_char(&b, '\n');
		len += (size_t)snprintf(expected + len, sizeof(expected) - len,
					"%" PRIu64 "<%" PRIu64 ">\n", i, i);
	}
	assert_content(&b, expected);
	buf_done(&b);
}

/* Growth is by factors, not by pieces: a big text is copied few times. */
Test(buf, growth_is_geometric)
{
	struct buf b = BUF_INIT;
	size_t cap = 0;
	int changes = 0;

	for (int i = 0; i < 1 << 20; i++) {
		buf_add_char(&b, 'x');
		changes += b.cap != cap;
		cap = b.cap;
	}
	cr_assert_eq(b.len, 1 << 20);
	cr_assert_leq(changes, 20);
	buf_done(&b);
}

Test(buf, long_format)
{
	struct buf b = BUF_INIT;
	char text[3000];

	memset(text, 'y', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	buf_add_format(&b, "%s", text);
	assert_content(&b, text);
	buf_done(&b);
}

/* One byte of room too few, just enough, and one more for the terminating byte. */
Test(buf, format_at_the_edge)
{
	struct buf b = BUF_INIT;

	for (size_t room = 0; room <= 4; room++) {
		buf_clear(&b);
		buf_add_char(&b, '.');
		while (b.cap - b.len > room)
			buf_add_char(&b, '.');
		buf_add_format(&b, "%s", "abc");
		cr_assert_eq(b.error, 0, "room %zu", room);
		cr_assert_arr_eq(b.data + b.len - 4, ".abc", 4, "room %zu", room);
		buf_done(&b);
	}
}

static void add_everything(struct buf *b)
{
	buf_add(b, "x", 1);
	buf_add_str(b, "x");
	buf_add_char(b, 'x');
	buf_add_u64(b, 1);
	buf_add_format(b, "%d", 1);
	buf_add_format(b, "%500d", 1);
}

Test(buf, error_is_sticky)
{
	struct buf b = BUF_INIT;

	buf_add_str(&b, "kept");
	buf_add(&b, "x", PTRDIFF_MAX / 2);
	cr_assert_eq(b.error, -ENOMEM);
	add_everything(&b);
	cr_assert_eq(b.error, -ENOMEM);
	cr_assert_eq(b.len, 4);
	cr_assert_arr_eq(b.data, "kept", 4);

	buf_clear(&b);
	buf_add_str(&b, "usable");
	assert_content(&b, "usable");
	buf_done(&b);
}

Test(buf, size_does_not_wrap)
{
	static const struct {
		const char *name;
		size_t n;
	} cases[] = {
		{"the sum wraps", SIZE_MAX - 2},
		{"the sum is SIZE_MAX", SIZE_MAX - 4},
		{"larger than any object", (size_t)PTRDIFF_MAX},
		{"one too large", (size_t)PTRDIFF_MAX - 3},
	};
	struct buf b;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		b = (struct buf)BUF_INIT;
		buf_add_str(&b, "kept");
		buf_add(&b, "x", cases[i].n);
		cr_assert_eq(b.error, -ENOMEM, "%s", cases[i].name);
		cr_assert_eq(b.len, 4, "%s", cases[i].name);
		buf_done(&b);
	}
}

/* Only a fault is an assertion: Criterion reports each, also one that holds. */
static void assert_digits(uint64_t n)
{
	char expected[20 + 5], digits[20 + 4];

	/* Behind the digits nothing is touched. */
	memset(expected, '#', sizeof(expected));
	memset(digits, '#', sizeof(digits));
	expected[snprintf(expected, sizeof(expected), "%" PRIu64, n)] = '#';
	if (buf_write_u64(digits, n) != strcspn(expected, "#") ||
	    memcmp(digits, expected, sizeof(digits)) != 0)
		cr_assert_fail("%.24s instead of %.24s", digits, expected);
}

Test(buf, digits)
{
	uint64_t power = 1;

	for (uint64_t n = 0; n < 20000; n++)
		assert_digits(n);
	for (int i = 0; i < 20; i++, power *= 10) {
		assert_digits(power - 1);
		assert_digits(power);
		assert_digits(power + 1);
	}
	for (int i = 0; i < 64; i++) {
		assert_digits((UINT64_C(1) << i) - 1);
		assert_digits(UINT64_C(1) << i);
		assert_digits(UINT64_MAX >> i);
	}
}
