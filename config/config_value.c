/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_value.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_entries.h"
#include "config/config_services.h"
#include "daemon/core/filter.h"
#include "daemon/util/cleanup.h"
#include "daemon/util/macros.h"
#include "daemon/util/parse_num.h"

static void *place_of(const struct config_key *key, void *base)
{
	return (char *)base + key->offset;
}

static PRINTF_LIKE(3, 4) int refuse(int error, struct config_fault *ret_fault, const char *format,
				    ...)
{
	va_list args;

	ret_fault->has_place = false;
	va_start(args, format);
	vsnprintf(ret_fault->what, sizeof(ret_fault->what), format, args);
	va_end(args);
	return error;
}

static int refuse_number(const struct config_key *key, const char *kind,
			 struct config_fault *ret_fault)
{
	if (key->max)
		return refuse(-EINVAL, ret_fault, "must be %s from %s to %s", kind, key->min,
			      key->max);
	return refuse(-EINVAL, ret_fault, "must be %s, at least %s", kind, key->min);
}

static int parse_whole(const struct config_key *key, const char *text, uint64_t *ret_n)
{
	if (key->type == CONFIG_TYPE_DURATION)
		return parse_duration_ns(text, ret_n);
	return parse_u64(text, 0, UINT64_MAX, ret_n);
}

static int parse_whole_in_range(const struct config_key *key, const char *text, uint64_t *ret_n)
{
	uint64_t n = 0, min = 0, max = 0;
	int r;

	r = parse_whole(key, key->min, &min);
	assert(r == 0);
	r = parse_whole(key, key->max, &max);
	assert(r == 0);
	r = parse_whole(key, text, &n);
	if (r < 0)
		return r;
	if (n < min || n > max)
		return -ERANGE;
	*ret_n = n;
	return 0;
}

static int parse_double_in_range(const struct config_key *key, const char *text, double *ret_x)
{
	double x = 0, bound = 0;
	int r;

	r = parse_double(text, &x);
	if (r < 0)
		return r;
	r = parse_double(key->min, &bound);
	assert(r == 0);
	if (x < bound)
		return -ERANGE;
	if (key->max) {
		r = parse_double(key->max, &bound);
		assert(r == 0);
		if (x > bound)
			return -ERANGE;
	}
	*ret_x = x + 0.0; /* −0 becomes 0 */
	return 0;
}

static int set_choice(const struct config_key *key, int *place, const char *text,
		      struct config_fault *ret_fault)
{
	char names[128] = "";

	for (int i = 0; key->choices[i]; i++) {
		if (strcmp(key->choices[i], text) == 0) {
			*place = i;
			return 0;
		}
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s",
			 i > 0 ? ", " : "", key->choices[i]);
	}
	return refuse(-EINVAL, ret_fault, "must be one of: %s", names);
}

static int set_string(const struct config_key *key, char **place, const char *text,
		      struct config_fault *ret_fault)
{
	const char *wrong = key->check(text, &(struct config_strings){0});
	char *copy;

	if (wrong)
		return refuse(-EINVAL, ret_fault, "%s", wrong);
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	free(*place);
	*place = copy;
	return 0;
}

static int refuse_full(size_t max, struct config_fault *ret_fault)
{
	return refuse(-E2BIG, ret_fault, "the list must not have more than %zu entries", max);
}

static int add_string(const struct config_key *key, struct config_strings *list, const char *text,
		      struct config_fault *ret_fault)
{
	const char *wrong;
	char **items;

	if (list->count == config_key_most(key))
		return refuse_full(config_key_most(key), ret_fault);
	wrong = key->check(text, list);
	if (wrong)
		return refuse(-EINVAL, ret_fault, "%s", wrong);
	items = reallocarray(list->items, list->count + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	list->items = items;
	items[list->count] = strdup(text);
	if (!items[list->count])
		return -ENOMEM;
	list->count++;
	return 0;
}

static int add_port(const struct config_key *key, struct config_ports *list, const char *text,
		    struct config_fault *ret_fault)
{
	uint16_t *items;
	uint64_t n;

	if (list->count == CONFIG_PORTS_MAX)
		return refuse_full(CONFIG_PORTS_MAX, ret_fault);
	if (parse_whole_in_range(key, text, &n) < 0)
		return refuse_number(key, "a port number", ret_fault);
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i] == n)
			return refuse(-EINVAL, ret_fault, "is given twice");
	}
	items = reallocarray(list->items, list->count + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	list->items = items;
	items[list->count++] = (uint16_t)n;
	return 0;
}

static int add_bucket(const struct config_key *key, struct config_buckets *list, const char *text,
		      struct config_fault *ret_fault)
{
	double x;

	if (list->count == CONFIG_BUCKETS_MAX)
		return refuse_full(CONFIG_BUCKETS_MAX, ret_fault);
	if (parse_double_in_range(key, text, &x) < 0)
		return refuse_number(key, "a number", ret_fault);
	if (list->count > 0 && x <= list->bounds[list->count - 1])
		return refuse(-EINVAL, ret_fault, "must be larger than the bound before it");
	list->bounds[list->count++] = x;
	return 0;
}

static void clear_filter(struct config_filter *f)
{
	free(f->text);
	filter_free(f->filter);
	*f = (struct config_filter){0};
}

