/* SPDX-License-Identifier: Apache-2.0 */
/* The server itself, for the files that it is made of. */
#pragma once

#include "daemon/http_answer.h"
#include "daemon/http_connections.h"
#include "daemon/http_gate.h"
#include "daemon/io/log.h"

struct http_client;
struct http_order;
TAILQ_HEAD(http_pending, http_client);

/* libmicrohttpd speaks one or the other. */
enum http_library_kind {
	HTTP_LIBRARY_PLAIN,
	HTTP_LIBRARY_TLS, /* started when it is first needed */
};

#define HTTP_LIBRARIES (HTTP_LIBRARY_TLS + 1)

struct http {
	struct http_routes routes;
	struct http_limits limits;
	char *path; /* of route 0, once configured */
	struct http_listeners *listeners;
	struct http_security *security; /* NULL: plain HTTP, open to everybody */

	/* http_daemon.c */
	struct http_library {
		struct MHD_Daemon *daemon; /* NULL: not started */
		struct loop_source source;
	} libraries[HTTP_LIBRARIES];
	struct http_connections connections;
	struct http_pending pending;  /* those that libmicrohttpd has suspended */
	struct http_client *arriving; /* on its way into libmicrohttpd */
	struct log_limit daemon_limit;
	struct http_gate gate;

	/* http_accept.c */
	struct loop_timer accept_pause;
	int reserve_fd; /* let go to accept, and end, a connection when descriptors run out */
	struct log_limit full_limit, accept_limit;

	/* http.c */
	struct loop loop;
	struct loop_event wake;
	pthread_t thread;
	bool running;
	bool stopping;
	uint64_t stop_by_ns;
	pthread_mutex_t order_lock;
	pthread_cond_t order_done;
	struct http_order *order; /* under the lock: what another thread wants done */

	_Atomic uint64_t heartbeat_ns;
	_Atomic unsigned int open_connections;
};

/* Before either kind is started; 0 or -errno. */
int http_daemon_init(struct http *h);
/* libmicrohttpd on our loop, of one kind, if that is not there yet. 0 or -errno. */
int http_daemon_start(struct http *h, enum http_library_kind kind);
void http_daemon_stop(struct http *h);
/* Which kind a new connection needs. */
enum http_library_kind http_daemon_kind(const struct http_security *security);
/* Lets it read, answer and write all that is possible now. */
void http_daemon_serve(struct http *h);
/* Asks for the answers that are pending. */
void http_daemon_resume(struct http *h);
/* Lets libmicrohttpd close what was pending and has been shut down. */
void http_daemon_reap(struct http *h);
/* When it wants to serve again, at most MAX_MS from now. */
unsigned int http_daemon_timeout_ms(struct http *h, unsigned int max_ms);
/* A new connection, for which there is a place. Takes FD over. */
void http_daemon_admit(struct http *h, int fd, const struct sockaddr *address, socklen_t len);

int http_accept_init(struct http *h);
void http_accept_done(struct http *h);
/* Waits on LISTENERS from now on. 0 or -errno, and then on none of them. */
int http_accept_attach(struct http *h, struct http_listeners *listeners);
void http_accept_detach(struct http_listeners *listeners);
/* Accepts what is established already: what is left when a socket is closed would be reset. */
void http_accept_drain(struct http *h, struct http_listeners *listeners);
