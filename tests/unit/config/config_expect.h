/* SPDX-License-Identifier: Apache-2.0 */
/* What the suites of the configuration share. */
#pragma once

#include <stdbool.h>

#include "config/config.h"

/* Parses TEXT, which must be refused with exactly these errors, each as "LINE:COLUMN: key: what"
 * (no key: "LINE:COLUMN: what") on a line of its own. */
void expect_errors(const char *name, const char *text, const char *expected);
void expect_errors_n(const char *name, const char *text, size_t n, const char *expected);

/* Parses TEXT, which must be good; the caller frees the result. */
struct config *expect_config(const char *name, const char *text);

/* Whether both hold the same values, by the rows of the schema but not by its code. */
bool is_same_config(const struct config *a, const struct config *b);
