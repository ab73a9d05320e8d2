/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's connections: who gets a place, who makes room, whose time is up. It knows neither
 * HTTP nor libmicrohttpd: it is told when a request is whole and when an answer is out, and it
 * ends a connection only by shutdown(2), since the descriptor is another's to close.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "daemon/http.h"

enum http_phase {
	HTTP_WAITING,   /* for a whole request; a kept-alive one between two requests as well */
	HTTP_ANSWERING, /* from the whole request to the last byte of the answer */
	HTTP_LEAVING,   /* shut down, not yet closed; takes no place */
};

#define HTTP_PHASES (HTTP_LEAVING + 1)

struct http_connection {
	TAILQ_ENTRY(http_connection) link;
	enum http_phase phase;
	int fd;
	struct in6_addr remote; /* http_remote() */
	uint64_t since_ns;      /* begin of the phase */
};

TAILQ_HEAD(http_queue, http_connection);

struct http_connections {
	struct http_queue queues[HTTP_PHASES]; /* each in the order of since_ns, oldest first */
	unsigned int counts[HTTP_PHASES];
};

/* Who is counted as one address: IPv4 as a mapped address, however it came in. */
struct in6_addr http_remote(const struct sockaddr *address);

void http_connections_init(struct http_connections *c);
unsigned int http_connections_count(const struct http_connections *c);

/* CONNECTION is the caller's, and so is its fd, which must outlive it here. NOW_NS never falls
 * from call to call. */
void http_connections_add(struct http_connections *c, struct http_connection *connection, int fd,
			  const struct in6_addr *remote, uint64_t now_ns);
void http_connections_remove(struct http_connections *c, struct http_connection *connection);
/* Waiting or answering from now on; nothing if it is already leaving. */
void http_connections_enter(struct http_connections *c, struct http_connection *connection,
			    enum http_phase phase, uint64_t now_ns);

bool http_connections_have_room(const struct http_connections *c, const struct http_limits *limits,
				const struct in6_addr *remote);
/* Shuts down the one that has waited longest, of this address if the address has its limit, until
 * there is room for one more; where none waits, the one that has been answering longest, if for
 * more than two seconds. Whether there is room now. */
bool http_connections_make_room(struct http_connections *c, const struct http_limits *limits,
				const struct in6_addr *remote, uint64_t now_ns);
/* Shuts down those whose deadline has come; returns when the next one comes, or UINT64_MAX. */
uint64_t http_connections_expire(struct http_connections *c, const struct http_limits *limits,
				 uint64_t now_ns);
/* Shuts down one that waits, the longest first. False: none does. */
bool http_connections_shed(struct http_connections *c);
