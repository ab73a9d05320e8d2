/* SPDX-License-Identifier: Apache-2.0 */
/* The value of one key: text into its place in struct config. Knows the types of the schema. */
#pragma once

#include "config/config_schema.h"

/* BASE: the struct config, or the entry that the key belongs to. Sets the value, or appends an
 * entry to the list, but for one of maps or pairs. 0, -ENOMEM, or with RET_FAULT -EINVAL (not a
 * valid value) or -E2BIG (the list is full). */
int config_value_add(const struct config_key *key, void *base, const char *text,
		     struct config_fault *ret_fault);
/* Sets the default, if there is one, of a key that was cleared. 0 or -ENOMEM. */
int config_value_set_fallback(const struct config_key *key, void *base);
/* Frees what the key holds: a list is then empty, and a string NULL. May run twice. */
void config_value_clear(const struct config_key *key, void *base);
/* Frees the last entry of a list of maps. */
void config_value_drop_entry(const struct config_key *key, struct config_maps *list);

/* The value of a whole number or a duration. */
uint64_t config_value_number(const struct config_key *key, const void *base);
