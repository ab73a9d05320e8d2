/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_render.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_entries.h"
#include "daemon/util/parse_num.h"

#define DOUBLE_DIGITS_MAX DBL_DECIMAL_DIG

/* From here on, and below its inverse, an exponent is easier to read than zeros. */
#define EXPONENT_MIN (-5)
#define EXPONENT_MAX 6

static void render_double(double x, struct buf *out)
{
	char text[48];
	double parsed;
	int digits = 1, exponent;

	for (; digits < DOUBLE_DIGITS_MAX; digits++) {
		snprintf(text, sizeof(text), "%.*e", digits - 1, x);
		if (parse_double(text, &parsed) == 0 && parsed == x)
			break;
	}
	snprintf(text, sizeof(text), "%.*e", digits - 1, x);
	exponent = atoi(strchr(text, 'e') + 1);
	if (exponent >= EXPONENT_MIN && exponent < EXPONENT_MAX)
		buf_add_format(out, "%.*f", exponent < digits ? digits - 1 - exponent : 0, x);
	else
		buf_add_str(out, text);
}

static void render_duration(uint64_t ns, struct buf *out)
{
	char text[32];

	render_duration_ns(ns, text);
	buf_add_str(out, text);
}

/* Double quotes take every character. */
void config_render_string(const char *text, struct buf *out)
{
	buf_add_char(out, '"');
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f) {
			buf_add_format(out, "\\x%02x", c);
			continue;
		}
		if (c == '"' || c == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, (char)c);
	}
	buf_add_char(out, '"');
}

static void render_strings(const struct config_strings *list, struct buf *out)
{
	buf_add_char(out, '[');
	for (size_t i = 0; i < list->count; i++) {
		buf_add_str(out, i > 0 ? ", " : "");
		config_render_string(list->items[i], out);
	}
	buf_add_char(out, ']');
}

static void render_ports(const struct config_ports *list, struct buf *out)
{
	buf_add_char(out, '[');
	for (size_t i = 0; i < list->count; i++) {
		buf_add_str(out, i > 0 ? ", " : "");
		buf_add_u64(out, list->items[i]);
	}
	buf_add_char(out, ']');
}

static void render_buckets(const struct config_buckets *list, struct buf *out)
{
	buf_add_char(out, '[');
	for (size_t i = 0; i < list->count; i++) {
		buf_add_str(out, i > 0 ? ", " : "");
		render_double(list->bounds[i], out);
	}
	buf_add_char(out, ']');
}

static void render_maps(const struct config_key *key, const struct config_maps *list,
			struct buf *out)
{
	if (list->count == 0)
		buf_add_str(out, "[]");
	for (size_t i = 0; i < list->count; i++) {
		for (unsigned int j = 0; j < CONFIG_FIELDS_MAX; j++) {
			const struct config_key *field = &key->entries->fields[j];

			buf_add_str(out, j == 0 ? "\n  - " : "\n    ");
			buf_add_str(out, field->path + config_key_section_len(field) + 1);
			buf_add_str(out, ": ");
			config_render_value(field, config_entries_at(key, list, i), out);
		}
	}
}

void config_render_value(const struct config_key *key, const void *base, struct buf *out)
{
	const void *place = (const char *)base + key->offset;

	switch (key->type) {
	case CONFIG_TYPE_U64:
		buf_add_u64(out, *(const uint64_t *)place);
		break;
	case CONFIG_TYPE_DURATION:
		render_duration(*(const uint64_t *)place, out);
		break;
	case CONFIG_TYPE_DOUBLE:
		render_double(*(const double *)place, out);
		break;
	case CONFIG_TYPE_CHOICE:
		buf_add_str(out, key->choices[*(const int *)place]);
		break;
	case CONFIG_TYPE_STRING:
		config_render_string(*(char *const *)place, out);
		break;
	case CONFIG_TYPE_STRINGS:
		render_strings(place, out);
		break;
	case CONFIG_TYPE_PORTS:
		render_ports(place, out);
		break;
	case CONFIG_TYPE_BUCKETS:
		render_buckets(place, out);
		break;
	case CONFIG_TYPE_FILTER:
		config_render_string(((const struct config_filter *)place)->text, out);
		break;
	case CONFIG_TYPE_MAPS:
		render_maps(key, place, out);
		break;
	case CONFIG_TYPE_PAIRS:
		break;
	}
}

static bool opens_section(size_t i)
{
	size_t n = config_key_section_len(&config_keys[i]);

	if (n == 0 || i == 0)
		return n > 0;
	return n != config_key_section_len(&config_keys[i - 1]) ||
	       memcmp(config_keys[i].path, config_keys[i - 1].path, n) != 0;
}

/* Whether its value begins on the next line. */
static bool is_block(const struct config_key *key, const struct config *c)
{
	const void *place = (const char *)c + key->offset;

	return key->type == CONFIG_TYPE_MAPS && ((const struct config_maps *)place)->count > 0;
}

void config_render(const struct config *c, struct buf *out)
{
	for (size_t i = 0; i < config_keys_count; i++) {
		const struct config_key *key = &config_keys[i];
		size_t n = config_key_section_len(key);

		if (opens_section(i)) {
			buf_add(out, key->path, n);
			buf_add_str(out, ":\n");
		}
		buf_add_str(out, n > 0 ? "  " : "");
		buf_add_str(out, n > 0 ? key->path + n + 1 : key->path);
		buf_add_str(out, is_block(key, c) ? ":" : ": ");
		config_render_value(key, c, out);
		buf_add_char(out, '\n');
	}
}
