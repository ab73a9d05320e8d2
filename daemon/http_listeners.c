/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of listening sockets. A new set is whole before the old one is let go: what both have is
 * one socket with two descriptors, and what merely overlaps, which the kernel refuses beside a
 * socket that listens, is let in through SO_REUSEPORT for the moment of the bind.
 */
#include "daemon/http_listeners.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/util/cleanup.h"

/* As many as the host allows. A flood is over in milliseconds, since those inside make room, but a
 * SYN that finds the queue full comes again after a whole second.
 * No TCP_DEFER_ACCEPT, though it would keep silent clients out: with it the kernel counts the bare
 * third ACK of each connection as a drop of the listener, so our own stray drops would climb with
 * every scrape. */
#define BACKLOG SOMAXCONN

DEFINE_CLEANUP(struct http_listeners *, listeners, http_listeners_free);
#define _listeners_ _cleanup_(cleanup_listeners)

static int set_option(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int socket_new(const struct config_address *a, int *ret_fd)
{
	_close_ int fd = -1;
	int r;

	fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	r = set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (r == 0 && a->any.sa_family == AF_INET6)
		r = set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, !a->dual_stack);
	if (r < 0)
		return r;
	*ret_fd = take_fd(&fd);
	return 0;
}

/* Lets a socket bind where those of CURRENT that overlap with ADDRESS listen, or ends that.
 * Whether there are any. */
static bool set_reuse_port(const struct http_listeners *current,
			   const struct config_address *address, int value)
{
	bool any = false;

	for (unsigned int i = 0; current && i < current->count; i++) {
		if (!config_address_overlap(&current->items[i].bound, address))
			continue;
		any = true;
		set_option(current->items[i].fd, SOL_SOCKET, SO_REUSEPORT, value);
	}
	return any;
}

static int bind_and_listen(int fd, const struct config_address *a)
{
	if (bind(fd, &a->any, a->len) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	return 0;
}

/* With SO_REUSEPORT no longer than it takes, so that nobody else can slip in on it later. */
static int bind_beside(int fd, const struct config_address *a, const struct http_listeners *current)
{
	int r = -EADDRINUSE;

	if (set_reuse_port(current, a, 1) && set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1) == 0)
		r = bind_and_listen(fd, a);
	set_reuse_port(current, a, 0);
	set_option(fd, SOL_SOCKET, SO_REUSEPORT, 0);
	return r;
}

static void to_ipv4_wildcard(struct config_address *a)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = config_address_port(a)};

	a->in = in;
	a->len = sizeof(in);
	a->dual_stack = false;
}

static int listener_open(struct http_listener *l, const struct http_listeners *current)
{
	int r;

	l->bound = l->address;
	r = socket_new(&l->bound, &l->fd);
	if (r == -EAFNOSUPPORT && l->bound.dual_stack) {
		to_ipv4_wildcard(&l->bound);
		r = socket_new(&l->bound, &l->fd);
	}
	if (r < 0)
		return r;
	r = bind_and_listen(l->fd, &l->bound);
	if (r == -EADDRINUSE)
		r = bind_beside(l->fd, &l->bound, current);
	if (r < 0)
		return r;
	return getsockname(l->fd, &l->bound.any, &l->bound.len) < 0 ? -errno : 0;
}

static int listener_share(struct http_listener *l, const struct http_listener *current)
{
	l->bound = current->bound;
	l->fd = fcntl(current->fd, F_DUPFD_CLOEXEC, 0);
	return l->fd < 0 ? -errno : 0;
}

static int add(struct http_listeners *set, const char *text, const struct http_listeners *current)
{
	struct http_listener *l = &set->items[set->count];
	int r;

	r = config_address_parse(text, &l->address);
	if (r < 0)
		return r;
	for (unsigned int i = 0; i < set->count; i++)
		if (config_address_overlap(&l->address, &set->items[i].address))
			return -EADDRINUSE;
	l->fd = -1;
	l->source = (struct loop_source)LOOP_SOURCE_INIT;
	set->count++;
	for (unsigned int i = 0; current && i < current->count; i++)
		if (config_address_equal(&l->address, &current->items[i].address))
			return listener_share(l, &current->items[i]);
	return listener_open(l, current);
}

static struct http_listeners *new_set(unsigned int count)
{
	struct http_listeners *set = NULL;

	return calloc(1, sizeof(*set) + count * sizeof(set->items[0]));
}

int http_listeners_new(char *const *addresses, unsigned int count, struct http_listeners *current,
		       struct http_listeners **ret_listeners, unsigned int *ret_failed)
{
	_listeners_ struct http_listeners *set = NULL;
	int r;

	*ret_failed = 0;
	set = new_set(count);
	if (!set)
		return -ENOMEM;
	for (unsigned int i = 0; i < count; i++) {
		r = add(set, addresses[i], current);
		if (r < 0) {
			*ret_failed = i;
			return r;
		}
	}
	*ret_listeners = take_ptr(set);
	return 0;
}

/* An option of a socket; 0 where there is none such. */
static int get_option(int fd, int level, int option)
{
	socklen_t len = sizeof(int);
	int value = 0;

	return getsockopt(fd, level, option, &value, &len) < 0 ? 0 : value;
}

static int find_address(int fd, struct config_address *ret_address)
{
	struct config_address a = {.len = sizeof(a.in6)};

	if (getsockname(fd, &a.any, &a.len) < 0)
		return -errno;
	if (a.any.sa_family != AF_INET && a.any.sa_family != AF_INET6)
		return -EAFNOSUPPORT;
	if (get_option(fd, SOL_SOCKET, SO_TYPE) != SOCK_STREAM)
		return -EPROTOTYPE;
	if (!get_option(fd, SOL_SOCKET, SO_ACCEPTCONN))
		return -EINVAL;
	a.dual_stack = a.any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a.in6.sin6_addr) &&
		       !get_option(fd, IPPROTO_IPV6, IPV6_V6ONLY);
	*ret_address = a;
	return 0;
}

static int add_passed(struct http_listeners *set, int fd)
{
	struct http_listener *l = &set->items[set->count];
	int flags, r;

	r = find_address(fd, &l->address);
	if (r < 0)
		return r;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	l->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (l->fd < 0)
		return -errno;
	l->bound = l->address;
	l->source = (struct loop_source)LOOP_SOURCE_INIT;
	set->count++;
	return 0;
}

int http_listeners_adopt(int first, unsigned int count, struct http_listeners **ret_listeners,
			 unsigned int *ret_failed)
{
	_listeners_ struct http_listeners *set = new_set(count);
	int r;

	*ret_failed = 0;
	if (!set)
		return -ENOMEM;
	for (unsigned int i = 0; i < count; i++) {
		r = add_passed(set, first + (int)i);
		if (r < 0) {
			*ret_failed = i;
			return r;
		}
	}
	*ret_listeners = take_ptr(set);
	return 0;
}

void http_listeners_free(struct http_listeners *listeners)
{
	for (unsigned int i = 0; listeners && i < listeners->count; i++) {
		loop_source_remove(&listeners->items[i].source);
		cleanup_close(&listeners->items[i].fd);
	}
	free(listeners);
}

uint16_t http_listeners_port(const struct http_listeners *listeners, unsigned int index)
{
	return ntohs(config_address_port(&listeners->items[index].bound));
}
