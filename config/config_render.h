/* SPDX-License-Identifier: Apache-2.0 */
/* Values as YAML. */
#pragma once

#include "config/config_schema.h"

/* One key's value: a number, a quoted string, a list in brackets, or maps on lines of their own.
 * BASE: as config_value_add(). */
void config_render_value(const struct config_key *key, const void *base, struct buf *out);
/* In double quotes. */
void config_render_string(const char *text, struct buf *out);
