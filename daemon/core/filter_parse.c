/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar, by recursive descent. It is that of ss, but for one thing: where ss(8) says that
 * `or` binds less than `and`, ssfilter.y reads both from the left, so that neither reading is what
 * everybody means, and parentheses are asked for.
 */
#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/core/filter_host.h"
#include "daemon/core/filter_states.h"
#include "daemon/core/filter_token.h"
#include "daemon/util/cleanup.h"
#include "daemon/util/macros.h"

struct parser {
	const char *text;
	const struct filter_world *world;
	struct filter_error *error;
	struct filter *filter;
	uint32_t cap;
	struct filter_token token; /* the next that is to be read */
	unsigned int depth;
};

DEFINE_CLEANUP(struct filter *, filter, filter_free);

static int PRINTF_LIKE(3, 4)
	fail(struct parser *p, const struct filter_token *at, const char *format, ...)
{
	va_list args;

	p->error->at = (unsigned int)(at->text - p->text);
	p->error->len = (unsigned int)at->len;
	va_start(args, format);
	vsnprintf(p->error->what, sizeof(p->error->what), format, args);
	va_end(args);
	return -EINVAL;
}

static void advance(struct parser *p)
{
	p->token = filter_token_next(p->token.text + p->token.len);
}

/* The new node's place, or -errno. */
static int add(struct parser *p, const struct filter_node *node)
{
	struct filter *f = p->filter;
	uint32_t cap = MAX(8, p->cap * 2);
	struct filter_node *nodes;

	if (f->count == FILTER_NODES_MAX)
		return fail(p, &p->token, "this is more than a filter may hold");
	if (f->count == p->cap) {
		nodes = reallocarray(f->nodes, cap, sizeof(*nodes));
		if (!nodes)
			return -ENOMEM;
		f->nodes = nodes;
		p->cap = cap;
	}
	f->nodes[f->count] = *node;
	return f->count++;
}

static int add_pair(struct parser *p, enum filter_kind kind, int left, int right)
{
	return add(p, &(struct filter_node){
			      .kind = (uint8_t)kind,
			      .left = (uint16_t)left,
			      .right = (uint16_t)right,
		      });
}

/* The node, or what negates it. */
static int add_maybe_not(struct parser *p, const struct filter_node *node, bool negate)
{
	int place = add(p, node);

	return place < 0 || !negate ? place : add_pair(p, FILTER_NOT, place, 0);
}

static bool is_exclude(const struct filter_token *t)
{
	return filter_token_is(t, "exclude") || filter_token_is(t, "excl");
}

static bool begins_states(const struct filter_token *t)
{
	return filter_token_is(t, "state") || is_exclude(t);
}

/* Words of states that stand side by side are one, as for ss: each `state` adds to what was said
 * before, each `exclude` takes from it. */
static int parse_states(struct parser *p)
{
	struct filter_node node = {.kind = FILTER_STATE};
	bool is_first = true;

	while (begins_states(&p->token)) {
		bool exclude = is_exclude(&p->token);
		uint32_t states;

		advance(p);
		if (p->token.kind != FILTER_TOKEN_WORD)
			return fail(p, &p->token, "the name of a state is missing here");
		states = filter_states_find(&p->token);
		if (!states)
			return fail(p, &p->token, "'%.*s' is no state", (int)MIN(p->token.len, 40),
				    p->token.text);
		advance(p);
		if (is_first && exclude)
			node.states = FILTER_STATES_ALL;
		node.states = exclude ? node.states & ~states : node.states | states;
		is_first = false;
	}
	return add(p, &node);
}

/* The comparison that stands here, if one does; = needs not be written. */
static enum filter_token_kind take_compare(struct parser *p, struct filter_token *ret_at)
{
	enum filter_token_kind kind = p->token.kind;

	*ret_at = p->token;
	if (kind < FILTER_TOKEN_EQUAL)
		return FILTER_TOKEN_EQUAL;
	advance(p);
	return kind;
}

static int need_word(struct parser *p, const char *what)
{
	if (p->token.kind == FILTER_TOKEN_WORD)
		return 0;
	return fail(p, &p->token, "%s is missing here", what);
}

