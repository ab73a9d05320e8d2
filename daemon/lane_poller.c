/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lane_poller.h"

#include <string.h>

#include "daemon/core/self_values.h"
#include "daemon/io/clock.h"
#include "daemon/io/log.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"

/* A million sockets take 1.3 s; what takes longer than this has stuck. */
#define DEADLINE_NS (30 * NSEC_PER_SEC)

static void count_ignored(struct lane_poller *p)
{
	uint64_t *ignored = p->self->poll_rows_ignored[p->lane];

	self_set(&ignored[POLL_IGNORED_FAMILY], p->dump.unknown_families);
	self_set(&ignored[POLL_IGNORED_STATE], p->dump.unknown_states);
	self_set(&ignored[POLL_IGNORED_SENDER], p->dump.foreign_messages);
}

static void count_failure(struct lane_poller *p, enum poll_failure reason)
{
	self_add(&p->self->poll_failures[p->lane][reason - 1], 1);
}

/* Ticks that have come and were not yet seen would be lost with the old interval. */
static void rearm(struct lane_poller *p)
{
	uint64_t now_ns = clock_monotonic_ns();
	uint64_t due_ns = p->started_ns + p->pace.current_ns;

	self_add(&p->self->polls_skipped[p->lane], loop_timer_take(&p->tick));
	loop_timer_start(&p->tick, due_ns > now_ns ? due_ns - now_ns : 1, p->pace.current_ns);
	self_set(&p->self->poll_interval_ns[p->lane], p->pace.current_ns);
}

/* Closes the account of a poll, whether it ended well or not: a poll that fails costs as well. */
static void settle_cost(struct lane_poller *p)
{
	cpu_meter_switch(p->meter, NULL);
	self_add(&p->self->poll_cpu_ns[p->lane], p->cpu_ns);
	if (lane_pace_observe(&p->pace, p->started_ns, p->cpu_ns))
		rearm(p);
	p->cpu_ns = 0;
}

static void end_poll(struct lane_poller *p, bool well)
{
	loop_source_remove(&p->readable);
	loop_timer_cancel(&p->deadline);
	count_ignored(p);
	self_set(&p->self->poll_success[p->lane], well);
	p->ops->ended(p->userdata, well);
}

static void end_badly(struct lane_poller *p, enum poll_failure reason)
{
	if (p->dump.running)
		inetdiag_dump_cancel(&p->dump);
	count_failure(p, reason);
	if (!p->has_failed)
		log_warn("poll failed; the last good data are kept", "lane=%s reason=%s",
			 lane_name(p->lane), poll_failure_name(reason));
	p->has_failed = true;
	end_poll(p, false);
}

static void fail(struct lane_poller *p, enum poll_failure reason)
{
	settle_cost(p);
	end_badly(p, reason);
}

/* What a snapshot costs is known only when its age has been fixed: the next poll pays for it. */
static enum poll_failure publish(struct lane_poller *p)
{
	enum poll_failure failure;

	cpu_meter_switch(p->meter, &p->cpu_ns);
	failure = p->ops->publish(p->userdata);
	cpu_meter_switch(p->meter, NULL);
	return failure;
}

static void succeed(struct lane_poller *p)
{
	enum poll_failure failure;

	settle_cost(p);
	failure = publish(p);
	if (failure != POLL_FAILURE_NONE) {
		end_badly(p, failure);
		return;
	}
	if (p->has_failed)
		log_info("polls succeed again", "lane=%s", lane_name(p->lane));
	p->has_failed = false;
	self_add(&p->self->polls[p->lane], 1);
	self_set(&p->self->poll_sockets[p->lane], p->rows);
	self_set(&p->self->poll_last_success_ms[p->lane], clock_realtime_ns() / NSEC_PER_MSEC);
	self_observe_duration(p->self->poll_duration[p->lane],
			      clock_monotonic_ns() - p->started_ns);
	end_poll(p, true);
}

static void on_readable(struct loop_source *source, uint32_t events);

