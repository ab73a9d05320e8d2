/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's thread and what others may ask of it. All that it owns is touched on its thread
 * only; who wants something leaves an order, raises the event, and waits.
 */
#include "daemon/http.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/http_internal.h"
#include "daemon/io/clock.h"
#include "daemon/util/cleanup.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"

/* The heartbeat's promise; and libmicrohttpd wants to be run so often for its time-outs. */
#define TURN_MS_MAX 1000

const struct http_limits http_limits_default = {
	.connections = 64,
	.per_address = 16,
	.inactivity_ns = 10 * NSEC_PER_SEC,
	.request_deadline_ns = 15 * NSEC_PER_SEC,
	.response_deadline_ns = 30 * NSEC_PER_SEC,
};

struct http_order {
	bool stop;
	uint64_t grace_ns;
	struct http_listeners *listeners;
	const struct http_limits *limits;
	struct http_security *security;
	char *path;
	int result;
};

static void take_security(struct http *h, struct http_security *security)
{
	http_security_free(h->security);
	h->security = security;
	h->routes.headers = security ? security->headers : NULL;
}

static int configure(struct http *h, struct http_order *order)
{
	int r;

	r = http_daemon_start(h, http_daemon_kind(order->security));
	if (r == 0)
		r = http_accept_attach(h, order->listeners);
	if (r < 0)
		return r;
	h->limits = *order->limits;
	h->routes.first_max = h->limits.first_answers;
	http_accept_drain(h, h->listeners);
	http_listeners_free(h->listeners);
	take_security(h, order->security);
	h->listeners = order->listeners;
	free(h->path);
	h->path = order->path;
	h->routes.first_path = h->path;
	return 0;
}

static void begin_stop(struct http *h, const struct http_order *order)
{
	h->stopping = true;
	h->stop_by_ns = clock_monotonic_ns() + order->grace_ns;
	http_accept_drain(h, h->listeners);
	http_listeners_free(take_ptr(h->listeners));
}

static void take_order(struct loop_event *event, uint64_t count)
{
	struct http *h = container_of(event, struct http, wake);

	(void)count;
	pthread_mutex_lock(&h->order_lock);
	if (h->order && h->order->stop)
		begin_stop(h, h->order);
	else if (h->order)
		h->order->result = configure(h, h->order);
	h->order = NULL;
	pthread_cond_signal(&h->order_done);
	pthread_mutex_unlock(&h->order_lock);
	http_daemon_resume(h);
}

static void leave_order(struct http *h, struct http_order *order)
{
	pthread_mutex_lock(&h->order_lock);
	h->order = order;
	loop_event_raise(&h->wake);
	while (h->order)
		pthread_cond_wait(&h->order_done, &h->order_lock);
	pthread_mutex_unlock(&h->order_lock);
}

static int timeout_ms(struct http *h, uint64_t now_ns, uint64_t next_ns)
{
	uint64_t ms = TURN_MS_MAX;

	if (h->stopping)
		next_ns = MIN(next_ns, h->stop_by_ns);
	if (next_ns <= now_ns)
		return 0;
	/* Rounded up: what is due must be due when we look again. */
	ms = MIN(ms, (next_ns - now_ns) / NSEC_PER_MSEC + 1);
	return (int)http_daemon_timeout_ms(h, (unsigned int)ms);
}

/* What may go on while the server stops is answers. */
static bool is_done(struct http *h)
{
	if (!h->stopping)
		return false;
	while (http_connections_shed(&h->connections))
		;
	return h->connections.counts[HTTP_ANSWERING] == 0 || clock_monotonic_ns() >= h->stop_by_ns;
}

static void turn(struct http *h)
{
	uint64_t now_ns = clock_monotonic_ns();
	uint64_t next_ns;
	int r;

	atomic_store_explicit(&h->heartbeat_ns, now_ns, memory_order_relaxed);
	next_ns = http_connections_expire(&h->connections, &h->limits, now_ns);
	http_daemon_reap(h);
	r = loop_turn(&h->loop, timeout_ms(h, now_ns, next_ns));
	assert(r >= 0);
	http_daemon_serve(h);
}

