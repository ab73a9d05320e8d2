/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_yaml.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "daemon/util/macros.h"

static struct config_mark mark_of(yaml_mark_t mark)
{
	return (struct config_mark){(unsigned int)mark.line + 1, (unsigned int)mark.column + 1};
}

/* The place of a byte; columns count characters, as libyaml's do. */
static struct config_mark mark_of_offset(const struct config_yaml *y, size_t offset)
{
	struct config_mark at = {1, 1};

	for (size_t i = 0; i < MIN(offset, y->len); i++) {
		if (y->text[i] == '\n') {
			at.line++;
			at.column = 1;
		} else if (((unsigned char)y->text[i] & 0xc0) != 0x80) {
			at.column++;
		}
	}
	return at;
}

static int refuse(struct config_yaml *y, struct config_mark at, const char *what)
{
	config_errors_add(y->errors, at, "", "%s", what);
	return -EINVAL;
}

static bool begins_with(const char *text, size_t len, const char *bytes)
{
	return len >= strlen(bytes) && memcmp(text, bytes, strlen(bytes)) == 0;
}

/* Whether the line breaks before the byte at I; YAML 1.1 knows five breaks. */
static bool begins_line(const char *text, size_t i)
{
	if (i == 0 || text[i - 1] == '\n' || text[i - 1] == '\r')
		return true;
	if (i >= 2 && memcmp(text + i - 2, "\xc2\x85", 2) == 0)
		return true;
	return i >= 3 && (memcmp(text + i - 3, "\xe2\x80\xa8", 3) == 0 ||
			  memcmp(text + i - 3, "\xe2\x80\xa9", 3) == 0);
}

/* libyaml compares each %TAG with all before it: seven seconds for a file of 1 MiB. */
static int refuse_directives(struct config_yaml *y)
{
	const char *end = y->text + y->len;
	const char *p = y->text;

	while ((p = memchr(p, '%', (size_t)(end - p)))) {
		size_t offset = (size_t)(p - y->text);

		if (begins_line(y->text, offset))
			return refuse(y, mark_of_offset(y, offset),
				      "directives (%YAML, %TAG) are not supported");
		p++;
	}
	return 0;
}

/* What must be known before libyaml reads the first byte. */
static int check_text(struct config_yaml *y)
{
	struct config_mark whole = {0, 0}, start = {1, 1};

	if (y->len > CONFIG_YAML_TEXT_MAX)
		return refuse(y, whole, "must not be larger than 1 MiB");
	if (begins_with(y->text, y->len, "\xff\xfe") || begins_with(y->text, y->len, "\xfe\xff"))
		return refuse(y, start, "is UTF-16; must be UTF-8");
	if (begins_with(y->text, y->len, "\xef\xbb\xbf"))
		return refuse(y, start, "begins with a byte order mark; must be UTF-8 without one");
	return refuse_directives(y);
}

int config_yaml_init(struct config_yaml *y, const char *text, size_t len,
		     struct config_errors *errors)
{
	int r;

	*y = (struct config_yaml){
		.errors = errors,
		.text = text ? text : "",
		.len = len,
		.scalar_max = CONFIG_YAML_SCALAR_MAX,
	};
	r = check_text(y);
	if (r < 0)
		return r;
	if (!yaml_parser_initialize(&y->parser))
		return -ENOMEM;
	yaml_parser_set_encoding(&y->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&y->parser, (const unsigned char *)y->text, len);
	return 0;
}

void config_yaml_done(struct config_yaml *y)
{
	yaml_event_delete(&y->event);
	yaml_parser_delete(&y->parser);
}

/* Where nothing closes a quote, the place where it was opened says more than the end of the file.
 */
static bool is_open_quote(const yaml_parser_t *p)
{
	return p->context && strcmp(p->context, "while scanning a quoted scalar") == 0 &&
	       strncmp(p->problem, "found unexpected", strlen("found unexpected")) == 0;
}

/* libyaml's own words, after its own fault. */
static int refuse_syntax(struct config_yaml *y)
{
	const yaml_parser_t *p = &y->parser;
	struct config_mark at = mark_of(p->problem_mark), from = mark_of(p->context_mark);

	/* Where memory runs out in a tag, libyaml fails and names no error. */
	if (p->error == YAML_MEMORY_ERROR || p->error == YAML_NO_ERROR)
		return -ENOMEM;
	if (p->error == YAML_READER_ERROR)
		return refuse(y, mark_of_offset(y, p->problem_offset), p->problem);
	if (is_open_quote(p))
		return refuse(y, from, "the quote is never closed");
	if (!p->context)
		return refuse(y, at, p->problem);
	if (from.line == at.line)
		config_errors_add(y->errors, at, "", "%s %s", p->problem, p->context);
	else
		config_errors_add(y->errors, at, "", "%s %s that begins in line %u", p->problem,
				  p->context, from.line);
	return -EINVAL;
}

/* Reports an anchor and a tag; what they are attached to is read as if they were not there. */
static void refuse_properties(struct config_yaml *y)
{
	const yaml_event_t *e = &y->event;
	const unsigned char *anchor = NULL, *tag = NULL;

	if (e->type == YAML_SCALAR_EVENT) {
		anchor = e->data.scalar.anchor;
		tag = e->data.scalar.tag;
	} else if (e->type == YAML_SEQUENCE_START_EVENT) {
		anchor = e->data.sequence_start.anchor;
		tag = e->data.sequence_start.tag;
	} else if (e->type == YAML_MAPPING_START_EVENT) {
		anchor = e->data.mapping_start.anchor;
		tag = e->data.mapping_start.tag;
	}
	if (anchor)
		refuse(y, mark_of(e->start_mark), "anchors (&name) are not supported");
	if (tag)
		refuse(y, mark_of(e->start_mark), "tags (!name) are not supported");
}

