/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only file that knows libyaml: text to a stream of plain events. What a configuration does not
 * need and an attacker could use (anchors, aliases, tags, directives, more documents, deep
 * nesting, large scalars) is refused here, with its place.
 */
#pragma once

#include <yaml.h>

#include "config/config_errors.h"

#define CONFIG_YAML_TEXT_MAX   (1024 * 1024)
#define CONFIG_YAML_DEPTH_MAX  16
#define CONFIG_YAML_EVENTS_MAX 10000
#define CONFIG_YAML_SCALAR_MAX 4096

enum config_event_type {
	CONFIG_EVENT_SCALAR,
	CONFIG_EVENT_NULL,    /* nothing, "~" or "null", not quoted */
	CONFIG_EVENT_REFUSED, /* stands where a scalar would, and was reported */
	CONFIG_EVENT_LIST_START,
	CONFIG_EVENT_LIST_END,
	CONFIG_EVENT_MAP_START,
	CONFIG_EVENT_MAP_END,
	CONFIG_EVENT_END, /* of the text; there is nothing behind it */
};

struct config_event {
	enum config_event_type type;
	struct config_mark at;
	const char *text; /* of a scalar; good until the next event is asked for */
};

struct config_yaml {
	struct config_errors *errors;
	const char *text;
	size_t len;
	yaml_parser_t parser;
	yaml_event_t event; /* the last one; owns what config_event.text points to */
	size_t scalar_max; /* CONFIG_YAML_SCALAR_MAX, unless it is changed before the first event */
	unsigned int events, depth, documents;
};

/* Borrows the text. 0, -ENOMEM, or -EINVAL: it cannot be read, and ERRORS says why; only after 0 is
 * there anything to be done with. */
int config_yaml_init(struct config_yaml *y, const char *text, size_t len,
		     struct config_errors *errors);
void config_yaml_done(struct config_yaml *y);

/* The next event. 0, -ENOMEM, or -EINVAL: what follows cannot be read, and ERRORS says why. */
int config_yaml_next(struct config_yaml *y, struct config_event *ret_event);
/* The place of a byte of a scalar's text; that of the scalar where its text is not written out as
 * it is (escapes, several lines). */
struct config_mark config_yaml_place(const struct config_yaml *y, const struct config_event *event,
				     unsigned int at);
/* Passes over what EVENT begins: nothing more for a scalar, all its content for a list or a map. */
int config_yaml_skip(struct config_yaml *y, const struct config_event *event);
