/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/core/exposition.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/utf8_model.h"

struct cursor {
	const char *at, *end;
};

static bool take(struct cursor *c, const char *literal)
{
	size_t len = strlen(literal);

	if ((size_t)(c->end - c->at) < len || memcmp(c->at, literal, len) != 0)
		return false;
	c->at += len;
	return true;
}

/* Takes the longest run of characters of SET, which must not be empty nor begin with a digit,
 * unless it is a number. */
static bool take_run(struct cursor *c, const char *set, char *ret_text, size_t size)
{
	size_t len = 0;

	while (c->at + len < c->end && c->at[len] && strchr(set, c->at[len]))
		len++;
	if (len == 0 || len >= size)
		return false;
	memcpy(ret_text, c->at, len);
	ret_text[len] = '\0';
	c->at += len;
	return true;
}

#define NAME "abcdefghijklmnopqrstuvwxyz_"

static bool take_name(struct cursor *c, char *ret_name, size_t size)
{
	return take_run(c, NAME, ret_name, size);
}

/* One character, or an escape, of a text that ends before END. */
static bool take_character(struct cursor *c, char end, char **to, size_t room)
{
	size_t len;

	if (c->at < c->end && *c->at == '\\') {
		c->at++;
		if (c->at == c->end || !strchr(end == '"' ? "\\n\"" : "\\n", *c->at) || room < 1)
			return false;
		*(*to)++ = *c->at == 'n' ? '\n' : *c->at;
		c->at++;
		return true;
	}
	len = c->at < c->end && *c->at && *c->at != '\n'
		      ? utf8_model_character(c->at, (size_t)(c->end - c->at))
		      : 0;
	if (len == 0 || len > room)
		return false;
	memcpy(*to, c->at, len);
	*to += len;
	c->at += len;
	return true;
}

/* Takes text up to END, which it takes too. */
static bool take_text(struct cursor *c, char end, char *ret_text, size_t size)
{
	char *to = ret_text;

	while (c->at < c->end && *c->at != end)
		if (!take_character(c, end, &to, size - 1 - (size_t)(to - ret_text)))
			return false;
	*to = '\0';
	return c->at++ < c->end;
}

static bool take_labels(struct cursor *c, struct exposition_series *s)
{
	if (!take(c, "{"))
		return true;
	do {
		struct exposition_label *label = &s->labels[s->label_count];

		if (s->label_count == EXPOSITION_LABELS_MAX ||
		    !take_name(c, label->name, sizeof(label->name)) || !take(c, "=\"") ||
		    exposition_label(s, label->name) ||
		    !take_text(c, '"', label->value, sizeof(label->value)))
			return false;
		s->label_count++;
	} while (take(c, ","));
	return take(c, "}");
}

static bool take_number(struct cursor *c, struct exposition_series *s)
{
	char *end;

	if (!take_run(c, "0123456789.e+-InfNa", s->number, sizeof(s->number)))
		return false;
	s->value = strtod(s->number, &end);
	return *end == '\0';
}

