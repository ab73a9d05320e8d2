/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accepting. The kernel's queue is always emptied: who comes when all places are taken gets the
 * place of the one that has waited longest, and who comes when descriptors have run out is let in
 * on the reserve and out again. So nobody waits behind clients that say nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/http_internal.h"
#include "daemon/http_listeners.h"
#include "daemon/io/clock.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"

/* Between two turns, so that a flood does not keep the loop from its deadlines. */
#define ACCEPTS_PER_TURN 64
/* More than the queue holds; who comes meanwhile must not keep us. */
#define ACCEPTS_PER_DRAIN (2 * SOMAXCONN)
/* When accepting fails for want of something: the cause seldom ends within a turn, and the queue
 * stays readable, so waiting on it would spin. */
#define ACCEPT_PAUSE_NS (100 * NSEC_PER_MSEC)
#define LOG_PERIOD_NS   (60 * NSEC_PER_SEC)

union remote_address {
	struct sockaddr any;
	struct sockaddr_storage storage;
};

static int reserve_open(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void set_events(struct http_listeners *listeners, uint32_t events)
{
	for (unsigned int i = 0; listeners && i < listeners->count; i++)
		if (listeners->items[i].source.loop)
			loop_source_modify(&listeners->items[i].source, events);
}

static void resume(struct loop_timer *timer, uint64_t expirations)
{
	struct http *h = container_of(timer, struct http, accept_pause);

	(void)expirations;
	if (h->reserve_fd < 0)
		h->reserve_fd = reserve_open();
	set_events(h->listeners, EPOLLIN);
}

/* No descriptor is left: the first in the queue is told so by an end, not by silence, and the one
 * that has waited longest gives back its own. */
static void turn_away(struct http *h, int listening_fd)
{
	int fd;

	if (h->reserve_fd >= 0) {
		close(h->reserve_fd);
		fd = accept4(listening_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0)
			close(fd);
		h->reserve_fd = reserve_open();
	}
	http_connections_shed(&h->connections);
}

static void warn_accept(struct http *h, int error)
{
	uint64_t held_back;
	char quoted[128];

	if (log_limit_pass(&h->accept_limit, clock_monotonic_ns(), &held_back))
		log_warn("cannot accept HTTP connections", "error=%s held_back=%" PRIu64,
			 log_quote(strerrordesc_np(error), quoted, sizeof(quoted)), held_back);
}

/* Whether to go on accepting. */
static bool accept_failed(struct http *h, int listening_fd, int error)
{
	if (error == EINTR || error == ECONNABORTED)
		return true;
	if (error == EAGAIN)
		return false;
	warn_accept(h, error);
	if (error == EMFILE || error == ENFILE)
		turn_away(h, listening_fd);
	set_events(h->listeners, 0);
	loop_timer_start(&h->accept_pause, ACCEPT_PAUSE_NS, 0);
	return false;
}

static void warn_full(struct http *h, const char *what, uint64_t now_ns)
{
	uint64_t held_back;

	if (log_limit_pass(&h->full_limit, now_ns, &held_back))
		log_warn(what, "connections=%u limit=%u per_address=%u held_back=%" PRIu64,
			 http_connections_count(&h->connections), h->limits.connections,
			 h->limits.per_address, held_back);
}

/* A place for REMOTE. What has arrived is read first: a request is answered before its connection
 * is judged, and connections come with their first bytes; so only the slow lose a place. */
static bool find_place(struct http *h, const struct in6_addr *remote)
{
	uint64_t now_ns;

	if (http_connections_have_room(&h->connections, &h->limits, remote))
		return true;
	http_daemon_serve(h);
	now_ns = clock_monotonic_ns();
	if (http_connections_have_room(&h->connections, &h->limits, remote))
		return true;
	if (http_connections_make_room(&h->connections, &h->limits, remote, now_ns)) {
		warn_full(h, "HTTP connections are many, the longest idle one made room", now_ns);
		return true;
	}
	warn_full(h, "HTTP connections are many, a new one was refused", now_ns);
	return false;
}

static bool accept_one(struct http *h, int listening_fd)
{
	union remote_address address = {0};
	socklen_t len = sizeof(address);
	struct in6_addr remote;
	int fd;

	fd = accept4(listening_fd, &address.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return accept_failed(h, listening_fd, errno);
	remote = http_remote(&address.any);
	if (find_place(h, &remote))
		http_daemon_admit(h, fd, &address.any, len);
	else
		close(fd);
	return true;
}

static void accept_ready(struct loop_source *source, uint32_t events)
{
	struct http_listener *l = container_of(source, struct http_listener, source);

	(void)events;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++)
		if (!accept_one(l->server, l->fd))
			break;
}

int http_accept_init(struct http *h)
{
	h->full_limit.period_ns = LOG_PERIOD_NS;
	h->accept_limit.period_ns = LOG_PERIOD_NS;
	h->reserve_fd = reserve_open();
	if (h->reserve_fd < 0)
		return -errno;
	return loop_timer_init(&h->accept_pause, &h->loop, resume);
}

void http_accept_done(struct http *h)
{
	loop_timer_done(&h->accept_pause);
	if (h->reserve_fd >= 0)
		close(h->reserve_fd);
	h->reserve_fd = -1;
}

void http_accept_detach(struct http_listeners *listeners)
{
	for (unsigned int i = 0; i < listeners->count; i++)
		loop_source_remove(&listeners->items[i].source);
}

int http_accept_attach(struct http *h, struct http_listeners *listeners)
{
	struct http_listener *l;
	int r;

	for (unsigned int i = 0; i < listeners->count; i++) {
		l = &listeners->items[i];
		l->server = h;
		r = loop_source_add(&h->loop, &l->source, l->fd, EPOLLIN, accept_ready);
		if (r < 0) {
			http_accept_detach(listeners);
			return r;
		}
	}
	return 0;
}

void http_accept_drain(struct http *h, struct http_listeners *listeners)
{
	for (unsigned int i = 0; i < listeners->count; i++)
		for (int n = 0; n < ACCEPTS_PER_DRAIN; n++)
			if (!accept_one(h, listeners->items[i].fd))
				break;
}
