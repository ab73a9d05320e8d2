/* SPDX-License-Identifier: Apache-2.0 */
/* Entries that are maps. */
#include <errno.h>
#include <string.h>

#include "config/config_bind_internal.h"
#include "config/config_entries.h"
#include "config/config_value.h"

/* The field of an entry that a key names; −1: none. */
static int find_field(const struct config_entries *entries, const struct config_event *key)
{
	for (int i = 0; i < CONFIG_FIELDS_MAX; i++) {
		const struct config_key *field = &entries->fields[i];

		if (strcmp(field->path + config_key_section_len(field) + 1, key->text) == 0)
			return i;
	}
	return -1;
}

static int bind_field(struct config_binder *b, const struct config_slot *entry,
		      const struct config_event *key)
{
	const struct config_entries *entries = entry->key->entries;
	struct config_slot slot;
	int i;

	if (key->type != CONFIG_EVENT_SCALAR)
		return bind_skip_pair(b, entry->key->path, key);
	i = find_field(entries, key);
	if (i < 0) {
		config_errors_add(b->yaml->errors, key->at, entry->key->path, "unknown key");
		return bind_skip_value(b);
	}
	slot = (struct config_slot){&entries->fields[i], entry->base, &entry->given[i]};
	bind_note_key(b, slot.key->path, key->at, &slot.given->line);
	return bind_value(b, &slot);
}

static int bind_fields(struct config_binder *b, const struct config_slot *entry)
{
	struct config_event key;
	int r;

	for (;;) {
		r = config_yaml_next(b->yaml, &key);
		if (r < 0 || key.type == CONFIG_EVENT_MAP_END)
			return r;
		r = bind_field(b, entry, &key);
		if (r < 0)
			return r;
	}
}

/* Whether everything that must be there is, and is right. */
static bool is_complete(struct config_binder *b, const struct config_slot *entry,
			struct config_mark at)
{
	bool is_complete = true;

	for (unsigned int i = 0; i < CONFIG_FIELDS_MAX; i++) {
		const struct config_key *field = &entry->key->entries->fields[i];
		bool is_missing = entry->given[i].line == 0 && field->not_empty;

		if (is_missing)
			config_errors_add(b->yaml->errors, at, field->path, "is missing");
		if (is_missing || entry->given[i].is_wrong)
			is_complete = false;
	}
	return is_complete;
}

/* What is wrong in itself is not compared with others. */
static int end_entry(struct config_binder *b, const struct config_slot *entry,
		     struct config_maps *list, struct config_mark at)
{
	struct config_fault fault;
	int r;

	if (!is_complete(b, entry, at)) {
		config_value_drop_entry(entry->key, list);
		return 0;
	}
	r = entry->key->entries->take(b->base, &fault);
	if (r == -EINVAL)
		config_errors_add(b->yaml->errors, at, entry->key->path, "%s", fault.what);
	return r == -EINVAL ? 0 : r;
}

/* One map of a list. */
int bind_entry(struct config_binder *b, const struct config_slot *slot,
	       const struct config_event *event)
{
	struct config_maps *list = (void *)((char *)slot->base + slot->key->offset);
	struct config_given given[CONFIG_FIELDS_MAX] = {0};
	struct config_slot entry = {slot->key, NULL, given};
	int r;

	if (event->type != CONFIG_EVENT_MAP_START) {
		if (event->type != CONFIG_EVENT_REFUSED)
			bind_refuse(b, slot, event->at, "must be a list of maps");
		return config_yaml_skip(b->yaml, event);
	}
	if (list->count == config_key_most(slot->key)) {
		config_errors_add(b->yaml->errors, event->at, slot->key->path,
				  "the list must not have more than %zu entries", list->count);
		r = config_yaml_skip(b->yaml, event);
		return r < 0 ? r : -E2BIG;
	}
	entry.base = config_entries_add(slot->key, list);
	if (!entry.base)
		return -ENOMEM;
	r = bind_fields(b, &entry);
	return r < 0 ? r : end_entry(b, &entry, list, event->at);
}