static bool is_series_of(const struct exposition_family *f, const char *name)
{
	static const char *const suffixes[] = {"_bucket", "_sum", "_count"};
	size_t len = strlen(f->name);

	if (strcmp(f->type, "histogram") != 0)
		return strcmp(name, f->name) == 0;
	if (strncmp(name, f->name, len) != 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (strcmp(name + len, suffixes[i]) == 0)
			return true;
	return false;
}

static bool is_new_series(const struct exposition *e, const struct exposition_series *s)
{
	for (uint32_t i = 0; i < e->series_count; i++)
		if (e->series[i].key_len == s->key_len &&
		    memcmp(e->series[i].key, s->key, s->key_len) == 0)
			return false;
	return true;
}

/* The place for one more, cleared; what does not fit into memory is no test's business. */
static void *grow(void *items, uint32_t count, uint32_t *cap, size_t size)
{
	char *bytes = items;

	if (count == *cap) {
		*cap = MAX(16, *cap * 2);
		bytes = reallocarray(bytes, *cap, size);
		if (!bytes)
			abort();
	}
	memset(bytes + count * size, 0, size);
	return bytes;
}

static bool take_series(struct cursor *c, struct exposition *e)
{
	struct exposition_family *f;
	struct exposition_series *s;

	if (e->family_count == 0)
		return false;
	f = &e->families[e->family_count - 1];
	e->series = grow(e->series, e->series_count, &e->series_cap, sizeof(*s));
	s = &e->series[e->series_count];
	s->key = c->at;
	if (!take_name(c, s->name, sizeof(s->name)) || !take_labels(c, s))
		return false;
	s->key_len = (size_t)(c->at - s->key);
	if (!take(c, " ") || !take_number(c, s) || !take(c, "\n"))
		return false;
	f->count++;
	if (!is_series_of(f, s->name) || !is_new_series(e, s))
		return false;
	e->series_count++;
	return true;
}

static bool take_type(struct cursor *c, struct exposition_family *f)
{
	char name[sizeof(f->name)];

	return take(c, "# TYPE ") && take_name(c, name, sizeof(name)) &&
	       strcmp(name, f->name) == 0 && take(c, " ") &&
	       take_name(c, f->type, sizeof(f->type)) && take(c, "\n") &&
	       (strcmp(f->type, "counter") == 0 || strcmp(f->type, "gauge") == 0 ||
		strcmp(f->type, "histogram") == 0);
}

static bool take_help(struct cursor *c, struct exposition *e)
{
	struct exposition_family *f;

	if (e->family_count > 0 && e->families[e->family_count - 1].count == 0)
		return false;
	e->families = grow(e->families, e->family_count, &e->family_cap, sizeof(*f));
	f = &e->families[e->family_count];
	f->first = e->series_count;
	if (!take_name(c, f->name, sizeof(f->name)) || !take(c, " ") ||
	    !take_text(c, '\n', f->help, sizeof(f->help)) || exposition_find(e, f->name))
		return false;
	e->family_count++;
	return take_type(c, f);
}

unsigned int exposition_parse(struct exposition *e, const char *text, size_t n)
{
	struct cursor c = {text, text + n};
	unsigned int line = 1;

	while (c.at < c.end) {
		if (take(&c, "# HELP ")) {
			if (!take_help(&c, e))
				return line;
			line++;
		} else if (!take_series(&c, e)) {
			return line;
		}
		line++;
	}
	return e->family_count > 0 && e->families[e->family_count - 1].count == 0 ? line : 0;
}

void exposition_done(struct exposition *e)
{
	free(e->families);
	free(e->series);
	*e = (struct exposition)EXPOSITION_INIT;
}

const struct exposition_family *exposition_find(const struct exposition *e, const char *name)
{
	for (uint32_t i = 0; i < e->family_count; i++)
		if (strcmp(e->families[i].name, name) == 0)
			return &e->families[i];
	return NULL;
}

const char *exposition_label(const struct exposition_series *s, const char *name)
{
	for (unsigned int i = 0; i < s->label_count; i++)
		if (strcmp(s->labels[i].name, name) == 0)
			return s->labels[i].value;
	return NULL;
}

/* How many series the histogram at AT has, if it is whole; else 0. */
static uint32_t histogram_len(const struct exposition_series *at,
			      const struct exposition_series *end)
{
	const struct exposition_series *s = at;
	double bound = -1, count = 0;
	const char *le = "";

	for (; s < end && strcmp(le, "+Inf") != 0; s++) {
		le = exposition_label(s, "le");
		if (!le || strcmp(s->labels[s->label_count - 1].name, "le") != 0 ||
		    strtod(le, NULL) <= bound || s->value < count)
			return 0;
		bound = strtod(le, NULL);
		count = s->value;
	}
	if (end - s < 2 || strcmp(le, "+Inf") != 0 || s[1].value != count ||
	    !strstr(s[0].name, "_sum") || !strstr(s[1].name, "_count") ||
	    s[0].label_count != at->label_count - 1 || s[1].label_count != at->label_count - 1)
		return 0;
	return (uint32_t)(s + 2 - at);
}

uint32_t exposition_broken_histogram(const struct exposition *e)
{
	for (uint32_t i = 0; i < e->family_count; i++) {
		const struct exposition_family *f = &e->families[i];
		uint32_t end = f->first + f->count;

		for (uint32_t at = f->first; strcmp(f->type, "histogram") == 0 && at < end;) {
			uint32_t len = histogram_len(&e->series[at], &e->series[end]);

			if (len == 0)
				return at;
			at += len;
		}
	}
	return e->series_count;
}
