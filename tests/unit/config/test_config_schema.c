/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_schema.h"

#include <string.h>

#include "config/config_value.h"
#include "tests/support/test_support.h"

TEST_SUITE(config_schema);

#define HELP_MAX 90

static bool is_number(enum config_type type)
{
	return type == CONFIG_TYPE_U64 || type == CONFIG_TYPE_DURATION ||
	       type == CONFIG_TYPE_DOUBLE;
}

Test(config_schema, rows_are_complete)
{
	for (size_t i = 0; i < config_keys_count; i++) {
		const struct config_key *key = &config_keys[i];
		bool is_text = key->type == CONFIG_TYPE_STRING || key->type == CONFIG_TYPE_STRINGS;

		cr_assert(key->fallback && key->help, "%s", key->path);
		cr_assert_lt(strlen(key->help), HELP_MAX, "%s", key->path);
		cr_assert_eq(key->help[strlen(key->help) - 1], '.', "%s", key->path);
		cr_assert_lt(key->offset, sizeof(struct config), "%s", key->path);
		cr_assert_eq(key->check != NULL, is_text, "%s: check", key->path);
		cr_assert_eq(key->choices != NULL, key->type == CONFIG_TYPE_CHOICE, "%s: choices",
			     key->path);
		if (is_number(key->type) || key->type == CONFIG_TYPE_PORTS)
			cr_assert(key->min && key->max, "%s: bounds", key->path);
		if (key->type == CONFIG_TYPE_BUCKETS)
			cr_assert(key->min, "%s: bounds", key->path);
		cr_assert_eq(key->entries != NULL, key->type == CONFIG_TYPE_MAPS, "%s: entries",
			     key->path);
	}
}

/* An entry has no defaults: what its fields are is given. */
Test(config_schema, entries_are_complete)
{
	for (size_t i = 0; i < config_keys_count; i++) {
		const struct config_entries *entries = config_keys[i].entries;
		size_t n = strlen(config_keys[i].path);

		for (size_t j = 0; entries && j < CONFIG_FIELDS_MAX; j++) {
			const struct config_key *field = &entries->fields[j];

			cr_assert(field->not_empty, "%s", field->path);
			cr_assert_lt(field->offset, entries->size, "%s", field->path);
			cr_assert_eq(strncmp(field->path, config_keys[i].path, n), 0);
			cr_assert_eq(config_key_section_len(field), n);
		}
		cr_assert(!entries || entries->take);
	}
}

Test(config_schema, paths_and_places_are_unique)
{
	for (size_t i = 0; i < config_keys_count; i++) {
		for (size_t j = 0; j < i; j++) {
			cr_assert_str_neq(config_keys[i].path, config_keys[j].path);
			cr_assert_neq(config_keys[i].offset, config_keys[j].offset, "%s and %s",
				      config_keys[i].path, config_keys[j].path);
		}
	}
}

static bool is_in_section(const struct config_key *key, const char *path, size_t n)
{
	return config_key_section_len(key) == n && memcmp(key->path, path, n) == 0;
}

/* Where a section ends, none of its keys comes later. */
Test(config_schema, sections_lie_together)
{
	for (size_t i = 0; i + 1 < config_keys_count; i++) {
		const char *path = config_keys[i].path;
		size_t n = config_key_section_len(&config_keys[i]);

		if (n == 0 || is_in_section(&config_keys[i + 1], path, n))
			continue;
		for (size_t j = i + 1; j < config_keys_count; j++)
			cr_assert(!is_in_section(&config_keys[j], path, n), "%s",
				  config_keys[j].path);
	}
}

Test(config_schema, bounds_and_defaults_are_values)
{
	struct config_fault fault;

	for (size_t i = 0; i < config_keys_count; i++) {
		const struct config_key *key = &config_keys[i];
		struct config c = {0};

		cr_assert_eq(config_value_set_fallback(key, &c), 0, "%s", key->path);
		if (is_number(key->type)) {
			cr_assert_eq(config_value_add(key, &c, key->min, &fault), 0, "%s: %s",
				     key->path, fault.what);
			cr_assert_eq(config_value_add(key, &c, key->max, &fault), 0, "%s: %s",
				     key->path, fault.what);
		}
		config_value_clear(key, &c);
	}
}

Test(config_schema, orders_are_between_equals)
{
	for (size_t i = 0; i < config_keys_count; i++) {
		const struct config_key *key = &config_keys[i];
		int other;

		if (!key->not_below)
			continue;
		other = config_key_find(key->not_below);
		cr_assert_geq(other, 0, "%s", key->path);
		cr_assert_eq(config_keys[other].type, key->type, "%s", key->path);
		cr_assert(key->type == CONFIG_TYPE_U64 || key->type == CONFIG_TYPE_DURATION, "%s",
			  key->path);
	}
}

Test(config_schema, find)
{
	for (size_t i = 0; i < config_keys_count; i++)
		cr_assert_eq(config_key_find(config_keys[i].path), (int)i);
	cr_assert_eq(config_key_find("poll"), -1);
	cr_assert_eq(config_key_find("poll.socket"), -1);
	cr_assert_eq(config_key_find("poll.sockets_"), -1);
	cr_assert_eq(config_key_find(""), -1);
}

Test(config_schema, find_section)
{
	cr_assert_eq(config_section_find("web"), 0);
	cr_assert_eq(config_section_find("poll"), config_key_find("poll.listeners"));
	cr_assert_eq(config_section_find("peak_window"), -1);
	cr_assert_eq(config_section_find("we"), -1);
	cr_assert_eq(config_section_find("web."), -1);
	cr_assert_eq(config_section_find(""), -1);
}

Test(config_schema, section_len)
{
	static const struct config_key nested = {.path = "poll.sockets"}, top = {.path = "source"};

	cr_assert_eq(config_key_section_len(&nested), 4);
	cr_assert_eq(config_key_section_len(&top), 0);
}
