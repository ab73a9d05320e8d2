/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/config/config_expect.h"

#include <errno.h>
#include <string.h>

#include "config/config_schema.h"
#include "tests/support/test_support.h"

static void render_errors(const struct config_errors *errors, struct buf *out)
{
	for (size_t i = 0; i < errors->count; i++) {
		const struct config_error *e = &errors->items[i];

		buf_add_format(out, "%s%u:%u: %s%s%s", i > 0 ? "\n" : "", e->line, e->column,
			       e->key, e->key[0] != '\0' ? ": " : "", e->what);
	}
	buf_add_char(out, '\0');
}

void expect_errors_n(const char *name, const char *text, size_t n, const char *expected)
{
	struct config_errors errors;
	struct config *c = NULL;
	struct buf found = BUF_INIT;
	int r;

	r = config_parse(text, n, &errors, &c);
	render_errors(&errors, &found);
	cr_assert_eq(r, -EINVAL, "%s: %d", name, r);
	cr_assert_null(c, "%s", name);
	cr_assert_str_eq(found.data, expected, "%s:\n%s\ninstead of\n%s", name, found.data,
			 expected);
	buf_done(&found);
}

void expect_errors(const char *name, const char *text, const char *expected)
{
	expect_errors_n(name, text, strlen(text), expected);
}

struct config *expect_config(const char *name, const char *text)
{
	struct config_errors errors;
	struct config *c = NULL;
	struct buf found = BUF_INIT;
	int r;

	r = config_parse(text, strlen(text), &errors, &c);
	render_errors(&errors, &found);
	cr_assert_eq(r, 0, "%s: %d\n%s", name, r, found.data);
	cr_assert_eq(errors.total, 0, "%s", name);
	buf_done(&found);
	return c;
}

static bool is_same_strings(const struct config_strings *a, const struct config_strings *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	}
	return true;
}

static bool is_same_ports(const struct config_ports *a, const struct config_ports *b)
{
	return a->count == b->count &&
	       (a->count == 0 || memcmp(a->items, b->items, a->count * sizeof(*a->items)) == 0);
}

static bool is_same_buckets(const struct config_buckets *a, const struct config_buckets *b)
{
	return a->count == b->count &&
	       memcmp(a->bounds, b->bounds, a->count * sizeof(*a->bounds)) == 0;
}

static bool is_same_value(const struct config_key *key, const void *a, const void *b);

static bool is_same_maps(const struct config_key *key, const struct config_maps *a,
			 const struct config_maps *b)
{
	const struct config_entries *entries = key->entries;

	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count * CONFIG_FIELDS_MAX; i++) {
		const struct config_key *field = &entries->fields[i % CONFIG_FIELDS_MAX];
		size_t at = i / CONFIG_FIELDS_MAX * entries->size + field->offset;

		if (!is_same_value(field, (const char *)a->items + at, (const char *)b->items + at))
			return false;
	}
	return true;
}

static bool is_same_value(const struct config_key *key, const void *a, const void *b)
{
	switch (key->type) {
	case CONFIG_TYPE_U64:
	case CONFIG_TYPE_DURATION:
		return *(const uint64_t *)a == *(const uint64_t *)b;
	case CONFIG_TYPE_DOUBLE:
		return *(const double *)a == *(const double *)b;
	case CONFIG_TYPE_CHOICE:
		return *(const int *)a == *(const int *)b;
	case CONFIG_TYPE_STRING:
		return strcmp(*(char *const *)a, *(char *const *)b) == 0;
	case CONFIG_TYPE_STRINGS:
		return is_same_strings(a, b);
	case CONFIG_TYPE_PORTS:
		return is_same_ports(a, b);
	case CONFIG_TYPE_BUCKETS:
		return is_same_buckets(a, b);
	case CONFIG_TYPE_FILTER:
		return strcmp(((const struct config_filter *)a)->text,
			      ((const struct config_filter *)b)->text) == 0;
	case CONFIG_TYPE_MAPS:
		return is_same_maps(key, a, b);
	case CONFIG_TYPE_PAIRS:
		break;
	}
	return false;
}

bool is_same_config(const struct config *a, const struct config *b)
{
	for (size_t i = 0; i < config_keys_count; i++) {
		size_t offset = config_keys[i].offset;

		if (!is_same_value(&config_keys[i], (const char *)a + offset,
				   (const char *)b + offset))
			return false;
	}
	return true;
}
