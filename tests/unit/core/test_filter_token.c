/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/filter_token.h"

#include <stdio.h>
#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(filter_token);

/* Each token, its kind in one letter, with what it is made of. */
static void render(const char *text, char ret_text[256])
{
	static const char letters[] = ".w()&|!=#<>LG";
	struct filter_token t = filter_token_next(text);
	size_t len = 0;

	ret_text[0] = '\0';
	while (t.kind != FILTER_TOKEN_END) {
		len += (size_t)snprintf(ret_text + len, 256 - len, "%s%c:%.*s", len ? " " : "",
					letters[t.kind], (int)t.len, t.text);
		t = filter_token_next(t.text + t.len);
	}
	cr_assert_eq(t.text, text + strlen(text));
}

Test(filter_token, tokens)
{
	static const struct {
		const char *text, *tokens;
	} cases[] = {
		{"", ""},
		{" \t\n ", ""},
		{"sport = :443", "w:sport =:= w::443"},
		{"sport=:443", "w:sport =:= w::443"},
		{"(a)b", "(:( w:a ):) w:b"},
		{"a&&b&c and d AND e", "w:a &:&& w:b &:& w:c &:and w:d &:AND w:e"},
		{"a||b|c or d", "w:a |:|| w:b |:| w:c |:or w:d"},
		{"!a not b !=c ! = d", "!:! w:a !:not w:b #:!= w:c !:! =:= w:d"},
		{"<=<>=>===", "L:<= <:< G:>= G:>= =:=="},
		{"eq ne neq lt gt le leq ge geq",
		 "=:eq #:ne #:neq <:lt >:gt L:le L:leq G:ge G:geq"},
		{"equal orange android note", "w:equal w:orange w:android w:note"},
		{"[::1]:443 10.0.0.0/8 *:http", "w:[::1]:443 w:10.0.0.0/8 w:*:http"},
		{"\x01\xff", "w:\x01\xff"},
	};
	char found[256];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		render(cases[i].text, found);
		cr_assert_str_eq(found, cases[i].tokens, "%s: %s", cases[i].text, found);
	}
}

Test(filter_token, is)
{
	struct filter_token t = filter_token_next(" sPort=1");

	cr_assert(filter_token_is(&t, "sport"));
	cr_assert_not(filter_token_is(&t, "spor"));
	cr_assert_not(filter_token_is(&t, "sports"));
}
