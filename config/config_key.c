/* SPDX-License-Identifier: Apache-2.0 */
/* What the rows of the schema say. */
#include <string.h>

#include "config/config_schema.h"

int config_key_find(const char *path)
{
	for (size_t i = 0; i < config_keys_count; i++) {
		if (strcmp(config_keys[i].path, path) == 0)
			return (int)i;
	}
	return -1;
}

int config_section_find(const char *path)
{
	size_t n = strlen(path);

	for (size_t i = 0; i < config_keys_count; i++) {
		if (n > 0 && n == config_key_section_len(&config_keys[i]) &&
		    memcmp(config_keys[i].path, path, n) == 0)
			return (int)i;
	}
	return -1;
}

size_t config_key_section_len(const struct config_key *key)
{
	const char *dot = strchr(key->path, '.');

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
		break;
	}
	return false;
}
