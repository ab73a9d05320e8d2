/* SPDX-License-Identifier: Apache-2.0 */
/* The checks that the rows of the web configuration's table name (config_check_fn). */
#pragma once

#include "config/config_schema.h"

/* Anything but nothing. */
const char *web_check_given(const char *text, const struct config_strings *others);
const char *web_check_file(const char *text, const struct config_strings *others);
const char *web_check_suite(const char *text, const struct config_strings *others);
const char *web_check_curve(const char *text, const struct config_strings *others);
/* The value of a header, of any and of those that have few. */
const char *web_check_header(const char *text, const struct config_strings *others);
const char *web_check_nosniff(const char *text, const struct config_strings *others);
const char *web_check_frame(const char *text, const struct config_strings *others);
/* A name that a request can bring along. */
const char *web_check_user(const char *text, const struct config_strings *others);
/* A hash of bcrypt: "$2y$10$", 22 letters of salt and 31 of hash. */
const char *web_check_hash(const char *text, const struct config_strings *others);

/* What must be given together, or must not. */
void web_check(struct config_binder *b);
