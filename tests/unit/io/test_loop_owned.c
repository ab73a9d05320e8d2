/* SPDX-License-Identifier: Apache-2.0 */
/* The loop's sources that own their descriptor: timers, signals, events. */
#include "daemon/io/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#include "daemon/io/clock.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"
#include "tests/support/test_support.h"

/* What a test waits at most for something that must come. */
#define PATIENCE_MS 10000

struct counted_timer {
	struct loop_timer timer;
	int calls;
	uint64_t expirations;
	bool ends; /* the callback ends the timer */
};

struct counted_signals {
	struct loop_signals signals;
	int calls;
	int last;
	bool ends;
};

struct counted_event {
	struct loop_event event;
	int calls;
	uint64_t count;
	bool ends;
};

TEST_SUITE(loop_owned);

static int open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 1000; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void timer_expired(struct loop_timer *timer, uint64_t expirations)
{
	struct counted_timer *t = container_of(timer, struct counted_timer, timer);

	t->calls++;
	t->expirations += expirations;
	if (t->ends)
		loop_timer_done(timer);
}

/* Waits until the timer has expired, without reading it. */
static void wait_expired(const struct loop_timer *timer)
{
	struct pollfd fd = {.fd = timer->source.fd, .events = POLLIN};

	cr_assert_eq(poll(&fd, 1, PATIENCE_MS), 1);
}

Test(loop_owned, timer)
{
	struct counted_timer t = {.timer = LOOP_OWNED_INIT};
	struct loop loop = LOOP_INIT;
	uint64_t start_ns;

	loop_timer_done(&t.timer);
	cr_assert_eq(loop_init(&loop), 0);
	cr_assert_eq(loop_timer_init(&t.timer, &loop, timer_expired), 0);
	cr_assert_eq(loop_turn(&loop, 0), 0, "not armed");

	cr_assert_eq(loop_timer_start(&t.timer, 0, 0), 0);
	cr_assert_eq(loop_turn(&loop, PATIENCE_MS), 1, "at once");
	cr_assert_eq(t.expirations, 1);
	cr_assert_eq(loop_turn(&loop, 5), 0, "and never again");

	start_ns = clock_monotonic_ns();
	cr_assert_eq(loop_timer_start(&t.timer, 3 * NSEC_PER_MSEC, NSEC_PER_MSEC), 0);
	while (t.expirations < 4)
		cr_assert_eq(loop_turn(&loop, PATIENCE_MS), 1);
	cr_assert_geq(clock_monotonic_ns() - start_ns, 5 * NSEC_PER_MSEC);

	loop_timer_cancel(&t.timer);
	cr_assert_eq(loop_turn(&loop, 5), 0, "cancelled");
	cr_assert_eq(loop_timer_start(&t.timer, UINT64_MAX, UINT64_MAX), 0);
	cr_assert_eq(loop_turn(&loop, 0), 0, "in a thousand years");
	loop_timer_done(&t.timer);
	loop_timer_done(&t.timer);
	loop_done(&loop);
}

Test(loop_owned, timer_is_late)
{
	struct counted_timer t = {.timer = LOOP_OWNED_INIT};
	struct loop loop = LOOP_INIT;
	uint64_t start_ns;

	cr_assert_eq(loop_init(&loop), 0);
	cr_assert_eq(loop_timer_init(&t.timer, &loop, timer_expired), 0);
	cr_assert_eq(loop_timer_start(&t.timer, NSEC_PER_MSEC, NSEC_PER_MSEC), 0);
	start_ns = clock_monotonic_ns();
	while (clock_monotonic_ns() - start_ns < 10 * NSEC_PER_MSEC)
		;
	cr_assert_eq(loop_turn(&loop, PATIENCE_MS), 1);
	cr_assert_eq(t.calls, 1);
	cr_assert_geq(t.expirations, 9);
	loop_timer_done(&t.timer);
	loop_done(&loop);
}

