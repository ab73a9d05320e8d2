/* SPDX-License-Identifier: Apache-2.0 */
/* Maps whose names are the file's own. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_bind_internal.h"
#include "daemon/util/macros.h"

/* Of an error's key, which is cut below that. */
#define PATH_LEN_MAX 256

static struct config_pairs *pairs_of(const struct config_slot *slot)
{
	return (void *)((char *)slot->base + slot->key->offset);
}

static struct config_pair *find_pair(const struct config_pairs *pairs, const char *name)
{
	for (size_t i = 0; i < pairs->count; i++)
		if (strcmp(pairs->items[i].name, name) == 0)
			return &pairs->items[i];
	return NULL;
}

/* NULL: out of memory. */
static struct config_pair *add_pair(struct config_pairs *pairs, const struct config_event *name)
{
	struct config_pair *items =
		reallocarray(pairs->items, pairs->count + 1, sizeof(pairs->items[0]));
	struct config_pair *pair;

	if (!items)
		return NULL;
	pairs->items = items;
	pair = &items[pairs->count];
	*pair = (struct config_pair){.name = strdup(name->text), .line = name->at.line};
	if (!pair->name)
		return NULL;
	pairs->count++;
	return pair;
}

static int skip_reported(struct config_binder *b, const char *path, struct config_mark at,
			 const char *what)
{
	config_errors_add(b->yaml->errors, at, path, "%s", what);
	return bind_skip_value(b);
}

/* The value is bound as that of a key whose path ends with the name. */
static int bind_pair_value(struct config_binder *b, const struct config_key *map, const char *path,
			   struct config_pair *pair)
{
	const struct config_key key = {
		.path = path,
		.type = CONFIG_TYPE_STRING,
		.check = map->check,
		.offset = offsetof(struct config_pair, value),
	};
	struct config_given given = {0};
	const struct config_slot slot = {&key, pair, &given};

	return bind_value(b, &slot);
}

static int bind_pair(struct config_binder *b, const struct config_slot *slot,
		     const struct config_event *name)
{
	struct config_pairs *pairs = pairs_of(slot);
	struct config_pair *pair;
	char path[PATH_LEN_MAX];
	const char *wrong;

	if (name->type != CONFIG_EVENT_SCALAR)
		return bind_skip_pair(b, slot->key->path, name);
	snprintf(path, sizeof(path), "%s.%s", slot->key->path, name->text);
	pair = find_pair(pairs, name->text);
	if (pair) {
		bind_note_key(b, path, name->at, &pair->line);
		return bind_skip_value(b);
	}
	wrong = slot->key->check_name(name->text, NULL);
	if (!wrong && pairs->count == config_key_most(slot->key))
		wrong = "is one too many";
	if (wrong)
		return skip_reported(b, path, name->at, wrong);
	pair = add_pair(pairs, name);
	return pair ? bind_pair_value(b, slot->key, path, pair) : -ENOMEM;
}

int bind_pairs(struct config_binder *b, const struct config_slot *slot)
{
	struct config_event event;
	int r;

	r = config_yaml_next(b->yaml, &event);
	if (r < 0)
		return r;
	slot->given->value = event.at;
	if (event.type == CONFIG_EVENT_SCALAR || event.type == CONFIG_EVENT_LIST_START)
		bind_refuse(b, slot, event.at, "must be a map");
	if (event.type != CONFIG_EVENT_MAP_START)
		return config_yaml_skip(b->yaml, &event);
	for (;;) {
		r = config_yaml_next(b->yaml, &event);
		if (r < 0 || event.type == CONFIG_EVENT_MAP_END)
			return r;
		r = bind_pair(b, slot, &event);
		if (r < 0)
			return r;
	}
}
