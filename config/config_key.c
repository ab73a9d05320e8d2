/* SPDX-License-Identifier: Apache-2.0 */
/* What the rows of the schema say. */
#include <string.h>

#include "config/config_schema.h"

int config_schema_find(const struct config_schema *schema, const char *path)
{
	for (size_t i = 0; i < schema->count; i++) {
		if (strcmp(schema->keys[i].path, path) == 0)
			return (int)i;
	}
	return -1;
}

int config_schema_find_section(const struct config_schema *schema, const char *path)
{
	size_t n = strlen(path);

	for (size_t i = 0; i < schema->count; i++) {
		if (n > 0 && n == config_key_section_len(&schema->keys[i]) &&
		    memcmp(schema->keys[i].path, path, n) == 0)
			return (int)i;
	}
	return -1;
}

int config_key_find(const char *path)
{
	return config_schema_find(&config_schema, path);
}

int config_section_find(const char *path)
{
	return config_schema_find_section(&config_schema, path);
}

size_t config_key_section_len(const struct config_key *key)
{
	const char *dot = strrchr(key->path, '.');

	return dot ? (size_t)(dot - key->path) : 0;
}

size_t config_key_most(const struct config_key *key)
{
	return key->most ? key->most : CONFIG_LIST_MAX;
}

bool config_key_is_list(const struct config_key *key)
{
	switch (key->type) {
	case CONFIG_TYPE_STRINGS:
	case CONFIG_TYPE_PORTS:
	case CONFIG_TYPE_BUCKETS:
	case CONFIG_TYPE_MAPS:
		return true;
	case CONFIG_TYPE_U64:
	case CONFIG_TYPE_DURATION:
	case CONFIG_TYPE_DOUBLE:
	case CONFIG_TYPE_CHOICE:
	case CONFIG_TYPE_STRING:
	case CONFIG_TYPE_FILTER:
	case CONFIG_TYPE_PAIRS:
		break;
	}
	return false;
}
