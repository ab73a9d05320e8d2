/* SPDX-License-Identifier: Apache-2.0 */
/* What the suites of the web configuration share. */
#pragma once

#include "config/web_config.h"

/* Parses TEXT, which must be refused with exactly these errors, each as "LINE:COLUMN: key: what"
 * on a line of its own. */
void expect_web_errors(const char *text, const char *expected);
/* Parses TEXT, which must be good; the caller frees the result. */
struct web_config *expect_web_config(const char *name, const char *text);
