/* SPDX-License-Identifier: Apache-2.0 */
/* The words and signs of a filter's text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum filter_token_kind {
	FILTER_TOKEN_END,
	FILTER_TOKEN_WORD, /* none of those below */
	FILTER_TOKEN_OPEN,
	FILTER_TOKEN_CLOSE,
	FILTER_TOKEN_AND,   /* and & && */
	FILTER_TOKEN_OR,    /* or | || */
	FILTER_TOKEN_NOT,   /* not ! */
	FILTER_TOKEN_EQUAL, /* = == eq */
	FILTER_TOKEN_NOT_EQUAL,
	FILTER_TOKEN_LESS,
	FILTER_TOKEN_GREATER,
	FILTER_TOKEN_AT_MOST,
	FILTER_TOKEN_AT_LEAST,
};

struct filter_token {
	enum filter_token_kind kind;
	const char *text; /* in the text that is parsed */
	size_t len;
};

/* The first token of TEXT, which is terminated; blanks before it are skipped. */
struct filter_token filter_token_next(const char *text);
/* Whether it is this word, in lower or upper case. */
bool filter_token_is(const struct filter_token *t, const char *word);
