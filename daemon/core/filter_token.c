/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/filter_token.h"

#include <string.h>
#include <strings.h>

#include "daemon/util/macros.h"

#define BLANKS " \t\r\n\v\f"
#define SIGNS  "()!=<>&|"

/* Of two that begin alike, the longer comes first. */
static const struct {
	const char *text;
	enum filter_token_kind kind;
} signs[] =
	{
		{"&&", FILTER_TOKEN_AND},       {"&", FILTER_TOKEN_AND},
		{"||", FILTER_TOKEN_OR},        {"|", FILTER_TOKEN_OR},
		{"!=", FILTER_TOKEN_NOT_EQUAL}, {"!", FILTER_TOKEN_NOT},
		{"<=", FILTER_TOKEN_AT_MOST},   {"<", FILTER_TOKEN_LESS},
		{">=", FILTER_TOKEN_AT_LEAST},  {">", FILTER_TOKEN_GREATER},
		{"==", FILTER_TOKEN_EQUAL},     {"=", FILTER_TOKEN_EQUAL},
		{"(", FILTER_TOKEN_OPEN},       {")", FILTER_TOKEN_CLOSE},
},
  words[] = {
	  {"and", FILTER_TOKEN_AND},      {"or", FILTER_TOKEN_OR},
	  {"not", FILTER_TOKEN_NOT},      {"eq", FILTER_TOKEN_EQUAL},
	  {"ne", FILTER_TOKEN_NOT_EQUAL}, {"neq", FILTER_TOKEN_NOT_EQUAL},
	  {"lt", FILTER_TOKEN_LESS},      {"gt", FILTER_TOKEN_GREATER},
	  {"le", FILTER_TOKEN_AT_MOST},   {"leq", FILTER_TOKEN_AT_MOST},
	  {"ge", FILTER_TOKEN_AT_LEAST},  {"geq", FILTER_TOKEN_AT_LEAST},
};

bool filter_token_is(const struct filter_token *t, const char *word)
{
	return strlen(word) == t->len && strncasecmp(t->text, word, t->len) == 0;
}

struct filter_token filter_token_next(const char *text)
{
	struct filter_token t = {.kind = FILTER_TOKEN_WORD, .text = text + strspn(text, BLANKS)};

	if (*t.text == '\0')
		return (struct filter_token){FILTER_TOKEN_END, t.text, 0};
	for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
		if (strncmp(t.text, signs[i].text, strlen(signs[i].text)) == 0)
			return (struct filter_token){signs[i].kind, t.text, strlen(signs[i].text)};
	t.len = strcspn(t.text, BLANKS SIGNS);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (filter_token_is(&t, words[i].text))
			t.kind = words[i].kind;
	return t;
}
