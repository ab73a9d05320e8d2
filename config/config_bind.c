/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_bind.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/config_bind_internal.h"
#include "config/config_render.h"
#include "config/config_suggest.h"
#include "config/config_value.h"
#include "daemon/util/cleanup.h"

/* Longer than any known path: one that is cut is unknown anyway. */
#define PATH_LEN_MAX 256

void bind_refuse(struct config_binder *b, const struct config_slot *slot, struct config_mark at,
		 const char *what)
{
	config_errors_add(b->yaml->errors, at, slot->key->path, "%s", what);
	slot->given->is_wrong = true;
}

static void refuse_value(struct config_binder *b, const struct config_slot *slot,
			 const struct config_event *event, const struct config_fault *fault)
{
	struct config_mark at = event->at;

	if (fault->has_place)
		at = config_yaml_place(b->yaml, event, fault->at);
	config_errors_add_fault(b->yaml->errors, at, slot->key->path, event->text, fault);
	slot->given->is_wrong = true;
}

/* A value, or an entry of a list. Also -E2BIG: reported, and the list takes no more. */
static int bind_scalar(struct config_binder *b, const struct config_slot *slot,
		       const struct config_event *event)
{
	struct config_fault fault;
	int r;

	switch (event->type) {
	case CONFIG_EVENT_SCALAR:
		r = config_value_add(slot->key, slot->base, event->text, &fault);
		if (r == 0 || r == -ENOMEM)
			return r;
		refuse_value(b, slot, event, &fault);
		return r == -E2BIG ? r : 0;
	case CONFIG_EVENT_NULL:
		bind_refuse(b, slot, event->at, "has no value");
		return 0;
	case CONFIG_EVENT_REFUSED:
		slot->given->is_wrong = true;
		return 0;
	case CONFIG_EVENT_LIST_START:
		bind_refuse(b, slot, event->at, "must be a single value, not a list");
		break;
	case CONFIG_EVENT_MAP_START:
		bind_refuse(b, slot, event->at, "must be a single value, not a map");
		break;
	case CONFIG_EVENT_LIST_END:
	case CONFIG_EVENT_MAP_END:
	case CONFIG_EVENT_END:
		break;
	}
	return config_yaml_skip(b->yaml, event);
}

static int bind_list(struct config_binder *b, const struct config_slot *slot, struct config_mark at)
{
	bool is_of_maps = slot->key->type == CONFIG_TYPE_MAPS;
	struct config_event event;
	bool is_empty = true, is_full = false;
	int r;

	config_value_clear(slot->key, slot->base);
	for (;;) {
		r = config_yaml_next(b->yaml, &event);
		if (r < 0)
			return r;
		if (event.type == CONFIG_EVENT_LIST_END)
			break;
		is_empty = false;
		if (is_full)
			r = config_yaml_skip(b->yaml, &event);
		else
			r = is_of_maps ? bind_entry(b, slot, &event) : bind_scalar(b, slot, &event);
		if (r == -E2BIG)
			is_full = true;
		else if (r < 0)
			return r;
	}
	if (is_empty && slot->key->not_empty)
		bind_refuse(b, slot, at, "must have at least one entry");
	return 0;
}

void bind_note_key(struct config_binder *b, const char *path, struct config_mark at,
		   unsigned int *line)
{
	if (*line > 0)
		config_errors_add(b->yaml->errors, at, path, "is given twice, first in line %u",
				  *line);
	else
		*line = at.line;
}

int bind_value(struct config_binder *b, const struct config_slot *slot)
{
	struct config_event event;
	int r;

	if (slot->key->type == CONFIG_TYPE_PAIRS)
		return bind_pairs(b, slot);
	r = config_yaml_next(b->yaml, &event);
	if (r < 0)
		return r;
	slot->given->value = event.at;
	if (!config_key_is_list(slot->key))
		return bind_scalar(b, slot, &event);
	if (event.type == CONFIG_EVENT_LIST_START)
		return bind_list(b, slot, event.at);
	if (event.type != CONFIG_EVENT_SCALAR && event.type != CONFIG_EVENT_MAP_START)
		return bind_scalar(b, slot, &event);
	bind_refuse(b, slot, event.at, "must be a list");
	return config_yaml_skip(b->yaml, &event);
}

int bind_skip_value(struct config_binder *b)
{
	struct config_event event;
	int r;

	r = config_yaml_next(b->yaml, &event);
	return r < 0 ? r : config_yaml_skip(b->yaml, &event);
}

static int bind_key(struct config_binder *b, int index, struct config_mark at)
{
	const struct config_slot slot = {&b->schema->keys[index], b->base, &b->keys[index]};
	bool is_again = slot.given->line > 0;

	bind_note_key(b, slot.key->path, at, &slot.given->line);
	/* What entries have in common with those before is not theirs to answer for. */
	if (is_again && slot.key->type == CONFIG_TYPE_MAPS)
		return bind_skip_value(b);
	return bind_value(b, &slot);
}

int bind_skip_pair(struct config_binder *b, const char *section, const struct config_event *key)
{
	int r;

	if (key->type != CONFIG_EVENT_REFUSED)
		config_errors_add(b->yaml->errors, key->at, section, "a key must be a name");
	r = config_yaml_skip(b->yaml, key);
	return r < 0 ? r : bind_skip_value(b);
}

