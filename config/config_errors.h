/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Collects what is wrong with a file in the order of the file, whatever the order in which it was
 * found; of more than CONFIG_ERRORS_MAX the first ones stay.
 */
#pragma once

#include "config/config.h"
#include "daemon/util/macros.h"

/* A place in the text, both from 1. */
struct config_mark {
	unsigned int line, column;
};

/* KEY is valid UTF-8 and may come from the file: what does not print, or does not fit, is replaced.
 */
void config_errors_add(struct config_errors *errors, struct config_mark at, const char *key,
		       const char *format, ...) PRINTF_LIKE(4, 5);