/* Sends the request, which makes the kernel fill the first batch. */
static void request(struct lane_poller *p)
{
	enum poll_failure failure;

	p->rows = 0;
	p->ops->begin(p->userdata);
	failure = inetdiag_dump_start(&p->dump);
	if (failure != POLL_FAILURE_NONE)
		fail(p, failure);
	else if (loop_source_add(p->loop, &p->readable, p->dump.socket.fd, EPOLLIN, on_readable) <
		 0)
		fail(p, POLL_FAILURE_MEMORY);
}

static void poll_now(struct lane_poller *p)
{
	p->started_ns = clock_monotonic_ns();
	p->is_retry = false;
	cpu_meter_switch(p->meter, &p->cpu_ns);
	loop_timer_start(&p->deadline, DEADLINE_NS, 0);
	request(p);
}

/* A dump that the kernel calls interrupted is made once more; the second is taken as it comes. */
static void retry(struct lane_poller *p)
{
	count_failure(p, POLL_FAILURE_INTERRUPTED);
	loop_source_remove(&p->readable);
	p->is_retry = true;
	request(p);
}

/* One batch. Returns whether the dump has ended, and how. */
static enum inetdiag_step step(struct lane_poller *p, enum poll_failure *ret_failure)
{
	enum inetdiag_step step = inetdiag_dump_step(&p->dump, p->batch, p->is_retry, ret_failure);

	if (step == INETDIAG_STEP_FAILED)
		return step;
	p->rows += p->batch->count;
	*ret_failure = p->ops->rows(p->userdata, p->batch->records, p->batch->count);
	if (*ret_failure == POLL_FAILURE_NONE && step == INETDIAG_STEP_DONE)
		*ret_failure = p->ops->commit(p->userdata);
	return *ret_failure == POLL_FAILURE_NONE ? step : INETDIAG_STEP_FAILED;
}

static void on_readable(struct loop_source *source, uint32_t events)
{
	struct lane_poller *p = container_of(source, struct lane_poller, readable);
	enum poll_failure failure = POLL_FAILURE_NONE;
	enum inetdiag_step result;

	(void)events;
	cpu_meter_switch(p->meter, &p->cpu_ns);
	result = step(p, &failure);
	if (result == INETDIAG_STEP_DONE)
		succeed(p);
	else if (result == INETDIAG_STEP_FAILED && failure == POLL_FAILURE_INTERRUPTED)
		retry(p);
	else if (result == INETDIAG_STEP_FAILED)
		fail(p, failure);
}

static void on_deadline(struct loop_timer *timer, uint64_t expirations)
{
	struct lane_poller *p = container_of(timer, struct lane_poller, deadline);

	(void)expirations;
	fail(p, POLL_FAILURE_TIMEOUT);
}

static bool is_polling(const struct lane_poller *p)
{
	return p->dump.running;
}

static void on_tick(struct loop_timer *timer, uint64_t expirations)
{
	struct lane_poller *p = container_of(timer, struct lane_poller, tick);
	bool due = !is_polling(p) && !lane_pace_rests(&p->pace, clock_monotonic_ns());

	self_add(&p->self->polls_skipped[p->lane], expirations - due);
	if (due)
		poll_now(p);
}

int lane_poller_init(struct lane_poller *p, struct loop *loop, const struct lane_settings *s)
{
	int r;

	p->lane = s->lane;
	p->loop = loop;
	p->batch = s->batch;
	p->meter = s->meter;
	p->self = s->self;
	p->ops = s->ops;
	p->userdata = s->userdata;
	inetdiag_dump_init(&p->dump, s->states, s->extensions);
	r = loop_timer_init(&p->tick, loop, on_tick);
	return r < 0 ? r : loop_timer_init(&p->deadline, loop, on_deadline);
}

void lane_poller_done(struct lane_poller *p)
{
	loop_source_remove(&p->readable);
	inetdiag_dump_done(&p->dump);
	loop_timer_done(&p->tick);
	loop_timer_done(&p->deadline);
}

void lane_poller_start(struct lane_poller *p, const struct lane_pace *pace)
{
	if (is_polling(p)) {
		loop_source_remove(&p->readable);
		inetdiag_dump_cancel(&p->dump);
	}
	p->pace = *pace;
	poll_now(p);
	rearm(p);
}
