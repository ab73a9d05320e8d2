/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_errors.h"

#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(config_errors);

static void add(struct config_errors *e, unsigned int line, unsigned int column, const char *key)
{
	config_errors_add(e, (struct config_mark){line, column}, key, "wrong");
}

Test(config_errors, order_of_the_file)
{
	struct config_errors e = {0};

	add(&e, 3, 1, "c");
	add(&e, 1, 9, "b");
	add(&e, 3, 1, "d");
	add(&e, 1, 2, "a");
	cr_assert_eq(e.count, 4);
	cr_assert_eq(e.total, 4);
	for (size_t i = 0; i < e.count; i++)
		cr_assert_eq(e.items[i].key[0], (char)('a' + i), "%zu is %s", i, e.items[i].key);
	cr_assert_eq(e.items[0].line, 1);
	cr_assert_eq(e.items[0].column, 2);
	cr_assert_str_eq(e.items[0].what, "wrong");
}

/* Beyond the cap the first ones of the file stay, not the first ones found. */
Test(config_errors, cap)
{
	struct config_errors e = {0};

	for (unsigned int i = 0; i < CONFIG_ERRORS_MAX + 5; i++)
		add(&e, 10 + i, 1, "x");
	add(&e, 1, 1, "first");
	add(&e, 1000, 1, "last");
	cr_assert_eq(e.count, CONFIG_ERRORS_MAX);
	cr_assert_eq(e.total, CONFIG_ERRORS_MAX + 7);
	cr_assert_str_eq(e.items[0].key, "first");
	cr_assert_eq(e.items[CONFIG_ERRORS_MAX - 1].line, 10 + CONFIG_ERRORS_MAX - 2);
}

#define LETTERS_32 "abcdefghijklmnopqrstuvwxyzabcdef"
#define LETTERS_92 LETTERS_32 LETTERS_32 "abcdefghijklmnopqrstuvwxyzab"

Test(config_errors, keys_are_printable_and_fit)
{
	static const struct {
		const char *name, *key, *expected;
	} cases[] = {
		{"empty", "", ""},
		{"ASCII", "poll.sockets", "poll.sockets"},
		{"UTF-8", "größe", "größe"},
		{"escape sequence",
		 "a\x1b[31m\n\x7f"
		 "b",
		 "a?[31m??b"},
		{"C1 control",
		 "a\xc2\x9b"
		 "1m",
		 "a?1m"},
		{"no-break space, after C1",
		 "a\xc2\xa0"
		 "b",
		 "a\xc2\xa0"
		 "b"},
		{"fills it", LETTERS_92 "xyz", LETTERS_92 "xyz"},
		{"too long", LETTERS_92 "wxyz", LETTERS_92 "..."},
		{"cut in a character",
		 LETTERS_32 LETTERS_32 "abcdefghijklmnopqrstuvwxyza\xc3\xb6wxyz",
		 LETTERS_32 LETTERS_32 "abcdefghijklmnopqrstuvwxyza..."},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct config_errors e = {0};

		add(&e, 1, 1, cases[i].key);
		cr_assert_str_eq(e.items[0].key, cases[i].expected, "%s: %s", cases[i].name,
				 e.items[0].key);
	}
}

Test(config_errors, what_is_cut)
{
	struct config_errors e = {0};

	config_errors_add(&e, (struct config_mark){1, 1}, "", "%0500d", 0);
	cr_assert_eq(strlen(e.items[0].what), sizeof(e.items[0].what) - 1);
}

/* What a fault with a place in its value quotes, and where the carets go. */
Test(config_errors, excerpts)
{
	static char hundred[101];
	struct {
		const char *name, *text;
		unsigned int at, len;
		const char *excerpt;
		unsigned int caret, caret_len;
	} cases[] = {
		{"short", "sport = :x", 8, 2, "sport = :x", 8, 2},
		{"at the end", "sport =", 7, 0, "sport =", 7, 1},
		{"characters and not bytes", "\u00e9\u00e9 \u00fc", 5, 2, "\u00e9\u00e9 \u00fc", 3,
		 1},
		{"what does not print", "a\n\tb\x01 c", 6, 1, "a  b  c", 6, 1},
		{"in the middle", hundred, 60, 3, hundred + 20, 40, 3},
		{"long", hundred, 0, 100, hundred, 0, 79},
	};

	memset(hundred, 'x', 100);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config_errors errors = {.count = 0};
		struct config_fault fault = {
			.what = "wrong", .has_place = true, .at = cases[i].at, .len = cases[i].len};
		const struct config_error *e = &errors.items[0];

		config_errors_add_fault(&errors, (struct config_mark){3, 4}, "key", cases[i].text,
					&fault);
		cr_assert_eq(errors.total, 1);
		cr_assert(e->line == 3 && e->column == 4);
		cr_assert_str_eq(e->what, "wrong");
		cr_assert_eq(strncmp(e->excerpt, cases[i].excerpt, 79), 0, "%s: %s", cases[i].name,
			     e->excerpt);
		cr_assert_eq(e->caret, cases[i].caret, "%s: %u", cases[i].name, e->caret);
		cr_assert_eq(e->caret_len, cases[i].caret_len, "%s: %u", cases[i].name,
			     e->caret_len);
		fault.has_place = false;
		config_errors_add_fault(&errors, (struct config_mark){2, 1}, "key", "text", &fault);
		cr_assert_str_eq(errors.items[0].excerpt, "");
	}
}