static int check_bounds(struct config_yaml *y)
{
	struct config_mark at = mark_of(y->event.start_mark);

	y->events++;
	if (y->events > CONFIG_YAML_EVENTS_MAX)
		return refuse(y, at, "the file has too many values");
	switch (y->event.type) {
	case YAML_DOCUMENT_START_EVENT:
		y->documents++;
		return y->documents > 1 ? refuse(y, at, "a second document is not supported") : 0;
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		/* libyaml's time grows with the square of the depth. */
		y->depth++;
		return y->depth > CONFIG_YAML_DEPTH_MAX ? refuse(y, at, "nests too deep") : 0;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		y->depth--;
		return 0;
	default:
		return 0;
	}
}

static bool is_null(const yaml_event_t *e)
{
	static const char *const names[] = {"", "~", "null", "Null", "NULL"};

	if (e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp((const char *)e->data.scalar.value, names[i]) == 0)
			return true;
	}
	return false;
}

static enum config_event_type scalar_type(struct config_yaml *y)
{
	const yaml_event_t *e = &y->event;
	struct config_mark at = mark_of(e->start_mark);

	if (e->data.scalar.length > y->scalar_max)
		config_errors_add(y->errors, at, "", "must not be longer than %zu KiB",
				  y->scalar_max / 1024);
	else if (memchr(e->data.scalar.value, '\0', e->data.scalar.length))
		refuse(y, at, "must not hold a NUL character");
	else
		return is_null(e) ? CONFIG_EVENT_NULL : CONFIG_EVENT_SCALAR;
	return CONFIG_EVENT_REFUSED;
}

static enum config_event_type event_type(struct config_yaml *y)
{
	switch (y->event.type) {
	case YAML_SCALAR_EVENT:
		return scalar_type(y);
	case YAML_ALIAS_EVENT:
		refuse(y, mark_of(y->event.start_mark), "aliases (*name) are not supported");
		return CONFIG_EVENT_REFUSED;
	case YAML_SEQUENCE_START_EVENT:
		return CONFIG_EVENT_LIST_START;
	case YAML_SEQUENCE_END_EVENT:
		return CONFIG_EVENT_LIST_END;
	case YAML_MAPPING_START_EVENT:
		return CONFIG_EVENT_MAP_START;
	case YAML_MAPPING_END_EVENT:
		return CONFIG_EVENT_MAP_END;
	default:
		return CONFIG_EVENT_END;
	}
}

static bool is_frame(const yaml_event_t *e)
{
	return e->type == YAML_STREAM_START_EVENT || e->type == YAML_DOCUMENT_START_EVENT ||
	       e->type == YAML_DOCUMENT_END_EVENT;
}

int config_yaml_next(struct config_yaml *y, struct config_event *ret_event)
{
	int r;

	do {
		yaml_event_delete(&y->event);
		if (!yaml_parser_parse(&y->parser, &y->event))
			return refuse_syntax(y);
		r = check_bounds(y);
		if (r < 0)
			return r;
	} while (is_frame(&y->event));
	refuse_properties(y);
	*ret_event = (struct config_event){
		.type = event_type(y),
		.at = mark_of(y->event.start_mark),
	};
	if (ret_event->type == CONFIG_EVENT_SCALAR)
		ret_event->text = (const char *)y->event.data.scalar.value;
	return 0;
}

/* Where a mark lies in the text. */
static const char *find_mark(const struct config_yaml *y, struct config_mark at)
{
	const char *p = y->text, *end = y->text + y->len;

	for (unsigned int line = 1; p && line < at.line; line++) {
		p = memchr(p, '\n', (size_t)(end - p));
		p = p ? p + 1 : NULL;
	}
	for (unsigned int column = 1; p && p < end && column < at.column; column++)
		do
			p++;
		while (p < end && ((unsigned char)*p & 0xc0) == 0x80);
	return p;
}

struct config_mark config_yaml_place(const struct config_yaml *y, const struct config_event *event,
				     unsigned int at)
{
	const char *begin = find_mark(y, event->at), *end = y->text + y->len;
	struct config_mark place = event->at;

	if (begin && begin < end && (*begin == '"' || *begin == '\'')) {
		begin++;
		place.column++;
	}
	if (!begin || (size_t)(end - begin) < at || memcmp(begin, event->text, at) != 0 ||
	    memchr(begin, '\n', at))
		return event->at;
	for (unsigned int i = 0; i < at; i++)
		place.column += ((unsigned char)begin[i] & 0xc0) != 0x80;
	return place;
}

static int nesting(const struct config_event *event)
{
	switch (event->type) {
	case CONFIG_EVENT_LIST_START:
	case CONFIG_EVENT_MAP_START:
		return 1;
	case CONFIG_EVENT_LIST_END:
	case CONFIG_EVENT_MAP_END:
		return -1;
	case CONFIG_EVENT_SCALAR:
	case CONFIG_EVENT_NULL:
	case CONFIG_EVENT_REFUSED:
	case CONFIG_EVENT_END:
		break;
	}
	return 0;
}

int config_yaml_skip(struct config_yaml *y, const struct config_event *event)
{
	struct config_event inner;
	int depth = nesting(event), r;

	while (depth > 0) {
		r = config_yaml_next(y, &inner);
		if (r < 0)
			return r;
		depth += nesting(&inner);
	}
	return 0;
}
