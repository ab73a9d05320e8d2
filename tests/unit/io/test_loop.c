/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/time.h>
#include <unistd.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

/* What a test waits at most for something that must come. */
#define PATIENCE_MS 10000
#define SOURCES     40

/* A pipe whose read end is watched. */
struct watched {
	struct loop_source source;
	int fds[2];
	int calls;
	uint32_t events;
	struct watched *victim; /* removed by the callback, if any */
	bool again;             /* the victim is added anew at once */
};

TEST_SUITE(loop);

static void watched_ready(struct loop_source *source, uint32_t events)
{
	struct watched *w = container_of(source, struct watched, source);
	struct loop *loop = source->loop;

	w->calls++;
	w->events = events;
	if (!w->victim)
		return;
	loop_source_remove(&w->victim->source);
	if (w->again)
		cr_assert_eq(loop_source_add(loop, &w->victim->source, w->victim->fds[0], EPOLLIN,
					     watched_ready),
			     0);
}

static void watched_init(struct watched *w, struct loop *loop)
{
	*w = (struct watched){.source = LOOP_SOURCE_INIT};
	cr_assert_eq(pipe2(w->fds, O_NONBLOCK | O_CLOEXEC), 0);
	cr_assert_eq(loop_source_add(loop, &w->source, w->fds[0], EPOLLIN, watched_ready), 0);
}

static void watched_done(struct watched *w)
{
	loop_source_remove(&w->source);
	close(w->fds[0]);
	if (w->fds[1] >= 0)
		close(w->fds[1]);
}

static void watched_fill(struct watched *w)
{
	cr_assert_eq(write(w->fds[1], "x", 1), 1);
}

static int open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 1000; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

Test(loop, nothing_to_do)
{
	struct loop loop = LOOP_INIT;
	int before = open_fds();

	loop_done(&loop);
	cr_assert_eq(loop_init(&loop), 0);
	cr_assert_eq(loop_turn(&loop, 0), 0);
	cr_assert_eq(loop_turn(&loop, 1), 0);
	loop_done(&loop);
	loop_done(&loop);
	cr_assert_eq(open_fds(), before);
}

Test(loop, source)
{
	struct loop loop = LOOP_INIT;
	struct watched w;

	cr_assert_eq(loop_init(&loop), 0);
	watched_init(&w, &loop);
	cr_assert_eq(loop_turn(&loop, 0), 0);
	cr_assert_eq(w.calls, 0);

	watched_fill(&w);
	cr_assert_eq(loop_turn(&loop, PATIENCE_MS), 1);
	cr_assert_eq(w.calls, 1);
	cr_assert_eq(w.events, EPOLLIN);
	cr_assert_eq(loop_turn(&loop, PATIENCE_MS), 1, "what is not read is ready again");

	cr_assert_eq(loop_source_modify(&w.source, 0), 0);
	cr_assert_eq(loop_turn(&loop, 0), 0);
	cr_assert_eq(loop_source_modify(&w.source, EPOLLIN), 0);
	cr_assert_eq(loop_turn(&loop, 0), 1);

	close(w.fds[1]);
	w.fds[1] = -1;
	cr_assert_eq(loop_turn(&loop, 0), 1);
	cr_assert_eq(w.events, EPOLLIN | EPOLLHUP);

	loop_source_remove(&w.source);
	cr_assert_null(w.source.loop);
	cr_assert_eq(loop_turn(&loop, 0), 0);
	loop_source_remove(&w.source);
	watched_done(&w);
	loop_done(&loop);
}

Test(loop, source_that_cannot_be_watched)
{
	struct loop_source source = LOOP_SOURCE_INIT, second = LOOP_SOURCE_INIT;
	struct loop loop = LOOP_INIT;
	struct watched w;
	int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);

	cr_assert_eq(loop_init(&loop), 0);
	cr_assert_eq(loop_source_add(&loop, &source, -1, EPOLLIN, watched_ready), -EBADF);
	cr_assert_eq(loop_source_add(&loop, &source, file, EPOLLIN, watched_ready), -EPERM);
	cr_assert_null(source.loop);
	loop_source_remove(&source);

	watched_init(&w, &loop);
	cr_assert_eq(loop_source_add(&loop, &second, w.fds[0], EPOLLIN, watched_ready), -EEXIST);
	watched_done(&w);
	close(file);
	loop_done(&loop);
}