static void refuse_unknown(struct config_binder *b, const char *path,
			   const struct config_event *key)
{
	struct config_errors *errors = b->yaml->errors;
	const char *suggestion = NULL;
	size_t n = 0;

	/* Errors beyond the cap are only counted. */
	if (errors->total < CONFIG_ERRORS_MAX)
		suggestion = config_suggest(b->schema, path, &n);
	if (strchr(key->text, '.'))
		config_errors_add(errors, key->at, path,
				  "unknown key; sections are nested, not joined by dots");
	else if (suggestion)
		config_errors_add(errors, key->at, path, "unknown key; did you mean %.*s?", (int)n,
				  suggestion);
	else
		config_errors_add(errors, key->at, path, "unknown key");
}

static int bind_section(struct config_binder *b, int first, const char *path,
			struct config_mark at);

static int bind_pair(struct config_binder *b, const char *section, const struct config_event *key)
{
	char path[PATH_LEN_MAX];
	int index;

	if (key->type != CONFIG_EVENT_SCALAR)
		return bind_skip_pair(b, section, key);
	snprintf(path, sizeof(path), "%s%s%s", section, section[0] != '\0' ? "." : "", key->text);
	if (!strchr(key->text, '.')) {
		index = config_schema_find(b->schema, path);
		if (index >= 0)
			return bind_key(b, index, key->at);
		index = config_schema_find_section(b->schema, path);
		if (index >= 0)
			return bind_section(b, index, path, key->at);
	}
	refuse_unknown(b, path, key);
	return bind_skip_value(b);
}

static int bind_map(struct config_binder *b, const char *section)
{
	struct config_event key;
	int r;

	for (;;) {
		r = config_yaml_next(b->yaml, &key);
		if (r < 0 || key.type == CONFIG_EVENT_MAP_END)
			return r;
		r = bind_pair(b, section, &key);
		if (r < 0)
			return r;
	}
}

/* A map of keys; also nothing at all, as where every key of the section is commented out. */
static int bind_map_or_nothing(struct config_binder *b, const char *section,
			       const struct config_event *event)
{
	if (event->type == CONFIG_EVENT_MAP_START)
		return bind_map(b, section);
	if (event->type == CONFIG_EVENT_SCALAR || event->type == CONFIG_EVENT_LIST_START)
		config_errors_add(b->yaml->errors, event->at, section, "must be a map of keys");
	return config_yaml_skip(b->yaml, event);
}

static int bind_section(struct config_binder *b, int first, const char *path, struct config_mark at)
{
	struct config_event event;
	int r;

	bind_note_key(b, path, at, &b->section_lines[first]);
	r = config_yaml_next(b->yaml, &event);
	return r < 0 ? r : bind_map_or_nothing(b, path, &event);
}

/* Reported at the key that must not be below the other or, if only that is given, at the other. */
static int check_order(struct config_binder *b, int index)
{
	const struct config_key *keys = b->schema->keys, *key = &keys[index];
	int other = config_schema_find(b->schema, key->not_below);
	_cleanup_(buf_done) struct buf limit = BUF_INIT;
	bool is_given = b->keys[index].line > 0;
	int blamed = is_given ? index : other, against = is_given ? other : index;

	if (b->keys[index].is_wrong || b->keys[other].is_wrong ||
	    config_value_number(key, b->base) >= config_value_number(&keys[other], b->base))
		return 0;
	config_render_value(&keys[against], b->base, &limit);
	if (limit.error)
		return limit.error;
	config_errors_add(b->yaml->errors, b->keys[blamed].value, keys[blamed].path,
			  "must not be %s %s, which is %.*s", is_given ? "below" : "above",
			  keys[against].path, (int)limit.len, limit.data);
	return 0;
}

static int check_orders(struct config_binder *b)
{
	int r;

	for (size_t i = 0; i < b->schema->count; i++) {
		if (!b->schema->keys[i].not_below)
			continue;
		r = check_order(b, (int)i);
		if (r < 0)
			return r;
	}
	return 0;
}

int config_bind(struct config_yaml *yaml, const struct config_schema *schema, void *base)
{
	struct config_binder b = {.yaml = yaml, .schema = schema, .base = base};
	struct config_event event;
	int r;

	r = config_yaml_next(yaml, &event);
	if (r < 0 || event.type == CONFIG_EVENT_END)
		return r;
	r = bind_map_or_nothing(&b, "", &event);
	if (r < 0)
		return r;
	/* Nothing may follow; it is for the reader to say so. */
	r = config_yaml_next(yaml, &event);
	if (r == 0)
		r = check_orders(&b);
	if (r == 0 && schema->check)
		schema->check(&b);
	return r;
}

int config_bind_text(const char *text, size_t n, const struct config_schema *schema,
		     struct config_errors *errors, void *base)
{
	struct config_yaml yaml;
	int r;

	r = config_yaml_init(&yaml, text, n, errors);
	if (r < 0)
		return r;
	if (schema->scalar_max > 0)
		yaml.scalar_max = schema->scalar_max;
	r = config_bind(&yaml, schema, base);
	config_yaml_done(&yaml);
	return r == 0 && errors->total > 0 ? -EINVAL : r;
}
