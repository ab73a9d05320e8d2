/* SPDX-License-Identifier: Apache-2.0 */
/* Events of YAML into what a table of keys fills: keys, duplicates, types, and the order of values.
 */
#pragma once

#include "config/config_yaml.h"

struct config_schema;

/* Overwrites in BASE what the events give. 0, -ENOMEM, or -EINVAL: the text cannot be read to its
 * end. What is wrong is in the errors of YAML, also after 0. */
int config_bind(struct config_yaml *yaml, const struct config_schema *schema, void *base);
/* The same of N bytes of text, and -EINVAL also where anything is wrong; ERRORS, empty before, has
 * it all. */
int config_bind_text(const char *text, size_t n, const struct config_schema *schema,
		     struct config_errors *errors, void *base);