/* An expiration that was not yet read does not survive a cancellation or a new start. */
Test(loop_owned, timer_expired_but_cancelled)
{
	struct counted_timer t = {.timer = LOOP_OWNED_INIT};
	struct loop loop = LOOP_INIT;

	cr_assert_eq(loop_init(&loop), 0);
	cr_assert_eq(loop_timer_init(&t.timer, &loop, timer_expired), 0);
	cr_assert_eq(loop_timer_start(&t.timer, 0, 0), 0);
	wait_expired(&t.timer);
	loop_timer_cancel(&t.timer);
	cr_assert_eq(loop_turn(&loop, 0), 0);
	cr_assert_eq(loop_timer_start(&t.timer, 0, 0), 0);
	wait_expired(&t.timer);
	cr_assert_eq(loop_timer_start(&t.timer, 3600 * NSEC_PER_SEC, 0), 0);
	cr_assert_eq(loop_turn(&loop, 0), 0);
	cr_assert_eq(t.calls, 0);
	loop_timer_done(&t.timer);
	loop_done(&loop);
}

struct canceller {
	struct loop_timer timer;
	struct canceller *other;
	int calls;
};

static void cancel_other(struct loop_timer *timer, uint64_t expirations)
{
	struct canceller *c = container_of(timer, struct canceller, timer);

	(void)expirations;
	c->calls++;
	loop_timer_cancel(&c->other->timer);
}

/* The same within a turn: both are ready, and the first cancels the second. */
Test(loop_owned, timer_cancelled_in_the_same_turn)
{
	struct canceller a = {.timer = LOOP_OWNED_INIT},
			 b = {.timer = LOOP_OWNED_INIT, .other = &a};
	struct loop loop = LOOP_INIT;

	a.other = &b;
	cr_assert_eq(loop_init(&loop), 0);
	cr_assert_eq(loop_timer_init(&a.timer, &loop, cancel_other), 0);
	cr_assert_eq(loop_timer_init(&b.timer, &loop, cancel_other), 0);
	cr_assert_eq(loop_timer_start(&a.timer, 0, 0), 0);
	cr_assert_eq(loop_timer_start(&b.timer, 0, 0), 0);
	wait_expired(&a.timer);
	wait_expired(&b.timer);
	cr_assert_geq(loop_turn(&loop, 0), 1);
	cr_assert_eq(a.calls + b.calls, 1);
	loop_timer_done(&a.timer);
	loop_timer_done(&b.timer);
	loop_done(&loop);
}

static void signal_arrived(struct loop_signals *signals, int signal)
{
	struct counted_signals *s = container_of(signals, struct counted_signals, signals);

	s->calls++;
	s->last = signal;
	if (s->ends)
		loop_signals_done(signals);
}

