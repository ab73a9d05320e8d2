/* SPDX-License-Identifier: Apache-2.0 */
/* What a value of the configuration may be beside numbers and text. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct filter;

#define CONFIG_LIST_MAX     64 /* entries of a list, but for these */
#define CONFIG_VIEWS_MAX    512
#define CONFIG_PEERS_MAX    255
#define CONFIG_PREFIXES_MAX 1024 /* of one peer */
#define CONFIG_PORTS_MAX    1024
#define CONFIG_BUCKETS_MAX  64

struct config_strings {
	char **items;
	size_t count;
};

struct config_ports {
	uint16_t *items;
	size_t count;
};

/* Strictly rising, finite, not negative. */
struct config_buckets {
	double bounds[CONFIG_BUCKETS_MAX];
	size_t count;
};

/* A filter in the language of ss; FILTER is NULL where TEXT is empty. */
struct config_filter {
	char *text;
	struct filter *filter;
};

/* Entries that are maps; what they are is said where the list is. */
struct config_maps {
	void *items;
	size_t count;
};

/* Names that the file chooses, and what it says of each; no name twice. */
struct config_pairs {
	struct config_pair {
		char *name, *value;
		unsigned int line; /* of the name */
	} * items;
	size_t count;
};

/* Entries of views and peers. */
struct config_view {
	char *name;
	struct config_filter filter; /* not empty */
};

struct config_peer {
	char *name;
	struct config_strings prefixes; /* config_prefix_parse() */
};
