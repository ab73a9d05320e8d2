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

static enum lane lane_of(const struct lane_poller *p)
{
	return p->settings.lane;
}

static const struct lane_walk *walk_of(const struct lane_poller *p)
{
	return &p->settings.walks[p->walk];
}

static struct source *source_of(struct lane_poller *p)
{
	return &p->settings.sources[walk_of(p)->query.family];
}

static void count_ignored(struct lane_poller *p)
{
	uint64_t *ignored = p->settings.self->poll_rows_ignored[lane_of(p)];

	self_set(&ignored[POLL_IGNORED_FAMILY], p->collector.netlink.unknown_families);
	self_set(&ignored[POLL_IGNORED_STATE],
		 p->collector.netlink.unknown_states + p->collector.procfs.unknown_states);
	self_set(&ignored[POLL_IGNORED_SENDER], p->collector.netlink.foreign_messages);
	self_set(&ignored[POLL_IGNORED_MALFORMED], p->collector.procfs.malformed_lines);
}

static void count_failure(struct lane_poller *p, enum poll_failure reason)
{
	self_add(&p->settings.self->poll_failures[lane_of(p)][reason - 1], 1);
}

/* SOURCE: POLL_SOURCE_END for none. */
static void note_source(struct lane_poller *p, enum poll_source source)
{
	uint64_t *values = p->settings.self->source[walk_of(p)->query.family];

	for (unsigned int i = 0; i < POLL_SOURCE_END; i++)
		self_set(&values[i], i == source);
}

/* Ticks that have come and were not yet seen would be lost with the old interval. */
static void rearm(struct lane_poller *p)
{
	struct self_values *self = p->settings.self;
	uint64_t now_ns = clock_monotonic_ns();
	uint64_t due_ns = p->started_ns + p->pace.current_ns;

	self_add(&self->polls_skipped[lane_of(p)], loop_timer_take(&p->tick));
	loop_timer_start(&p->tick, due_ns > now_ns ? due_ns - now_ns : 1, p->pace.current_ns);
	self_set(&self->poll_interval_ns[lane_of(p)], p->pace.current_ns);
}

/* Closes the account of a poll, whether it ended well or not: a poll that fails costs as well. */
static void settle_cost(struct lane_poller *p)
{
	cpu_meter_switch(p->settings.meter, NULL);
	self_add(&p->settings.self->poll_cpu_ns[lane_of(p)], p->cpu_ns);
	if (lane_pace_observe(&p->pace, p->started_ns, p->cpu_ns))
		rearm(p);
	p->cpu_ns = 0;
}

static void stop_waiting(struct lane_poller *p)
{
	loop_source_remove(&p->readable);
	loop_timer_cancel(&p->turn);
	loop_timer_cancel(&p->deadline);
}

static void cancel(struct lane_poller *p)
{
	stop_waiting(p);
	collector_cancel(&p->collector);
}

static void end_poll(struct lane_poller *p, bool well)
{
	p->is_polling = false;
	count_ignored(p);
	self_set(&p->settings.self->poll_success[lane_of(p)], well);
	p->settings.ops->ended(p->settings.userdata, well);
}

static void end_badly(struct lane_poller *p, enum poll_failure reason)
{
	count_failure(p, reason);
	p->failure = reason;
	if (!p->has_failed)
		log_warn("poll failed; the last good data are kept", "lane=%s reason=%s",
			 lane_name(lane_of(p)), poll_failure_name(reason));
	p->has_failed = true;
	end_poll(p, false);
}

/* What a snapshot costs is known only when its age has been fixed: the next poll pays for it. */
static enum poll_failure publish(struct lane_poller *p)
{
	enum poll_failure failure;

	cpu_meter_switch(p->settings.meter, &p->cpu_ns);
	failure = p->settings.ops->publish(p->settings.userdata);
	cpu_meter_switch(p->settings.meter, NULL);
	return failure;
}

static void succeed(struct lane_poller *p)
{
	struct self_values *self = p->settings.self;
	enum poll_failure failure;

	settle_cost(p);
	failure = publish(p);
	if (failure != POLL_FAILURE_NONE) {
		end_badly(p, failure);
		return;
	}
	if (p->has_failed)
		log_info("polls succeed again", "lane=%s", lane_name(lane_of(p)));
	p->has_failed = false;
	self_add(&self->polls[lane_of(p)], 1);
	self_set(&self->poll_sockets[lane_of(p)], p->rows);
	self_set(&self->poll_last_success_ms[lane_of(p)], clock_realtime_ns() / NSEC_PER_MSEC);
	self_observe_duration(self->poll_duration[lane_of(p)],
			      clock_monotonic_ns() - p->started_ns);
	end_poll(p, true);
}

