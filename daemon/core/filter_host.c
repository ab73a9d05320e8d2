/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/filter_host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "daemon/util/parse_num.h"

/* Longer than any address with a prefix, and any name of a service. */
#define WORD_MAX 80

/* A part of the word, terminated. */
struct part {
	char text[WORD_MAX];
};

static bool take_part(const char *text, size_t n, struct part *ret_part)
{
	if (n >= sizeof(ret_part->text))
		return false;
	memcpy(ret_part->text, text, n);
	ret_part->text[n] = '\0';
	return true;
}

static const char *parse_port(const char *text, const struct filter_world *world,
			      struct filter_node *node)
{
	uint64_t number;
	int r = parse_u64(text, 0, UINT16_MAX, &number);

	if (r == -ERANGE)
		return "a port must not be above 65535";
	if (r == 0)
		node->port = (uint16_t)number;
	else if (!world->service || world->service(world->userdata, text, &node->port) < 0)
		return "this is no port, and no service of /etc/services";
	return NULL;
}

const char *filter_port_parse(const char *text, size_t n, const struct filter_world *world,
			      struct filter_node *node)
{
	struct part part;

	if (*text == ':') {
		text++;
		n--;
	}
	if (n == 0)
		return "a port must follow the colon";
	node->kind = n == 1 && *text == '*' ? FILTER_ANY : FILTER_PORT;
	if (node->kind == FILTER_ANY)
		return NULL;
	if (!take_part(text, n, &part))
		return "this is too long for a port";
	return parse_port(part.text, world, node);
}

/* Bits beyond the prefix are nobody's: neither the kernel nor ss looks at them. */
static const char *parse_prefix(const char *text, unsigned int most, struct filter_node *node)
{
	uint64_t bits;

	if (parse_u64(text, 0, most, &bits) < 0)
		return most == 32 ? "a prefix of IPv4 must be from 0 to 32"
				  : "a prefix of IPv6 must be from 0 to 128";
	node->prefix = (uint8_t)bits;
	return NULL;
}

static const char *parse_address(char *text, struct filter_node *node)
{
	char *slash = strchr(text, '/');
	unsigned int most;

	if (slash)
		*slash = '\0';
	if (inet_pton(AF_INET, text, node->address.bytes) == 1)
		node->family = AF_INET;
	else if (inet_pton(AF_INET6, text, node->address.bytes) == 1)
		node->family = AF_INET6;
	else
		return "this is no numeric address; names are not looked up";
	most = node->family == AF_INET ? 32 : 128;
	node->prefix = (uint8_t)most;
	return slash ? parse_prefix(slash + 1, most, node) : NULL;
}

/* What is in the brackets and, without them, the prefix behind. */
static bool take_bracketed(const char *text, const char *close, const char *end,
			   struct part *ret_part)
{
	size_t inner = (size_t)(close - text), rest = (size_t)(end - close - 1);

	if (inner + rest >= sizeof(ret_part->text))
		return false;
	memcpy(ret_part->text, text, inner);
	memcpy(ret_part->text + inner, close + 1, rest);
	ret_part->text[inner + rest] = '\0';
	return true;
}

static const char *split_bracketed(const char *text, const char *end, struct part *ret_address,
				   const char **ret_end)
{
	const char *close = memchr(text, ']', (size_t)(end - text));
	const char *colon;

	if (!close)
		return "the bracket is not closed";
	if (close + 1 < end && close[1] != '/' && close[1] != ':')
		return "a bracket is followed by a prefix or a port only";
	colon = memchr(close, ':', (size_t)(end - close));
	*ret_end = colon ? colon : end;
	return take_bracketed(text + 1, close, *ret_end, ret_address)
		       ? NULL
		       : "this is too long for an address";
}

/* Where the address ends: it may be in brackets, and have a prefix there or behind them. The colon
 * of a port is the last, which in an IPv6 address without brackets cannot be told. */
static const char *split(const char *text, size_t n, struct part *ret_address, const char **ret_end)
{
	const char *slash = memchr(text, '/', n), *end = text + n;
	const char *from = slash ? slash : text;
	const char *colon;

	if (*text == '[')
		return split_bracketed(text, end, ret_address, ret_end);
	colon = memchr(from, ':', (size_t)(end - from));
	if (colon && memchr(colon + 1, ':', (size_t)(end - colon - 1)))
		return "an IPv6 address must be in brackets, or have a prefix";
	*ret_end = colon ? colon : end;
	return take_part(text, (size_t)(*ret_end - text), ret_address)
		       ? NULL
		       : "this is too long for an address";
}

const char *filter_host_parse(const char *text, size_t n, const struct filter_world *world,
			      struct filter_node *node)
{
	struct part address;
	const char *end, *fault;
	bool is_any;

	fault = split(text, n, &address, &end);
	if (fault)
		return fault;
	is_any = address.text[0] == '\0' || strcmp(address.text, "*") == 0;
	if (*text == '[' && address.text[0] == '\0')
		return "there is no address in the brackets";
	if (!is_any) {
		fault = parse_address(address.text, node);
		if (fault)
			return fault;
	}
	n -= (size_t)(end - text);
	node->has_port = n > 0 && !(n == 2 && end[1] == '*') && n != 1;
	if (n == 1 && is_any && end == text)
		return "there is neither an address nor a port";
	if (node->has_port) {
		fault = filter_port_parse(end, n, world, node);
		if (fault)
			return fault;
	}
	if (!is_any)
		node->kind = FILTER_HOST;
	else
		node->kind = node->has_port ? FILTER_PORT : FILTER_ANY;
	return NULL;
}
