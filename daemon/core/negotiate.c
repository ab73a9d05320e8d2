/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/negotiate.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "daemon/util/macros.h"

/* Weights are thousandths; without one it is 1. */
#define WEIGHT_MAX 1000

struct span {
	const char *text;
	size_t len;
};

/* One of the ranges of a field, "type/subtype;version=1.0.0;q=0.5". */
struct range {
	struct span type, subtype;   /* a coding has no subtype */
	struct span version;         /* without quotes; empty: any */
	struct span proto, encoding; /* the same */
	unsigned int weight;
};

/* How well a range fits an offer. */
enum fit {
	FIT_NONE,
	FIT_ANY,  /* anything */
	FIT_TYPE, /* all subtypes of a type */
	FIT_NAME,
	FIT_VERSION,
};

static const struct offer {
	const char *type, *subtype;
	const char *versions[3]; /* that the format may be taken for, up to a NULL */
	bool is_delimited;       /* it is for who wants this message in this encoding */
} offers[] = {
	[NEGOTIATE_TEXT] = {"text", "plain", {"0.0.4", "1.0.0"}},
	[NEGOTIATE_OPENMETRICS] = {"application", "openmetrics-text", {"1.0.0"}},
	[NEGOTIATE_PROTOBUF] = {"application", "vnd.google.protobuf", .is_delimited = true},
};

static struct span trim(struct span s)
{
	while (s.len > 0 && strchr(" \t", *s.text)) {
		s.text++;
		s.len--;
	}
	while (s.len > 0 && strchr(" \t", s.text[s.len - 1]))
		s.len--;
	return s;
}

/* Takes what stands before the next SEPARATOR outside of quotes; false at the end. */
static bool take(const char **text, char separator, struct span *ret_part)
{
	const char *p = *text;
	bool quoted = false;

	if (!p)
		return false;
	while (*p && (quoted || *p != separator)) {
		quoted ^= *p == '"';
		p++;
	}
	*ret_part = trim((struct span){*text, (size_t)(p - *text)});
	*text = *p ? p + 1 : NULL;
	return true;
}

/* The same of a piece of text that is not terminated. */
static bool take_piece(struct span *rest, char separator, struct span *ret_part)
{
	const char *p;

	if (!rest->text)
		return false;
	p = memchr(rest->text, separator, rest->len);
	*ret_part = trim((struct span){rest->text, p ? (size_t)(p - rest->text) : rest->len});
	if (p)
		*rest = (struct span){p + 1, rest->len - (size_t)(p + 1 - rest->text)};
	else
		rest->text = NULL;
	return true;
}

static bool is(struct span s, const char *word)
{
	return s.len == strlen(word) && strncasecmp(s.text, word, s.len) == 0;
}

/* "1", "0.25": at most three decimals count. What is no weight is none: nothing is asked for. */
static unsigned int parse_weight(struct span s)
{
	unsigned int weight = 0, place = WEIGHT_MAX;

	for (size_t i = 0; i < s.len; i++) {
		if (i == 1 && s.text[i] == '.')
			continue;
		if (s.text[i] < '0' || s.text[i] > '9')
			return 0;
		weight += place * (unsigned int)(s.text[i] - '0');
		place /= 10;
	}
	return MIN(weight, WEIGHT_MAX);
}

static void parse_parameter(struct range *r, struct span parameter)
{
	struct span rest = parameter, name = {0}, value = {0};

	take_piece(&rest, '=', &name);
	take_piece(&rest, '=', &value);
	if (value.len >= 2 && value.text[0] == '"' && value.text[value.len - 1] == '"')
		value = (struct span){value.text + 1, value.len - 2};
	if (is(name, "q"))
		r->weight = parse_weight(value);
	else if (is(name, "version"))
		r->version = value;
	else if (is(name, "proto"))
		r->proto = value;
	else if (is(name, "encoding"))
		r->encoding = value;
}

static struct range parse_range(struct span text)
{
	struct range r = {.weight = WEIGHT_MAX};
	struct span rest = text, part = {0};

	take_piece(&rest, ';', &part);
	take_piece(&part, '/', &r.type);
	if (part.text)
		r.subtype = trim(part);
	while (take_piece(&rest, ';', &part))
		parse_parameter(&r, part);
	return r;
}

static enum fit fit_version(const struct offer *o, const struct range *r)
{
	if (o->is_delimited)
		return is(r->proto, "io.prometheus.client.MetricFamily") &&
				       is(r->encoding, "delimited")
			       ? FIT_VERSION
			       : FIT_NONE;
	if (r->version.len == 0)
		return FIT_NAME;
	for (unsigned int i = 0; i < ARRAY_SIZE(o->versions) && o->versions[i]; i++)
		if (is(r->version, o->versions[i]))
			return FIT_VERSION;
	return FIT_NONE;
}

static enum fit fit(const struct offer *o, const struct range *r)
{
	if (is(r->type, "*"))
		return FIT_ANY;
	if (!is(r->type, o->type))
		return FIT_NONE;
	if (is(r->subtype, "*"))
		return FIT_TYPE;
	return is(r->subtype, o->subtype) ? fit_version(o, r) : FIT_NONE;
}

/* The weight of the range that fits best; of two that fit as well, the higher. */
static unsigned int weigh(const struct offer *o, const char *accept, enum fit *ret_fit)
{
	unsigned int weight = 0;
	struct span part;

	*ret_fit = FIT_NONE;
	while (take(&accept, ',', &part)) {
		struct range r = parse_range(part);
		enum fit f = fit(o, &r);

		if (f == FIT_NONE || f < *ret_fit)
			continue;
		weight = f == *ret_fit ? MAX(weight, r.weight) : r.weight;
		*ret_fit = f;
	}
	return weight;
}

enum negotiate_format negotiate_format(const char *accept)
{
	enum fit text_fit, f;
	unsigned int best = weigh(&offers[NEGOTIATE_TEXT], accept, &text_fit);
	enum negotiate_format format = NEGOTIATE_TEXT;

	for (unsigned int i = NEGOTIATE_TEXT + 1; i < NEGOTIATE_FORMAT_END; i++) {
		unsigned int weight = weigh(&offers[i], accept, &f);

		if (f >= FIT_NAME && weight >= best + (i == NEGOTIATE_PROTOBUF) && weight > 0) {
			best = weight;
			format = i;
		}
	}
	return format;
}

bool negotiate_gzip(const char *accept_encoding)
{
	bool named = false, allowed = false;
	struct span part;

	while (take(&accept_encoding, ',', &part)) {
		struct range r = parse_range(part);

		if (is(r.type, "gzip") || is(r.type, "x-gzip")) {
			named = true;
			allowed = r.weight > 0;
		} else if (is(r.type, "*") && !named) {
			allowed = r.weight > 0;
		}
	}
	return allowed;
}
