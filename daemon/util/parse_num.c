/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/util/parse_num.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/util/macros.h"
#include "daemon/util/units.h"

static const struct duration_unit {
	char name[4];
	uint64_t ns;
} duration_units[] = {
	{"d", 24 * 3600 * NSEC_PER_SEC}, {"h", 3600 * NSEC_PER_SEC},
	{"m", 60 * NSEC_PER_SEC},        {"s", NSEC_PER_SEC},
	{"ms", NSEC_PER_MSEC},
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads the digits at *TEXT and moves it behind them. *OVERFLOW becomes true if their number does
 * not fit, so that what follows can still be judged. -EINVAL if there is no digit. */
static int parse_digits(const char **text, bool *overflow, uint64_t *ret_n)
{
	const char *p = *text;
	uint64_t n = 0;

	if (!is_digit(*p))
		return -EINVAL;
	for (; is_digit(*p); p++) {
		*overflow |= __builtin_mul_overflow(n, 10, &n);
		*overflow |= __builtin_add_overflow(n, *p - '0', &n);
	}
	*text = p;
	*ret_n = n;
	return 0;
}

int parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret_n)
{
	bool overflow = false;
	uint64_t n;

	if (parse_digits(&text, &overflow, &n) < 0 || *text)
		return -EINVAL;
	if (overflow || n < min || n > max)
		return -ERANGE;
	*ret_n = n;
	return 0;
}

static const char *skip_digits(const char *p)
{
	while (is_digit(*p))
		p++;
	return p;
}

/* [-] digits [. digits] [e [+-] digits]; one side of the point may be empty, not both. */
static bool is_decimal(const char *text)
{
	const char *p = text + (*text == '-');
	const char *end = skip_digits(p);
	ptrdiff_t digits = end - p;

	p = end;
	if (*p == '.') {
		end = skip_digits(p + 1);
		digits += end - (p + 1);
		p = end;
	}
	if (digits == 0)
		return false;
	if (*p == 'e' || *p == 'E') {
		p++;
		p += *p == '+' || *p == '-';
		end = skip_digits(p);
		if (end == p)
			return false;
		p = end;
	}
	return *p == '\0';
}

int parse_double(const char *text, double *ret_x)
{
	locale_t locale;
	double x;

	if (!is_decimal(text))
		return -EINVAL;
	locale = newlocale(LC_ALL_MASK, "C", NULL);
	if (!locale)
		return -errno;
	x = strtod_l(text, NULL, locale);
	freelocale(locale);
	if (!isfinite(x))
		return -ERANGE;
	*ret_x = x;
	return 0;
}

/* The index of the unit that is called NAME (N bytes), FIRST or later; -EINVAL if there is none. */
static int find_unit(int first, const char *name, size_t n)
{
	for (int i = first; i < (int)ARRAY_SIZE(duration_units); i++)
		if (strlen(duration_units[i].name) == n &&
		    memcmp(duration_units[i].name, name, n) == 0)
			return i;
	return -EINVAL;
}

int parse_duration_ns(const char *text, uint64_t *ret_ns)
{
	uint64_t sum_ns = 0, part_ns, n;
	bool overflow = false;
	int unit = -1;
	size_t len;

	if (strcmp(text, "0") == 0) {
		*ret_ns = 0;
		return 0;
	}
	do {
		if (parse_digits(&text, &overflow, &n) < 0)
			return -EINVAL;
		len = strcspn(text, "0123456789");
		unit = find_unit(unit + 1, text, len);
		if (unit < 0)
			return -EINVAL;
		overflow |= __builtin_mul_overflow(n, duration_units[unit].ns, &part_ns);
		overflow |= __builtin_add_overflow(sum_ns, part_ns, &sum_ns);
		text += len;
	} while (*text);
	if (overflow)
		return -ERANGE;
	*ret_ns = sum_ns;
	return 0;
}

void render_duration_ns(uint64_t ns, char ret_text[32])
{
	const struct duration_unit *unit;
	size_t len = 0;

	memcpy(ret_text, "0", sizeof("0"));
	for (size_t i = 0; i < ARRAY_SIZE(duration_units); i++) {
		unit = &duration_units[i];
		if (ns < unit->ns)
			continue;
		len += (size_t)snprintf(ret_text + len, 32 - len, "%llu%s",
					(unsigned long long)(ns / unit->ns), unit->name);
		ns %= unit->ns;
	}
}
