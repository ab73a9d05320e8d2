/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop of one thread: epoll with sources that are embedded in their owners. A source
 * finds its owner with container_of(). Nothing here allocates; a source must be removed (or the
 * descriptor's owner done) before its memory goes away, also from within any callback.
 */
#pragma once

#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>

struct loop_source;
struct loop_timer;
struct loop_signals;
struct loop_event;

/* EVENTS are epoll's. */
typedef void (*loop_source_fn)(struct loop_source *source, uint32_t events);
/* EXPIRATIONS ≥ 1: more than one says that the loop came late. */
typedef void (*loop_timer_fn)(struct loop_timer *timer, uint64_t expirations);
typedef void (*loop_signal_fn)(struct loop_signals *signals, int signal);
/* COUNT: how often the event was raised since the last call. */
typedef void (*loop_event_fn)(struct loop_event *event, uint64_t count);

struct loop {
	int epoll_fd;
	struct epoll_event *pending; /* this turn's events, so that a removal can strike them out */
	int pending_count;
	uint64_t awake_ns; /* monotonic: when the wait of this turn, or of the last, ended */
};

struct loop_source {
	struct loop *loop; /* NULL while not added */
	int fd;            /* borrowed */
	loop_source_fn fn;
};

struct loop_timer {
	struct loop_source source; /* owns its timerfd */
	loop_timer_fn fn;
};

struct loop_signals {
	struct loop_source source; /* owns its signalfd */
	loop_signal_fn fn;
};

struct loop_event {
	struct loop_source source; /* owns its eventfd */
	loop_event_fn fn;
};

#define LOOP_INIT              \
	{                      \
		.epoll_fd = -1 \
	}
#define LOOP_SOURCE_INIT \
	{                \
		.fd = -1 \
	}
#define LOOP_OWNED_INIT                    \
	{                                  \
		.source = LOOP_SOURCE_INIT \
	}

/* All fallible functions here return 0 or -errno. */
int loop_init(struct loop *loop);
void loop_done(struct loop *loop);
/* Waits up to TIMEOUT_MS (−1: without end) and calls the sources that have something: one turn.
 * Returns the number of sources called (0 on time-out or an interrupting signal) or -errno. */
int loop_turn(struct loop *loop, int timeout_ms);

int loop_source_add(struct loop *loop, struct loop_source *source, int fd, uint32_t events,
		    loop_source_fn fn);
int loop_source_modify(struct loop_source *source, uint32_t events);
/* May be called on a source that was never added. */
void loop_source_remove(struct loop_source *source);

/* A timer on the monotonic clock, not yet armed. */
int loop_timer_init(struct loop_timer *timer, struct loop *loop, loop_timer_fn fn);
/* Fires FIRST_NS from now (0: at once), then each INTERVAL_NS (0: never again). */
int loop_timer_start(struct loop_timer *timer, uint64_t first_ns, uint64_t interval_ns);
void loop_timer_cancel(struct loop_timer *timer);
/* How often it has fired since its callback was last called, which then is not called for these. */
uint64_t loop_timer_take(struct loop_timer *timer);
void loop_timer_done(struct loop_timer *timer);

/* The signals of SET must already be blocked in every thread. */
int loop_signals_init(struct loop_signals *signals, struct loop *loop, const sigset_t *set,
		      loop_signal_fn fn);
void loop_signals_done(struct loop_signals *signals);

int loop_event_init(struct loop_event *event, struct loop *loop, loop_event_fn fn);
/* From any thread, and from a signal handler. */
void loop_event_raise(const struct loop_event *event);
void loop_event_done(struct loop_event *event);