static void on_readable(struct loop_source *source, uint32_t events);
static void run_walk(struct lane_poller *p);

/* Starts a walk, and waits for what it brings. */
static enum poll_failure request(struct lane_poller *p, enum poll_source source,
				 const struct filter_request *filter)
{
	struct collector_query query = walk_of(p)->query;
	enum poll_failure failure;
	int fd, r;

	query.filter = filter;
	failure = collector_start(&p->collector, source, &query);
	if (failure != POLL_FAILURE_NONE)
		return failure;
	fd = collector_fd(&p->collector);
	if (fd < 0)
		r = loop_timer_start(&p->turn, 0, 0);
	else
		r = loop_source_add(p->loop, &p->readable, fd, EPOLLIN, on_readable);
	return r < 0 ? POLL_FAILURE_MEMORY : POLL_FAILURE_NONE;
}

/* A dump that the kernel calls interrupted is made once more; the second is taken as it comes. */
static bool may_retry(const struct lane_poller *p, enum poll_failure reason)
{
	return reason == POLL_FAILURE_INTERRUPTED && !p->is_retry;
}

/* Of what is only counted, /proc tells as much: then nobody needs to act. */
static void say_refused(const struct lane_poller *p, enum poll_failure reason)
{
	enum poll_family family = walk_of(p)->query.family;

	if (family == POLL_FAMILY_TCP)
		log_warn("netlink does not serve; /proc is read, which tells less",
			 "family=%s reason=%s", poll_family_name(family),
			 poll_failure_name(reason));
	else
		log_info("netlink does not serve; /proc is read", "family=%s reason=%s",
			 poll_family_name(family), poll_failure_name(reason));
}

/* Whether /proc is read instead. */
static bool may_fall_back(struct lane_poller *p, enum poll_failure reason)
{
	bool is_new;

	if (p->collector.source != POLL_SOURCE_NETLINK || !poll_failure_is_refusal(reason))
		return false;
	if (!source_refused(source_of(p), clock_monotonic_ns(), &is_new)) {
		note_source(p, POLL_SOURCE_END);
		return false;
	}
	if (is_new)
		say_refused(p, reason);
	return true;
}

static void finish(struct lane_poller *p)
{
	if (p->failure == POLL_FAILURE_NONE) {
		succeed(p);
		return;
	}
	settle_cost(p);
	end_badly(p, p->failure);
}

/* A walk has ended, well or not: the next, or the poll is over. */
static void next_walk(struct lane_poller *p)
{
	if (p->walk + 1 == p->settings.walk_count) {
		finish(p);
		return;
	}
	p->walk++;
	p->is_retry = false;
	run_walk(p);
}

/* Another walk than the first has failed, which the poll can bear. */
static void note_failure(struct lane_poller *p, enum poll_failure reason)
{
	uint32_t bit = UINT32_C(1) << p->walk;

	count_failure(p, reason);
	if (!(p->failed & bit))
		log_warn("some sockets could not be counted", "family=%s reason=%s",
			 poll_family_name(walk_of(p)->query.family), poll_failure_name(reason));
	p->failed |= bit;
}

static void fail(struct lane_poller *p, enum poll_failure reason)
{
	bool retry = may_retry(p, reason);

	cancel(p);
	if (retry || may_fall_back(p, reason)) {
		count_failure(p, reason);
		p->is_retry = retry;
		run_walk(p);
		return;
	}
	if (walk_of(p)->ops->abort)
		walk_of(p)->ops->abort(p->settings.userdata, reason);
	if (p->walk == 0)
		p->failure = reason;
	else
		note_failure(p, reason);
	next_walk(p);
}

static void run_walk(struct lane_poller *p)
{
	const struct filter_request *filter;
	enum poll_source source;
	enum poll_failure failure;

	if (p->walk == 0)
		p->rows = 0;
	if (source_of(p)->is_off ||
	    (walk_of(p)->ops->is_wanted && !walk_of(p)->ops->is_wanted(p->settings.userdata))) {
		next_walk(p);
		return;
	}
	source = source_choose(source_of(p), clock_monotonic_ns());
	if (source == POLL_SOURCE_END)
		note_source(p, source);
	if (source == POLL_SOURCE_END ||
	    (source == POLL_SOURCE_PROCFS && walk_of(p)->needs_netlink)) {
		next_walk(p);
		return;
	}
	filter = walk_of(p)->ops->begin(p->settings.userdata, walk_of(p)->query.family, source);
	loop_timer_start(&p->deadline, DEADLINE_NS, 0);
	failure = request(p, source, filter);
	if (failure != POLL_FAILURE_NONE)
		fail(p, failure);
}

