/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/loop.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "daemon/io/clock.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"

/* More sources than these are rarely ready at once; the rest comes with the next turn. */
#define EVENTS_PER_TURN 32

int loop_init(struct loop *loop)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0)
		return -errno;
	*loop = (struct loop){.epoll_fd = fd};
	return 0;
}

void loop_done(struct loop *loop)
{
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	*loop = (struct loop)LOOP_INIT;
}

int loop_turn(struct loop *loop, int timeout_ms)
{
	struct epoll_event events[EVENTS_PER_TURN];
	struct loop_source *source;
	int n, called = 0;

	assert(!loop->pending);
	n = epoll_wait(loop->epoll_fd, events, EVENTS_PER_TURN, timeout_ms);
	loop->awake_ns = clock_monotonic_ns();
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	loop->pending = events;
	loop->pending_count = n;
	for (int i = 0; i < n; i++) {
		source = events[i].data.ptr;
		if (!source)
			continue;
		source->fn(source, events[i].events);
		called++;
	}
	loop->pending = NULL;
	loop->pending_count = 0;
	return called;
}

int loop_source_add(struct loop *loop, struct loop_source *source, int fd, uint32_t events,
		    loop_source_fn fn)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return -errno;
	*source = (struct loop_source){.loop = loop, .fd = fd, .fn = fn};
	return 0;
}

int loop_source_modify(struct loop_source *source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	assert(source->loop);
	return epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_MOD, source->fd, &event) < 0 ? -errno
											: 0;
}

void loop_source_remove(struct loop_source *source)
{
	struct loop *loop = source->loop;

	if (!loop)
		return;
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
	for (int i = 0; i < loop->pending_count; i++)
		if (loop->pending[i].data.ptr == source)
			loop->pending[i].data.ptr = NULL;
	*source = (struct loop_source)LOOP_SOURCE_INIT;
}

/* Adds a source that owns FD, which is closed if that fails. FD may be -1: what made it failed, and
 * errno says why. */
static int source_add_owned(struct loop *loop, struct loop_source *source, int fd,
			    loop_source_fn fn)
{
	int r;

	if (fd < 0)
		return -errno;
	r = loop_source_add(loop, source, fd, EPOLLIN, fn);
	if (r < 0)
		close(fd);
	return r;
}

static void source_remove_owned(struct loop_source *source)
{
	int fd = source->fd;

	loop_source_remove(source);
	if (fd >= 0)
		close(fd);
}

uint64_t loop_timer_take(struct loop_timer *timer)
{
	uint64_t expirations;

	if (read(timer->source.fd, &expirations, sizeof(expirations)) != sizeof(expirations))
		return 0;
	return expirations;
}

static void timer_ready(struct loop_source *source, uint32_t events)
{
	struct loop_timer *timer = container_of(source, struct loop_timer, source);
	uint64_t expirations = loop_timer_take(timer);

	/* None: a callback of this turn has cancelled it or started it anew. */
	(void)events;
	if (expirations > 0)
		timer->fn(timer, expirations);
}

int loop_timer_init(struct loop_timer *timer, struct loop *loop, loop_timer_fn fn)
{
	*timer = (struct loop_timer)LOOP_OWNED_INIT;
	timer->fn = fn;
	return source_add_owned(loop, &timer->source,
				timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC),
				timer_ready);
}

static struct timespec timespec_of(uint64_t ns)
{
	return (struct timespec){.tv_sec = (time_t)(ns / NSEC_PER_SEC),
				 .tv_nsec = (long)(ns % NSEC_PER_SEC)};
}

int loop_timer_start(struct loop_timer *timer, uint64_t first_ns, uint64_t interval_ns)
{
	struct itimerspec spec = {
		.it_interval = timespec_of(interval_ns),
		/* Zero would disarm it. */
		.it_value = timespec_of(MAX(first_ns, 1)),
	};

	return timerfd_settime(timer->source.fd, 0, &spec, NULL) < 0 ? -errno : 0;
}

void loop_timer_cancel(struct loop_timer *timer)
{
	struct itimerspec spec = {0};

	timerfd_settime(timer->source.fd, 0, &spec, NULL);
}

void loop_timer_done(struct loop_timer *timer)
{
	source_remove_owned(&timer->source);
}

/* One signal a turn: the callback may end the source. */
static void signals_ready(struct loop_source *source, uint32_t events)
{
	struct loop_signals *signals = container_of(source, struct loop_signals, source);
	struct signalfd_siginfo received;

	(void)events;
	if (read(source->fd, &received, sizeof(received)) == sizeof(received))
		signals->fn(signals, (int)received.ssi_signo);
}

int loop_signals_init(struct loop_signals *signals, struct loop *loop, const sigset_t *set,
		      loop_signal_fn fn)
{
	*signals = (struct loop_signals)LOOP_OWNED_INIT;
	signals->fn = fn;
	return source_add_owned(loop, &signals->source,
				signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC), signals_ready);
}

void loop_signals_done(struct loop_signals *signals)
{
	source_remove_owned(&signals->source);
}

static void event_ready(struct loop_source *source, uint32_t events)
{
	struct loop_event *event = container_of(source, struct loop_event, source);
	uint64_t count;

	(void)events;
	if (read(source->fd, &count, sizeof(count)) == sizeof(count))
		event->fn(event, count);
}

int loop_event_init(struct loop_event *event, struct loop *loop, loop_event_fn fn)
{
	*event = (struct loop_event)LOOP_OWNED_INIT;
	event->fn = fn;
	return source_add_owned(loop, &event->source, eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC),
				event_ready);
}

void loop_event_raise(const struct loop_event *event)
{
	const uint64_t one = 1;
	int saved = errno;
	ssize_t n;

	/* It fails only if the count is at its end, and then the event is raised already. */
	n = write(event->source.fd, &one, sizeof(one));
	(void)n;
	errno = saved;
}

void loop_event_done(struct loop_event *event)
{
	source_remove_owned(&event->source);
}
