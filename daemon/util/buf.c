/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/util/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A handful of lines: what is rendered at all is seldom less. */
#define BUF_MIN_CAP 256

#define U64_MAX_DIGITS 20

static const char digit_pairs[] = "0001020304050607080910111213141516171819"
				  "2021222324252627282930313233343536373839"
				  "4041424344454647484950515253545556575859"
				  "6061626364656667686970717273747576777879"
				  "8081828384858687888990919293949596979899";

void buf_done(struct buf *b)
{
	free(b->data);
	*b = (struct buf)BUF_INIT;
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->error = 0;
}

static bool buf_grow(struct buf *b, size_t n)
{
	size_t cap;
	char *data;

	/* No object is larger than PTRDIFF_MAX; this also keeps the sums from wrapping. */
	if (n > PTRDIFF_MAX - b->len) {
		b->error = -ENOMEM;
		return false;
	}
	cap = MAX(b->len + n, BUF_MIN_CAP);
	if (b->cap <= PTRDIFF_MAX / 2)
		cap = MAX(cap, b->cap * 2);
	data = realloc(b->data, cap);
	if (!data) {
		b->error = -ENOMEM;
		return false;
	}
	b->data = data;
	b->cap = cap;
	return true;
}

/* Whether N more bytes may be written; not so for good once memory ran out. */
static inline bool buf_reserve(struct buf *b, size_t n)
{
	if (b->error)
		return false;
	return n <= b->cap - b->len || buf_grow(b, n);
}

void buf_add(struct buf *b, const void *bytes, size_t n)
{
	if (n == 0 || !buf_reserve(b, n))
		return;
	memcpy(b->data + b->len, bytes, n);
	b->len += n;
}

void buf_add_str(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void buf_add_char(struct buf *b, char c)
{
	if (buf_reserve(b, 1))
		b->data[b->len++] = c;
}

void buf_add_u64(struct buf *b, uint64_t n)
{
	if (buf_reserve(b, U64_MAX_DIGITS))
		b->len += buf_write_u64(b->data + b->len, n);
}

void buf_add_format(struct buf *b, const char *format, ...)
{
	size_t room = b->cap - b->len;
	va_list args;
	int n;

	if (b->error)
		return;
	va_start(args, format);
	n = vsnprintf(room ? b->data + b->len : NULL, room, format, args);
	va_end(args);
	/* vsnprintf() ends with a zero byte, which needs room but is no part of the content. */
	if (n >= 0 && (size_t)n >= room) {
		if (!buf_grow(b, (size_t)n + 1))
			return;
		va_start(args, format);
		n = vsnprintf(b->data + b->len, b->cap - b->len, format, args);
		va_end(args);
	}
	if (n < 0)
		b->error = -ENOMEM;
	else
		b->len += (size_t)n;
}

unsigned int buf_write_u64(char *digits, uint64_t n)
{
	char reversed[U64_MAX_DIGITS];
	unsigned int at = U64_MAX_DIGITS;

	while (n >= 100) {
		at -= 2;
		memcpy(reversed + at, digit_pairs + n % 100 * 2, 2);
		n /= 100;
	}
	if (n >= 10) {
		at -= 2;
		memcpy(reversed + at, digit_pairs + n * 2, 2);
	} else {
		reversed[--at] = (char)('0' + n);
	}
	memcpy(digits, reversed + at, U64_MAX_DIGITS - at);
	return U64_MAX_DIGITS - at;
}