static void end_walk(struct lane_poller *p)
{
	stop_waiting(p);
	if (p->collector.source == POLL_SOURCE_NETLINK && source_served(source_of(p)))
		log_info("netlink serves again", "family=%s",
			 poll_family_name(walk_of(p)->query.family));
	note_source(p, p->collector.source);
	p->failed &= ~(UINT32_C(1) << p->walk);
	next_walk(p);
}

static void poll_now(struct lane_poller *p)
{
	p->started_ns = clock_monotonic_ns();
	p->walk = 0;
	p->failure = POLL_FAILURE_NONE;
	p->is_polling = true;
	p->is_retry = false;
	cpu_meter_switch(p->settings.meter, &p->cpu_ns);
	run_walk(p);
}

/* One batch. Returns whether the walk has ended, and how. */
static enum sock_step step(struct lane_poller *p, enum poll_failure *ret_failure)
{
	const struct lane_settings *s = &p->settings;
	const struct lane_walk *walk = walk_of(p);
	enum sock_step step = collector_step(&p->collector, s->batch, p->is_retry, ret_failure);

	if (step == SOCK_STEP_FAILED)
		return step;
	if (p->walk == 0)
		p->rows += s->batch->count;
	*ret_failure = walk->ops->rows(s->userdata, walk->query.family, s->batch);
	if (*ret_failure == POLL_FAILURE_NONE && step == SOCK_STEP_DONE)
		*ret_failure = walk->ops->commit(s->userdata, walk->query.family);
	return *ret_failure == POLL_FAILURE_NONE ? step : SOCK_STEP_FAILED;
}

static void advance(struct lane_poller *p)
{
	enum poll_failure failure = POLL_FAILURE_NONE;

	cpu_meter_switch(p->settings.meter, &p->cpu_ns);
	switch (step(p, &failure)) {
	case SOCK_STEP_MORE:
		if (collector_fd(&p->collector) < 0)
			loop_timer_start(&p->turn, 0, 0);
		break;
	case SOCK_STEP_DONE:
		end_walk(p);
		break;
	case SOCK_STEP_FAILED:
		fail(p, failure);
		break;
	}
}

static void on_readable(struct loop_source *source, uint32_t events)
{
	(void)events;
	advance(container_of(source, struct lane_poller, readable));
}

static void on_turn(struct loop_timer *timer, uint64_t expirations)
{
	(void)expirations;
	advance(container_of(timer, struct lane_poller, turn));
}

static void on_deadline(struct loop_timer *timer, uint64_t expirations)
{
	(void)expirations;
	fail(container_of(timer, struct lane_poller, deadline), POLL_FAILURE_TIMEOUT);
}

static void on_tick(struct loop_timer *timer, uint64_t expirations)
{
	struct lane_poller *p = container_of(timer, struct lane_poller, tick);
	bool due = !p->is_polling && !lane_pace_rests(&p->pace, clock_monotonic_ns());

	self_add(&p->settings.self->polls_skipped[lane_of(p)], expirations - due);
	if (due)
		poll_now(p);
}

int lane_poller_init(struct lane_poller *p, struct loop *loop, const struct lane_settings *s)
{
	int r;

	p->settings = *s;
	p->loop = loop;
	collector_init(&p->collector, s->procfs);
	r = loop_timer_init(&p->tick, loop, on_tick);
	if (r == 0)
		r = loop_timer_init(&p->deadline, loop, on_deadline);
	return r < 0 ? r : loop_timer_init(&p->turn, loop, on_turn);
}

void lane_poller_done(struct lane_poller *p)
{
	loop_source_remove(&p->readable);
	collector_done(&p->collector);
	loop_timer_done(&p->tick);
	loop_timer_done(&p->deadline);
	loop_timer_done(&p->turn);
}

void lane_poller_start(struct lane_poller *p, const struct lane_pace *pace)
{
	if (p->is_polling)
		cancel(p);
	p->pace = *pace;
	poll_now(p);
	rearm(p);
}
