/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reloads that clients ask for: POST /-/reload. The server's thread leaves the order, sets the
 * request aside and goes on; the collector reloads as for SIGHUP, and has the requests answered.
 * Each is answered by a reload that began after it came, however many of them one reload answers;
 * so nothing is queued but what of the requests the server itself holds.
 */
#pragma once

#include <pthread.h>

#include "daemon/http.h"
#include "daemon/io/loop.h"

struct config_errors;
struct lifecycle;

/* On the collector's thread: some client waits for a reload. */
typedef void (*lifecycle_reload_fn)(struct lifecycle *l);

struct lifecycle {
	struct loop_event wanted; /* on the collector's loop, */
	struct loop_timer rest;   /* as this */
	bool is_resting;
	lifecycle_reload_fn reload;
	struct buf faults; /* of the reload that goes on; the collector's */

	pthread_mutex_t lock; /* of what follows */
	bool is_enabled, is_stopping;
	uint64_t begun, ended; /* how many reloads */
	uint64_t needed;       /* how many must have ended until nobody waits */
	bool went_well;        /* the last that ended; */
	struct buf answer;     /* if not, why */
};

#define LIFECYCLE_INIT                                              \
	{                                                           \
		.wanted = LOOP_OWNED_INIT, .rest = LOOP_OWNED_INIT, \
		.lock = PTHREAD_MUTEX_INITIALIZER                   \
	}

/* 0 or -errno. */
int lifecycle_init(struct lifecycle *l, struct loop *loop, lifecycle_reload_fn reload);
/* When the server has stopped. */
void lifecycle_done(struct lifecycle *l);
/* /-/reload, on the server's thread. */
struct http_route lifecycle_route(struct lifecycle *l);

/* The rest is for the collector's thread. Whether clients may ask; who has asked is answered. */
void lifecycle_enable(struct lifecycle *l, bool enabled);
/* Around each reload, whoever wants it. What was wrong with it is one line each time. */
void lifecycle_begin(struct lifecycle *l);
void lifecycle_fault(struct lifecycle *l, const char *format, ...) PRINTF_LIKE(2, 3);
/* As loading_say_fn: each that a file has. */
void lifecycle_faults(struct lifecycle *l, const char *path, const struct config_errors *errors,
		      int error);
/* Says any other -errno in the log too, and returns it. */
int lifecycle_fail(struct lifecycle *l, const char *what, int error);
void lifecycle_end(struct lifecycle *l, struct http *http, bool well);
/* No client has a reload begin in the next PAUSE_NS: each of them ends the polls that go on, so
 * that one who asks again and again would let none end. */
void lifecycle_rest(struct lifecycle *l, uint64_t pause_ns);
/* No reload will begin any more: who waits for one, and who comes, is told so. */
void lifecycle_stop(struct lifecycle *l, struct http *http);