static int need_equality(struct parser *p, const struct filter_token *at,
			 enum filter_token_kind compare)
{
	if (compare == FILTER_TOKEN_EQUAL || compare == FILTER_TOKEN_NOT_EQUAL)
		return 0;
	return fail(p, at, "only = and != can be asked here");
}

static int parse_host(struct parser *p, bool is_remote)
{
	struct filter_node node = {.is_remote = is_remote};
	enum filter_token_kind compare;
	struct filter_token at;
	const char *fault;
	int r;

	compare = take_compare(p, &at);
	r = need_equality(p, &at, compare);
	if (r == 0)
		r = need_word(p, "an address or a port");
	if (r < 0)
		return r;
	fault = filter_host_parse(p->token.text, p->token.len, p->world, &node);
	if (fault)
		return fail(p, &p->token, "%s", fault);
	advance(p);
	return add_maybe_not(p, &node, compare == FILTER_TOKEN_NOT_EQUAL);
}

static int parse_port(struct parser *p, bool is_remote)
{
	struct filter_node node = {.is_remote = is_remote};
	enum filter_token_kind compare;
	struct filter_token at;
	const char *fault;
	int r;

	compare = take_compare(p, &at);
	r = need_word(p, "a port");
	if (r < 0)
		return r;
	fault = filter_port_parse(p->token.text, p->token.len, p->world, &node);
	if (fault)
		return fail(p, &p->token, "%s", fault);
	if (node.kind == FILTER_ANY)
		r = need_equality(p, &at, compare);
	if (r < 0)
		return r;
	advance(p);
	/* Less is not at least, and greater is not at most. */
	if (compare == FILTER_TOKEN_AT_LEAST || compare == FILTER_TOKEN_LESS)
		node.compare = FILTER_AT_LEAST;
	else if (compare == FILTER_TOKEN_AT_MOST || compare == FILTER_TOKEN_GREATER)
		node.compare = FILTER_AT_MOST;
	return add_maybe_not(p, &node,
			     compare == FILTER_TOKEN_NOT_EQUAL || compare == FILTER_TOKEN_LESS ||
				     compare == FILTER_TOKEN_GREATER);
}

/* A device or a cgroup. */
static int parse_name(struct parser *p, enum filter_kind kind)
{
	struct filter_node node = {.kind = (uint8_t)kind, .name = p->filter->names_len};
	enum filter_token_kind compare;
	struct filter_token at;
	int r;

	compare = take_compare(p, &at);
	r = need_equality(p, &at, compare);
	if (r == 0)
		r = need_word(p, kind == FILTER_DEVICE ? "a device" : "the path of a cgroup");
	if (r < 0)
		return r;
	if (kind == FILTER_DEVICE && p->token.len >= IF_NAMESIZE)
		return fail(p, &p->token, "the name of a device has at most %d characters",
			    IF_NAMESIZE - 1);
	if (kind == FILTER_CGROUP && *p->token.text != '/')
		return fail(p, &p->token, "the path of a cgroup must begin with '/'");
	memcpy(p->filter->names + node.name, p->token.text, p->token.len);
	p->filter->names_len = (uint16_t)(node.name + p->token.len + 1);
	advance(p);
	return add_maybe_not(p, &node, compare == FILTER_TOKEN_NOT_EQUAL);
}

static int parse_predicate(struct parser *p)
{
	const struct filter_token t = p->token;

	if (begins_states(&t))
		return parse_states(p);
	advance(p);
	if (filter_token_is(&t, "src"))
		return parse_host(p, false);
	if (filter_token_is(&t, "dst"))
		return parse_host(p, true);
	if (filter_token_is(&t, "sport"))
		return parse_port(p, false);
	if (filter_token_is(&t, "dport"))
		return parse_port(p, true);
	if (filter_token_is(&t, "dev"))
		return parse_name(p, FILTER_DEVICE);
	if (filter_token_is(&t, "cgroup"))
		return parse_name(p, FILTER_CGROUP);
	if (filter_token_is(&t, "autobound"))
		return add(p, &(struct filter_node){.kind = FILTER_AUTOBOUND});
	if (filter_token_is(&t, "fwmark"))
		return fail(p, &t, "the kernel shows marks to CAP_NET_ADMIN only");
	return fail(
		p, &t,
		"this is none of src, dst, sport, dport, dev, cgroup, autobound, state, exclude");
}

