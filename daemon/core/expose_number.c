/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/expose_number.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_EXPONENT 6  /* 1e+06 */
#define LAST_EXPONENT  -5 /* 1e-05 */

/* Where it is in "d.ddddddddddddddde-05". */
#define SIXTEENTH_DIGIT 16

/* The digits of a number without leading or trailing zeros, and where the point is: the number is
 * 0.DIGITS times ten to the POINT. */
struct decimal {
	char digits[24];
	int count;
	int point;
};

static void strip_zeros(struct decimal *d)
{
	while (d->count > 1 && d->digits[d->count - 1] == '0')
		d->count--;
}

/* Below a power of two numbers lie closer than above it: so of 16 digits those above may read back
 * where the nearest do not. (A last digit of 9 would be 15 digits, which were tried before.) */
static bool reads_back_from_above(char *text, double x)
{
	if (text[SIXTEENTH_DIGIT] == '9')
		return false;
	text[SIXTEENTH_DIGIT]++;
	return strtod(text, NULL) == x;
}

/* 17 digits always suffice for a double, and the first 15 are never wrong (IEEE 754), but for
 * subnormal numbers, which have fewer. */
static void find_shortest(struct decimal *d, double x)
{
	char text[40];

	for (int precision = x < DBL_MIN ? 1 : 15; precision <= 17; precision++) {
		snprintf(text, sizeof(text), "%.*e", precision - 1, x);
		if (strtod(text, NULL) == x)
			break;
		if (precision == 16 && reads_back_from_above(text, x))
			break;
	}
	d->count = 0;
	for (const char *p = text; *p != 'e'; p++)
		if (*p >= '0' && *p <= '9')
			d->digits[d->count++] = *p;
	d->point = atoi(strchr(text, 'e') + 1) + 1;
	strip_zeros(d);
}

static void add_exponent_form(struct buf *out, const struct decimal *d)
{
	int exponent = d->point - 1;

	buf_add(out, d->digits, 1);
	if (d->count > 1) {
		buf_add_char(out, '.');
		buf_add(out, d->digits + 1, (size_t)d->count - 1);
	}
	buf_add_format(out, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
}

static void add_plain_form(struct buf *out, const struct decimal *d)
{
	static const char zeros[] = "000000";

	if (d->point <= 0) {
		buf_add_str(out, "0.");
		buf_add(out, zeros, (size_t)-d->point);
		buf_add(out, d->digits, (size_t)d->count);
	} else if (d->count <= d->point) {
		buf_add(out, d->digits, (size_t)d->count);
		buf_add(out, zeros, (size_t)(d->point - d->count));
	} else {
		buf_add(out, d->digits, (size_t)d->point);
		buf_add_char(out, '.');
		buf_add(out, d->digits + d->point, (size_t)(d->count - d->point));
	}
}

static void add_decimal(struct buf *out, const struct decimal *d)
{
	int exponent = d->point - 1;

	if (exponent <= LAST_EXPONENT || exponent >= FIRST_EXPONENT)
		add_exponent_form(out, d);
	else
		add_plain_form(out, d);
}

void expose_double(struct buf *out, double x)
{
	struct decimal d;

	if (isnan(x)) {
		buf_add_str(out, "NaN");
		return;
	}
	if (isinf(x)) {
		buf_add_str(out, x < 0 ? "-Inf" : "+Inf");
		return;
	}
	if (signbit(x))
		buf_add_char(out, '-');
	x = fabs(x);
	if (x == 0) {
		buf_add_char(out, '0');
	} else {
		find_shortest(&d, x);
		add_decimal(out, &d);
	}
}

void expose_u64(struct buf *out, uint64_t n)
{
	struct decimal d;

	if (n < 1000000) {
		buf_add_u64(out, n);
		return;
	}
	if (n > UINT64_C(1) << 53) {
		expose_double(out, (double)n);
		return;
	}
	d.count = (int)buf_write_u64(d.digits, n);
	d.point = d.count;
	strip_zeros(&d);
	add_decimal(out, &d);
}

void expose_le(struct buf *out, double x)
{
	size_t start = out->len;

	expose_double(out, x);
	if (!out->error && !memchr(out->data + start, '.', out->len - start) &&
	    !memchr(out->data + start, 'e', out->len - start))
		buf_add_str(out, ".0");
}