Test(loop_owned, signals)
{
	struct counted_signals s = {.signals = LOOP_OWNED_INIT};
	struct loop loop = LOOP_INIT;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	cr_assert_eq(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	cr_assert_eq(loop_init(&loop), 0);
	cr_assert_eq(loop_signals_init(&s.signals, &loop, &set, signal_arrived), 0);
	cr_assert_eq(loop_turn(&loop, 0), 0);
	kill(getpid(), SIGHUP);
	cr_assert_eq(loop_turn(&loop, PATIENCE_MS), 1);
	cr_assert_eq(s.last, SIGHUP);
	kill(getpid(), SIGTERM);
	cr_assert_eq(loop_turn(&loop, PATIENCE_MS), 1);
	cr_assert_eq(s.last, SIGTERM);
	cr_assert_eq(s.calls, 2);

	/* Two wait, and the callback of the first ends it all. */
	s.ends = true;
	kill(getpid(), SIGHUP);
	kill(getpid(), SIGTERM);
	cr_assert_eq(loop_turn(&loop, PATIENCE_MS), 1);
	cr_assert_eq(s.calls, 3);
	cr_assert_eq(loop_turn(&loop, 0), 0);
	loop_signals_done(&s.signals);
	loop_done(&loop);
}

static void event_raised(struct loop_event *event, uint64_t count)
{
	struct counted_event *e = container_of(event, struct counted_event, event);

	e->calls++;
	e->count += count;
	if (e->ends)
		loop_event_done(event);
}

static void *raise_events(void *event)
{
	for (int i = 0; i < 1000; i++)
		loop_event_raise(event);
	return NULL;
}

Test(loop_owned, event_from_another_thread)
{
	struct counted_event e = {.event = LOOP_OWNED_INIT};
	struct loop loop = LOOP_INIT;
	pthread_t thread;

	cr_assert_eq(loop_init(&loop), 0);
	cr_assert_eq(loop_event_init(&e.event, &loop, event_raised), 0);
	cr_assert_eq(loop_turn(&loop, 0), 0);
	cr_assert_eq(pthread_create(&thread, NULL, raise_events, &e.event), 0);
	while (e.count < 1000)
		cr_assert_eq(loop_turn(&loop, PATIENCE_MS), 1);
	pthread_join(thread, NULL);
	cr_assert_eq(e.count, 1000);
	cr_assert_eq(loop_turn(&loop, 0), 0);

	loop_event_raise(&e.event);
	loop_event_raise(&e.event);
	e.calls = 0;
	cr_assert_eq(loop_turn(&loop, PATIENCE_MS), 1);
	cr_assert_eq(e.calls, 1, "what was raised twice is called once");
	cr_assert_eq(e.count, 1002);
	loop_event_done(&e.event);
	loop_event_done(&e.event);
	loop_done(&loop);
}

/* The count is at its end: nobody waits, and nothing is lost, for the event is raised. */
Test(loop_owned, event_that_is_full)
{
	struct counted_event e = {.event = LOOP_OWNED_INIT};
	struct loop loop = LOOP_INIT;
	const uint64_t most = UINT64_MAX - 1;

	cr_assert_eq(loop_init(&loop), 0);
	cr_assert_eq(loop_event_init(&e.event, &loop, event_raised), 0);
	cr_assert_eq(write(e.event.source.fd, &most, sizeof(most)), sizeof(most));
	errno = ENOENT;
	loop_event_raise(&e.event);
	cr_assert_eq(errno, ENOENT);
	cr_assert_eq(loop_turn(&loop, PATIENCE_MS), 1);
	cr_assert_eq(e.count, most);
	loop_event_done(&e.event);
	loop_done(&loop);
}

/* Owned descriptors are closed, also when the callback itself ends the source. */
Test(loop_owned, ends_within_its_callback)
{
	struct counted_timer t = {.timer = LOOP_OWNED_INIT, .ends = true};
	struct counted_event e = {.event = LOOP_OWNED_INIT, .ends = true};
	struct loop loop = LOOP_INIT;
	int before = open_fds();

	cr_assert_eq(loop_init(&loop), 0);
	cr_assert_eq(loop_timer_init(&t.timer, &loop, timer_expired), 0);
	cr_assert_eq(loop_event_init(&e.event, &loop, event_raised), 0);
	cr_assert_eq(loop_timer_start(&t.timer, 0, 1), 0);
	loop_event_raise(&e.event);
	while (t.calls + e.calls < 2)
		cr_assert_geq(loop_turn(&loop, PATIENCE_MS), 1);
	cr_assert_eq(loop_turn(&loop, 0), 0);
	loop_done(&loop);
	cr_assert_eq(open_fds(), before);
}

Test(loop_owned, failed_init_leaves_nothing)
{
	struct counted_timer t = {.timer = LOOP_OWNED_INIT};
	struct loop loop = LOOP_INIT;
	int before = open_fds();

	cr_assert_eq(loop_timer_init(&t.timer, &loop, timer_expired), -EBADF);
	cr_assert_eq(open_fds(), before);
	loop_timer_done(&t.timer);
}