/* Nothing but blanks is no filter. */
static int set_filter(const struct config_key *key, struct config_filter *place, const char *text,
		      struct config_fault *ret_fault)
{
	static const struct filter_world world = {config_service_find, CONFIG_SERVICES};
	struct config_filter f = {.text = strdup(text)};
	struct filter_error error;
	int r = f.text ? 0 : -ENOMEM;

	if (r == 0 && (key->not_empty || text[strspn(text, " \t\r\n")] != '\0'))
		r = filter_parse(text, &world, &error, &f.filter);
	if (r == -EINVAL) {
		refuse(r, ret_fault, "%s", error.what);
		ret_fault->has_place = true;
		ret_fault->at = error.at;
		ret_fault->len = error.len;
	}
	if (r < 0) {
		clear_filter(&f);
		return r;
	}
	clear_filter(place);
	*place = f;
	return 0;
}

int config_value_add(const struct config_key *key, void *base, const char *text,
		     struct config_fault *ret_fault)
{
	void *place = place_of(key, base);

	switch (key->type) {
	case CONFIG_TYPE_U64:
		if (parse_whole_in_range(key, text, place) < 0)
			return refuse_number(key, "a whole number", ret_fault);
		return 0;
	case CONFIG_TYPE_DURATION:
		if (parse_whole_in_range(key, text, place) < 0)
			return refuse_number(key, "a duration", ret_fault);
		return 0;
	case CONFIG_TYPE_DOUBLE:
		if (parse_double_in_range(key, text, place) < 0)
			return refuse_number(key, "a number", ret_fault);
		return 0;
	case CONFIG_TYPE_CHOICE:
		return set_choice(key, place, text, ret_fault);
	case CONFIG_TYPE_STRING:
		return set_string(key, place, text, ret_fault);
	case CONFIG_TYPE_STRINGS:
		return add_string(key, place, text, ret_fault);
	case CONFIG_TYPE_PORTS:
		return add_port(key, place, text, ret_fault);
	case CONFIG_TYPE_BUCKETS:
		return add_bucket(key, place, text, ret_fault);
	case CONFIG_TYPE_FILTER:
		return set_filter(key, place, text, ret_fault);
	case CONFIG_TYPE_MAPS:
	case CONFIG_TYPE_PAIRS:
		break;
	}
	return -EINVAL;
}

int config_value_set_fallback(const struct config_key *key, void *base)
{
	struct config_fault fault;
	_free_ char *entries = NULL;
	char *rest = NULL, *entry;
	int r;

	if (!key->fallback)
		return 0;
	if (!config_key_is_list(key))
		return config_value_add(key, base, key->fallback, &fault);
	entries = strdup(key->fallback);
	if (!entries)
		return -ENOMEM;
	for (entry = strtok_r(entries, " ", &rest); entry; entry = strtok_r(NULL, " ", &rest)) {
		r = config_value_add(key, base, entry, &fault);
		if (r < 0)
			return r;
	}
	return 0;
}

static void clear_strings(struct config_strings *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct config_strings){0};
}

static void clear_ports(struct config_ports *list)
{
	free(list->items);
	*list = (struct config_ports){0};
}

static void clear_maps(const struct config_key *key, struct config_maps *list)
{
	while (list->count > 0)
		config_value_drop_entry(key, list);
	free(list->items);
	*list = (struct config_maps){0};
}

static void clear_pairs(struct config_pairs *pairs)
{
	for (size_t i = 0; i < pairs->count; i++) {
		free(pairs->items[i].name);
		free(pairs->items[i].value);
	}
	free(pairs->items);
	*pairs = (struct config_pairs){0};
}

void config_value_drop_entry(const struct config_key *key, struct config_maps *list)
{
	void *entry = config_entries_at(key, list, --list->count);

	for (unsigned int i = 0; i < CONFIG_FIELDS_MAX; i++)
		config_value_clear(&key->entries->fields[i], entry);
}

void config_value_clear(const struct config_key *key, void *base)
{
	void *place = place_of(key, base);

	switch (key->type) {
	case CONFIG_TYPE_U64:
	case CONFIG_TYPE_DURATION:
	case CONFIG_TYPE_DOUBLE:
	case CONFIG_TYPE_CHOICE:
		break;
	case CONFIG_TYPE_STRING:
		free(*(char **)place);
		*(char **)place = NULL;
		break;
	case CONFIG_TYPE_STRINGS:
		clear_strings(place);
		break;
	case CONFIG_TYPE_PORTS:
		clear_ports(place);
		break;
	case CONFIG_TYPE_BUCKETS:
		((struct config_buckets *)place)->count = 0;
		break;
	case CONFIG_TYPE_FILTER:
		clear_filter(place);
		break;
	case CONFIG_TYPE_MAPS:
		clear_maps(key, place);
		break;
	case CONFIG_TYPE_PAIRS:
		clear_pairs(place);
		break;
	}
}

uint64_t config_value_number(const struct config_key *key, const void *base)
{
	assert(key->type == CONFIG_TYPE_U64 || key->type == CONFIG_TYPE_DURATION);
	return *(const uint64_t *)((const char *)base + key->offset);
}
