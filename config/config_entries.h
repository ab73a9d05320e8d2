/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of maps: what their rows of the schema say of entries, and what those must not have alike.
 */
#pragma once

#include "config/config_schema.h"

extern const struct config_entries config_entries_views, config_entries_peers;

/* Adds an entry with nothing in it; NULL: out of memory. What it has is for config_value_clear() of
 * the list to free. */
void *config_entries_add(const struct config_key *key, struct config_maps *list);
void *config_entries_at(const struct config_key *key, const struct config_maps *list, size_t i);
