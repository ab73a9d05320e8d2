/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP server: libmicrohttpd on a thread of its own, driven by our loop. We accept, so that
 * places, addresses, deadlines and EMFILE are ours to judge; libmicrohttpd parses and answers.
 * It knows routes, not metrics: what it hands out, a route renders. It never waits for anyone.
 */
#pragma once

#include <stdint.h>

#include "config/config.h"
#include "daemon/http_route.h"

struct http;
struct http_security;

struct http_limits {
	unsigned int connections;      /* places; the one that waited longest makes room */
	unsigned int per_address;      /* places of one remote address */
	unsigned int first_answers;    /* of route 0, under way at a time; 0: any number */
	uint64_t inactivity_ns;        /* nothing received or sent; in whole seconds, rounded up */
	uint64_t request_deadline_ns;  /* from accept, or the answer before, to a whole request */
	uint64_t response_deadline_ns; /* from the request to the last byte of the answer */
};

extern const struct http_limits http_limits_default;

struct http_settings {
	const struct http_route *routes; /* borrowed until http_free() */
	unsigned int route_count;
	http_observe_fn observe;
	void *observe_userdata;
	struct http_limits limits;
};

/* A set of bound, listening sockets, made before the server uses them. */
struct http_listeners;

/* Binds every address. Those that CURRENT (may be NULL) already has are shared with it, not bound
 * anew, and those that merely overlap with it (":17625" and "127.0.0.1:17625") are bound as well.
 * 0 or -errno, and then RET_FAILED is the index of the address at fault and nothing has changed. */
int http_listeners_new(char *const *addresses, unsigned int count, struct http_listeners *current,
		       struct http_listeners **ret_listeners, unsigned int *ret_failed);
/* Listens on COUNT descriptors from FIRST on, which stay the caller's: sockets that are bound and
 * listen, for IPv4 or IPv6. 0 or -errno, and then RET_FAILED is the one at fault. */
int http_listeners_adopt(int first, unsigned int count, struct http_listeners **ret_listeners,
			 unsigned int *ret_failed);
void http_listeners_free(struct http_listeners *listeners);
/* The port of socket INDEX, which is of use where port 0 was asked for. */
uint16_t http_listeners_port(const struct http_listeners *listeners, unsigned int index);

/* 0 or -errno. */
int http_new(const struct http_settings *settings, struct http **ret_http);
/* Takes the listeners over, and SECURITY, which may be NULL, and starts the thread. 0 or -errno,
 * and then they are the caller's. */
int http_start(struct http *h, struct http_listeners *listeners, struct http_security *security);
/* From another thread, while it runs: the server takes over LISTENERS (which may share sockets with
 * those it has; its old ones are let go), SECURITY, LIMITS and the path of route 0. When this
 * returns, all of it is in force for new connections; those that are there keep their TLS. PATH is
 * copied. 0 or -errno, and then nothing has changed. */
int http_configure(struct http *h, struct http_listeners *listeners, struct http_security *security,
		   const struct http_limits *limits, const char *path);
/* The listeners in use, for http_listeners_new(). */
struct http_listeners *http_current_listeners(struct http *h);
/* The path of route 0 as it is now. For a route's render function. */
const char *http_first_path(const struct http *h);
/* Accepts no more, lets answers under way end for up to GRACE_NS, and joins the thread. */
void http_stop(struct http *h, uint64_t grace_ns);
void http_free(struct http *h);

/* From any thread, while it runs: each route that has answered HTTP_PENDING is asked again. What
 * was written before the call is seen then. */
void http_resume(struct http *h);

/* From any thread. */
unsigned int http_connections(const struct http *h);
/* Monotonic time of the last turn of the server's loop, which turns at least once a second. */
uint64_t http_heartbeat_ns(const struct http *h);
