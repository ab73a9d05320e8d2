/* SPDX-License-Identifier: Apache-2.0 */
/*
 * THE table of configuration keys. Parsing, ranges, defaults, --config.dump and the test of the
 * shipped example walk it: to add a key is to add its row, and its place in struct config.
 */
#pragma once

#include "config/config.h"

enum config_type {
	CONFIG_TYPE_U64,      /* uint64_t */
	CONFIG_TYPE_DURATION, /* uint64_t, ns */
	CONFIG_TYPE_DOUBLE,   /* double */
	CONFIG_TYPE_CHOICE,   /* int: the place in CHOICES */
	CONFIG_TYPE_STRING,   /* char * */
	CONFIG_TYPE_STRINGS,  /* struct config_strings */
	CONFIG_TYPE_PORTS,    /* struct config_ports */
	CONFIG_TYPE_BUCKETS,  /* struct config_buckets */
	CONFIG_TYPE_FILTER,   /* struct config_filter */
	CONFIG_TYPE_MAPS,     /* struct config_maps */
	CONFIG_TYPE_PAIRS,    /* struct config_pairs: of the file's own names */
};

struct config_entries;
struct config_binder;

/* What is wrong with a string ("must begin with /"), or NULL. OTHERS: the list's entries so far. */
typedef const char *(*config_check_fn)(const char *text, const struct config_strings *others);

struct config_key {
	const char *path; /* "poll.sockets"; the keys of a section lie together */
	enum config_type type;
	const char *fallback;       /* the default, as text; of a list, the entries; NULL: none */
	const char *min, *max;      /* of a value or of each entry, as text; NULL: no bound */
	const char *not_below;      /* path of a key of the same type that must not be larger */
	const char *const *choices; /* NULL-terminated */
	config_check_fn check;
	config_check_fn check_name; /* of pairs; OTHERS is NULL */
	bool not_empty;             /* of a list; of what an entry has, that it must be given */
	bool is_secret;             /* not for --config.dump */
	size_t most;                /* entries of a list; 0: CONFIG_LIST_MAX */
	const struct config_entries *entries; /* of maps */
	size_t offset;                        /* in what the table fills, or in an entry */
	const char *help;
};

/* A table of keys, and what holds of all of them. */
struct config_schema {
	const struct config_key *keys;
	size_t count;
	/* Reports what is wrong with a file whose values are right; NULL: nothing ever is. */
	void (*check)(struct config_binder *b);
	size_t scalar_max; /* bytes of a value; 0: as many as a reader takes by itself */
};

#define CONFIG_KEYS_MAX   64
#define CONFIG_FIELDS_MAX 2

/* What each entry of a list of maps has. */
struct config_entries {
	size_t size; /* of one, in memory */
	struct config_key fields[CONFIG_FIELDS_MAX];
	/* Takes in the last entry, which is complete: 0, -ENOMEM, or -EINVAL with RET_FAULT. */
	int (*take)(struct config *c, struct config_fault *ret_fault);
};

/* That of sockstatd.yaml. */
extern const struct config_key config_keys[];
extern const size_t config_keys_count;
extern const struct config_schema config_schema;

/* All return a place in the table, or -1. */
int config_schema_find(const struct config_schema *schema, const char *path);
/* The first key of a section ("poll"). */
int config_schema_find_section(const struct config_schema *schema, const char *path);
/* The same of sockstatd.yaml. */
int config_key_find(const char *path);
int config_section_find(const char *path);

/* How many characters of the path name its section: 4 in "poll.sockets", 0 in "peak_window". */
size_t config_key_section_len(const struct config_key *key);
/* How many entries a list may have. */
size_t config_key_most(const struct config_key *key);
bool config_key_is_list(const struct config_key *key);