static int parse_list(struct parser *p, int left);

static int parse_operand(struct parser *p);

static int parse_inner(struct parser *p)
{
	struct filter_token open = p->token;
	int place;

	advance(p);
	if (open.kind == FILTER_TOKEN_NOT) {
		place = parse_operand(p);
		return place < 0 ? place : add_pair(p, FILTER_NOT, place, 0);
	}
	place = parse_operand(p);
	if (place >= 0)
		place = parse_list(p, place);
	if (place >= 0 && p->token.kind != FILTER_TOKEN_CLOSE)
		return fail(p, &open, "this is not closed");
	advance(p);
	return place;
}

static int parse_operand(struct parser *p)
{
	int place;

	if (p->token.kind == FILTER_TOKEN_WORD)
		return parse_predicate(p);
	if (p->token.kind != FILTER_TOKEN_NOT && p->token.kind != FILTER_TOKEN_OPEN)
		return fail(p, &p->token, "a predicate is missing here");
	if (p->depth == FILTER_DEPTH_MAX)
		return fail(p, &p->token, "this is nested too deeply");
	p->depth++;
	place = parse_inner(p);
	p->depth--;
	return place;
}

/* What follows LEFT, up to a closing parenthesis or the end. */
static int parse_list(struct parser *p, int left)
{
	enum filter_token_kind all = FILTER_TOKEN_END;

	while (left >= 0 && p->token.kind != FILTER_TOKEN_END &&
	       p->token.kind != FILTER_TOKEN_CLOSE) {
		struct filter_token at = p->token;
		bool is_written = at.kind == FILTER_TOKEN_AND || at.kind == FILTER_TOKEN_OR;
		enum filter_token_kind kind = is_written ? at.kind : FILTER_TOKEN_AND;
		int right;

		if (all != FILTER_TOKEN_END && kind != all)
			return fail(p, &at,
				    "'and' and 'or' side by side need parentheses: ss reads them "
				    "from the left, its manual says otherwise");
		all = kind;
		if (is_written)
			advance(p);
		right = parse_operand(p);
		if (right < 0)
			return right;
		left = add_pair(p, kind == FILTER_TOKEN_AND ? FILTER_AND : FILTER_OR, left, right);
	}
	return left;
}

/* States that come first limit the whole expression, which may be made of `or`. */
static int parse_whole(struct parser *p)
{
	bool has_states = begins_states(&p->token);
	int left = parse_operand(p), right;

	if (left < 0)
		return left;
	if (!has_states || p->token.kind == FILTER_TOKEN_AND || p->token.kind == FILTER_TOKEN_OR ||
	    p->token.kind == FILTER_TOKEN_END)
		return parse_list(p, left);
	right = parse_operand(p);
	if (right >= 0)
		right = parse_list(p, right);
	return right < 0 ? right : add_pair(p, FILTER_AND, left, right);
}

int filter_parse(const char *text, const struct filter_world *world, struct filter_error *ret_error,
		 struct filter **ret_filter)
{
	_cleanup_(cleanup_filter) struct filter *f = calloc(1, sizeof(*f));
	struct parser p = {.text = text, .world = world, .error = ret_error, .filter = f};
	size_t len = strlen(text);
	int r;

	if (!f)
		return -ENOMEM;
	p.token = filter_token_next(text);
	if (len > FILTER_TEXT_MAX)
		return fail(&p, &p.token, "a filter may have %d characters", FILTER_TEXT_MAX);
	/* Each name ends where a blank or the end of the text was. */
	f->names = calloc(1, len + 1);
	if (!f->names)
		return -ENOMEM;
	f->ephemeral_low = 1;
	r = parse_whole(&p);
	if (r >= 0 && p.token.kind != FILTER_TOKEN_END)
		r = fail(&p, &p.token, "nothing was opened that this could close");
	if (r < 0)
		return r;
	*ret_filter = take_ptr(f);
	return 0;
}
