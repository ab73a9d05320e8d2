/* SPDX-License-Identifier: Apache-2.0 */
/* What a value of the configuration may be beside numbers and text. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct filter;

#define CONFIG_LIST_MAX    64 /* entries of any list but ports */
#define CONFIG_PORTS_MAX   1024
#define CONFIG_BUCKETS_MAX 64

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