static void *run(void *userdata)
{
	struct http *h = userdata;

	pthread_setname_np(pthread_self(), "http");
	while (!is_done(h))
		turn(h);
	return NULL;
}

int http_new(const struct http_settings *settings, struct http **ret_http)
{
	struct http *h;

	h = malloc(sizeof(*h));
	if (!h)
		return -ENOMEM;
	*h = (struct http){
		.routes = {.items = settings->routes,
			   .count = settings->route_count,
			   .first_max = settings->limits.first_answers,
			   .observe = settings->observe,
			   .observe_userdata = settings->observe_userdata},
		.limits = settings->limits,
		.accept_pause = LOOP_OWNED_INIT,
		.reserve_fd = -1,
		.loop = LOOP_INIT,
		.wake = LOOP_OWNED_INIT,
		.order_lock = PTHREAD_MUTEX_INITIALIZER,
		.order_done = PTHREAD_COND_INITIALIZER,
	};
	if (h->routes.count > 0)
		h->routes.first_path = h->routes.items[0].path;
	*ret_http = h;
	return 0;
}

static int open_parts(struct http *h, struct http_listeners *listeners)
{
	int r;

	r = loop_init(&h->loop);
	if (r == 0)
		r = loop_event_init(&h->wake, &h->loop, take_order);
	if (r == 0)
		r = http_accept_init(h);
	if (r == 0)
		r = http_daemon_init(h);
	if (r == 0)
		r = http_daemon_start(h, http_daemon_kind(h->security));
	return r < 0 ? r : http_accept_attach(h, listeners);
}

static void close_parts(struct http *h)
{
	http_daemon_stop(h);
	http_accept_done(h);
	loop_event_done(&h->wake);
	loop_done(&h->loop);
}

/* Signals are the collector's. */
static int start_thread(struct http *h)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = -pthread_create(&h->thread, NULL, run, h);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

int http_start(struct http *h, struct http_listeners *listeners, struct http_security *security)
{
	int r;

	assert(!h->running);
	h->stopping = false;
	h->listeners = listeners;
	take_security(h, security);
	atomic_store(&h->heartbeat_ns, clock_monotonic_ns());
	r = open_parts(h, listeners);
	if (r == 0)
		r = start_thread(h);
	h->running = r == 0;
	if (r < 0) {
		http_accept_detach(listeners);
		h->listeners = NULL;
		h->security = NULL;
		h->routes.headers = NULL;
		close_parts(h);
	}
	return r;
}

int http_configure(struct http *h, struct http_listeners *listeners, struct http_security *security,
		   const struct http_limits *limits, const char *path)
{
	struct http_order order = {.listeners = listeners, .security = security, .limits = limits};

	assert(h->running);
	order.path = strdup(path);
	if (!order.path)
		return -ENOMEM;
	leave_order(h, &order);
	if (order.result < 0)
		free(order.path);
	return order.result;
}

struct http_listeners *http_current_listeners(struct http *h)
{
	return h->listeners;
}

const char *http_first_path(const struct http *h)
{
	return h->routes.first_path;
}

void http_stop(struct http *h, uint64_t grace_ns)
{
	struct http_order order = {.stop = true, .grace_ns = grace_ns};

	if (!h->running)
		return;
	leave_order(h, &order);
	pthread_join(h->thread, NULL);
	h->running = false;
	close_parts(h);
}

void http_free(struct http *h)
{
	if (!h)
		return;
	http_stop(h, 0);
	http_security_free(h->security);
	free(h->path);
	free(h);
}

void http_resume(struct http *h)
{
	loop_event_raise(&h->wake);
}

unsigned int http_connections(const struct http *h)
{
	return atomic_load_explicit(&h->open_connections, memory_order_relaxed);
}

uint64_t http_heartbeat_ns(const struct http *h)
{
	return atomic_load_explicit(&h->heartbeat_ns, memory_order_relaxed);
}
