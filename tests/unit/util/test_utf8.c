/* SPDX-License-Identifier: Apache-2.0 */
/* Held against the encoder's side of the definition, over all sequences that are short. */
#include "daemon/util/utf8.h"

#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/support/utf8_model.h"

TEST_SUITE(utf8);

Test(utf8, named_cases)
{
	static const struct {
		const char *name;
		const char *bytes;
		size_t n, expected;
	} cases[] = {
		{"letter", "a", 1, 1},
		{"control character", "\x01", 1, 1},
		{"delete", "\x7f", 1, 1},
		{"zero", "", 1, 1},
		{"two bytes", "\xc3\xa9", 2, 2},
		{"three bytes", "\xe2\x82\xac", 3, 3},
		{"four bytes", "\xf0\x9f\x98\x80", 4, 4},
		{"replacement character", UTF8_REPLACEMENT, 3, 3},
		{"byte order mark", "\xef\xbb\xbf", 3, 3},
		{"last character", "\xf4\x8f\xbf\xbf", 4, 4},
		{"what follows is not looked at", "a\xff\xff", 3, 1},
		{"continuation alone", "\x80", 1, 0},
		{"cut after one of two", "\xc3", 1, 0},
		{"cut after two of three", "\xe2\x82", 2, 0},
		{"cut after three of four", "\xf0\x9f\x98", 3, 0},
		{"second is no continuation", "\xc3x", 2, 0},
		{"third is no continuation", "\xe2\x82x", 3, 0},
		{"slash in two bytes", "\xc0\xaf", 2, 0},
		{"slash in three bytes", "\xe0\x80\xaf", 3, 0},
		{"slash in four bytes", "\xf0\x80\x80\xaf", 4, 0},
		{"zero in two bytes", "\xc0\x80", 2, 0},
		{"first surrogate", "\xed\xa0\x80", 3, 0},
		{"last surrogate", "\xed\xbf\xbf", 3, 0},
		{"just before the surrogates", "\xed\x9f\xbf", 3, 3},
		{"just behind the surrogates", "\xee\x80\x80", 3, 3},
		{"beyond the last", "\xf4\x90\x80\x80", 4, 0},
		{"five bytes", "\xf8\x88\x80\x80\x80", 5, 0},
		{"six bytes", "\xfc\x84\x80\x80\x80\x80", 6, 0},
		{"fe", "\xfe", 1, 0},
		{"ff", "\xff", 1, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t len = utf8_character(cases[i].bytes, cases[i].n);

		cr_assert_eq(len, cases[i].expected, "%s: %zu", cases[i].name, len);
	}
}

/* Whole, it is a character; cut anywhere, it is not. */
Test(utf8, every_character)
{
	for (uint32_t point = 0; point <= 0x10ffff; point++) {
		unsigned char bytes[4];
		size_t len = utf8_model_encode(point, bytes);

		if (len == 0)
			continue;
		for (size_t n = 1; n <= len; n++)
			if (utf8_character((const char *)bytes, n) != (n == len ? len : 0))
				cr_assert_fail("U+%04X, %zu bytes", point, n);
	}
}

static void assert_as_model(const unsigned char bytes[4], size_t n)
{
	const char *text = (const char *)bytes;

	if (utf8_character(text, n) != utf8_model_character(text, n))
		cr_assert_fail("%02x %02x %02x %02x, %zu bytes: %zu", bytes[0], bytes[1], bytes[2],
			       bytes[3], n, utf8_character(text, n));
}

Test(utf8, every_three_bytes)
{
	for (uint32_t i = 0; i < 1 << 24; i++) {
		unsigned char bytes[4] = {(unsigned char)(i >> 16), (unsigned char)(i >> 8),
					  (unsigned char)i, 0};

		assert_as_model(bytes, 3);
	}
}

/* Of the last two bytes only what is about to be a continuation, or no longer one. */
Test(utf8, four_bytes)
{
	static const unsigned char edges[] = {0x00, 0x7f, 0x80, 0xaf, 0xbf, 0xc0, 0xff};

	for (uint32_t i = 0; i < 1 << 16; i++) {
		for (size_t j = 0; j < ARRAY_SIZE(edges) * ARRAY_SIZE(edges); j++) {
			unsigned char bytes[4] = {(unsigned char)(i >> 8), (unsigned char)i,
						  edges[j / ARRAY_SIZE(edges)],
						  edges[j % ARRAY_SIZE(edges)]};

			assert_as_model(bytes, 4);
		}
	}
}

/* A text is gone through to its end, or to where the next character would go beyond MAX. */
Test(utf8, next)
{
	static const struct {
		const char *name, *text;
		size_t max;
		const char *expected;
	} cases[] = {
		{"empty", "", 10, ""},
		{"nothing wanted", "a", 0, ""},
		{"as long as it is", "a\u00e9", 3, "a\u00e9"},
		{"across the end", "a\u00e9", 2, "a"},
		{"what is none", "a\xff\xc3", 10, "a" UTF8_REPLACEMENT UTF8_REPLACEMENT},
		{"a byte of the text, not of its stand-in", "\xff\xff", 1, UTF8_REPLACEMENT},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char found[32] = "";
		const char *character = NULL;
		size_t at = 0, n;

		while ((n = utf8_next(cases[i].text, cases[i].max, &at, &character)) > 0)
			strncat(found, character, n);
		cr_assert_str_eq(found, cases[i].expected, "%s", cases[i].name);
		cr_assert_leq(at, cases[i].max, "%s", cases[i].name);
	}
}