/* Two sources are ready in one turn, and the one that comes first removes the other. */
Test(loop, removed_in_the_same_turn)
{
	struct loop loop = LOOP_INIT;
	struct watched a, b;

	for (int again = 0; again < 2; again++) {
		cr_assert_eq(loop_init(&loop), 0);
		watched_init(&a, &loop);
		watched_init(&b, &loop);
		a.victim = &b;
		b.victim = &a;
		a.again = b.again = again;
		watched_fill(&a);
		watched_fill(&b);
		cr_assert_eq(loop_turn(&loop, PATIENCE_MS), 1, "again %d", again);
		cr_assert_eq(a.calls + b.calls, 1, "again %d", again);
		/* Of the next turn, what was added anew is part. */
		a.victim = b.victim = NULL;
		cr_assert_eq(loop_turn(&loop, PATIENCE_MS), 1 + again, "again %d", again);
		watched_done(&a);
		watched_done(&b);
		loop_done(&loop);
	}
}

Test(loop, removes_itself)
{
	struct loop loop = LOOP_INIT;
	struct watched a, b;

	cr_assert_eq(loop_init(&loop), 0);
	watched_init(&a, &loop);
	watched_init(&b, &loop);
	a.victim = &a;
	watched_fill(&a);
	watched_fill(&b);
	cr_assert_eq(loop_turn(&loop, PATIENCE_MS), 2);
	cr_assert_eq(loop_turn(&loop, PATIENCE_MS), 1);
	cr_assert_eq(a.calls, 1);
	cr_assert_eq(b.calls, 2);
	watched_done(&a);
	watched_done(&b);
	loop_done(&loop);
}

/* More than one turn takes are called one after the other, none for ever before another. */
Test(loop, many_sources)
{
	static struct watched many[SOURCES];
	struct loop loop = LOOP_INIT;
	int calls = 0;

	cr_assert_eq(loop_init(&loop), 0);
	for (int i = 0; i < SOURCES; i++) {
		watched_init(&many[i], &loop);
		watched_fill(&many[i]);
	}
	while (calls < 2 * SOURCES)
		calls += loop_turn(&loop, PATIENCE_MS);
	for (int i = 0; i < SOURCES; i++) {
		cr_assert_geq(many[i].calls, 1, "source %d", i);
		watched_done(&many[i]);
	}
	cr_assert_eq(loop_turn(&loop, 0), 0);
	loop_done(&loop);
}

/* The loop goes first: its sources may still be removed. */
Test(loop, done_before_its_sources)
{
	struct loop loop = LOOP_INIT;
	struct watched w;

	cr_assert_eq(loop_init(&loop), 0);
	watched_init(&w, &loop);
	loop_done(&loop);
	watched_done(&w);
}

static void interrupted(int signal)
{
	(void)signal;
}

/* A signal that is handled ends the wait. It comes again and again, lest it come too early. */
Test(loop, turn_is_interrupted)
{
	struct itimerval often = {.it_interval.tv_usec = 2000, .it_value.tv_usec = 2000};
	struct sigaction action = {.sa_handler = interrupted}, ignore = {.sa_handler = SIG_IGN};
	struct loop loop = LOOP_INIT;

	cr_assert_eq(loop_init(&loop), 0);
	cr_assert_eq(sigaction(SIGALRM, &action, NULL), 0);
	cr_assert_eq(setitimer(ITIMER_REAL, &often, NULL), 0);
	cr_assert_eq(loop_turn(&loop, -1), 0);
	sigaction(SIGALRM, &ignore, NULL);
	loop_done(&loop);
}

Test(loop, turn_fails)
{
	struct loop loop = LOOP_INIT;

	cr_assert_eq(loop_turn(&loop, 0), -EBADF);
}
