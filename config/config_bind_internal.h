/* SPDX-License-Identifier: Apache-2.0 */
/* What the binding of the file's keys and that of entries share. */
#pragma once

#include "config/config_schema.h"
#include "config/config_yaml.h"

/* What the file has said of a key. */
struct config_given {
	unsigned int line;        /* of the key; 0: nothing */
	struct config_mark value; /* where it begins */
	bool is_wrong;
};

struct config_binder {
	struct config_yaml *yaml;
	const struct config_schema *schema;
	void *base; /* what the schema fills */
	struct config_given keys[CONFIG_KEYS_MAX];
	unsigned int section_lines[CONFIG_KEYS_MAX]; /* by the section's first key; 0: not given */
};

/* A key whose value comes next: of the file, or of an entry. */
struct config_slot {
	const struct config_key *key;
	void *base; /* what it belongs to */
	struct config_given *given;
};

void bind_refuse(struct config_binder *b, const struct config_slot *slot, struct config_mark at,
		 const char *what);
/* Reports a key that was there before, of which LINE is. */
void bind_note_key(struct config_binder *b, const char *path, struct config_mark at,
		   unsigned int *line);
/* All return 0, or as config_yaml_next(). Of what comes next: a key's value, the value of one that
 * is reported, and that of a key which is no name. */
int bind_value(struct config_binder *b, const struct config_slot *slot);
int bind_skip_value(struct config_binder *b);
int bind_skip_pair(struct config_binder *b, const char *section, const struct config_event *key);
/* One map of a list, which EVENT begins. Also -E2BIG: reported, and the list takes no more. */
int bind_entry(struct config_binder *b, const struct config_slot *slot,
	       const struct config_event *event);
/* A map of the file's own names, in the place of a value. */
int bind_pairs(struct config_binder *b, const struct config_slot *slot);
