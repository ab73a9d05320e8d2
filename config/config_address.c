/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "daemon/util/parse_num.h"

/* The interface of "fe80::1%eth0" by its number or its name; 0: there is none. */
static uint32_t parse_scope(const char *text)
{
	uint64_t n;

	if (parse_u64(text, 1, UINT32_MAX, &n) == 0)
		return (uint32_t)n;
	/* A name may be any bytes; such a one can still be given by its number. */
	if (text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")])
		return 0;
	return if_nametoindex(text);
}

static int parse_ipv4(const char *host, in_port_t port, struct config_address *ret_address)
{
	struct config_address a = {.in = {.sin_family = AF_INET, .sin_port = port}};

	if (inet_pton(AF_INET, host, &a.in.sin_addr) != 1)
		return -EINVAL;
	a.len = sizeof(a.in);
	*ret_address = a;
	return 0;
}

static int parse_ipv6(char *host, in_port_t port, struct config_address *ret_address)
{
	struct config_address a = {.in6 = {.sin6_family = AF_INET6, .sin6_port = port}};
	char *scope = strchr(host, '%');

	if (scope)
		*scope++ = '\0';
	if (inet_pton(AF_INET6, host, &a.in6.sin6_addr) != 1)
		return -EINVAL;
	/* A mapped address cannot be bound by a socket that takes IPv6 only: it is an IPv4 one. */
	if (IN6_IS_ADDR_V4MAPPED(&a.in6.sin6_addr))
		return -EINVAL;
	/* The kernel binds a link-local address only with its interface, and ignores it elsewhere.
	 */
	if (IN6_IS_ADDR_LINKLOCAL(&a.in6.sin6_addr) != (scope != NULL))
		return -EINVAL;
	if (scope) {
		a.in6.sin6_scope_id = parse_scope(scope);
		if (a.in6.sin6_scope_id == 0)
			return -EINVAL;
	}
	a.len = sizeof(a.in6);
	*ret_address = a;
	return 0;
}

/* The host part is FROM up to END, in brackets if it is IPv6. */
static int parse_host(const char *from, const char *end, in_port_t port,
		      struct config_address *ret_address)
{
	char host[INET6_ADDRSTRLEN + IF_NAMESIZE + 1];
	bool bracketed = from[0] == '[';
	size_t n;

	if (bracketed) {
		if (*--end != ']')
			return -EINVAL;
		from++;
	}
	n = (size_t)(end - from);
	if (n >= sizeof(host))
		return -EINVAL;
	memcpy(host, from, n);
	host[n] = '\0';
	return bracketed ? parse_ipv6(host, port, ret_address)
			 : parse_ipv4(host, port, ret_address);
}

int config_address_parse(const char *text, struct config_address *ret_address)
{
	const char *colon = strrchr(text, ':');
	uint64_t port;

	if (!colon || parse_u64(colon + 1, 0, UINT16_MAX, &port) < 0)
		return -EINVAL;
	if (colon > text)
		return parse_host(text, colon, htons((uint16_t)port), ret_address);
	*ret_address = (struct config_address){
		.in6 = {.sin6_family = AF_INET6,
			.sin6_port = htons((uint16_t)port),
			.sin6_addr = in6addr_any},
		.len = sizeof(struct sockaddr_in6),
		.dual_stack = true,
	};
	return 0;
}

in_port_t config_address_port(const struct config_address *a)
{
	return a->any.sa_family == AF_INET6 ? a->in6.sin6_port : a->in.sin_port;
}

static bool is_wildcard(const struct config_address *a)
{
	if (a->any.sa_family == AF_INET6)
		return IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
	return a->in.sin_addr.s_addr == htonl(INADDR_ANY);
}

static bool same_host(const struct config_address *a, const struct config_address *b)
{
	if (a->any.sa_family != b->any.sa_family)
		return false;
	if (a->any.sa_family == AF_INET6)
		return IN6_ARE_ADDR_EQUAL(&a->in6.sin6_addr, &b->in6.sin6_addr) &&
		       a->in6.sin6_scope_id == b->in6.sin6_scope_id;
	return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
}

bool config_address_equal(const struct config_address *a, const struct config_address *b)
{
	return same_host(a, b) && config_address_port(a) == config_address_port(b) &&
	       a->dual_stack == b->dual_stack;
}

bool config_address_overlap(const struct config_address *a, const struct config_address *b)
{
	if (config_address_port(a) != config_address_port(b) || config_address_port(a) == 0)
		return false;
	if (a->any.sa_family != b->any.sa_family)
		return a->dual_stack || b->dual_stack;
	return is_wildcard(a) || is_wildcard(b) || same_host(a, b);
}
