/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Collects what is wrong with a file in the order of the file, whatever the order in which it was
 * found; of more than CONFIG_ERRORS_MAX the first ones stay.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "daemon/util/macros.h"

/* One thing wrong, with its place. LINE and COLUMN count from 1; 0: the file as a whole. */
struct config_error {
	unsigned int line, column;
	char key[96];   /* dotted path, "poll.sockets"; empty: no key */
	char what[160]; /* "must be between 1ms and 1h" */
	/* Of a value that has parts: what is around the one at fault, and where in that it begins;
	 * empty: nothing. */
	char excerpt[80];
	unsigned int caret, caret_len; /* characters; at least one */
};

/* What is wrong with a value and, if it has a place in it, at which bytes. */
struct config_fault {
	char what[160];
	bool has_place;
	unsigned int at, len;
};

#define CONFIG_ERRORS_MAX 20

struct config_errors {
	struct config_error items[CONFIG_ERRORS_MAX];
	size_t count; /* stored */
	size_t total; /* found, also beyond what is stored */
};

/* A place in the text, both from 1. */
struct config_mark {
	unsigned int line, column;
};

/* KEY is valid UTF-8 and may come from the file: what does not print, or does not fit, is replaced.
 */
void config_errors_add(struct config_errors *errors, struct config_mark at, const char *key,
		       const char *format, ...) PRINTF_LIKE(4, 5);
/* The same of a value, TEXT, which is quoted where the fault has a place in it. */
void config_errors_add_fault(struct config_errors *errors, struct config_mark at, const char *key,
			     const char *text, const struct config_fault *fault);
