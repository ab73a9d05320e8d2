/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/counting.h"

#include <string.h>

#include "config/config.h"
#include "daemon/core/connections.h"
#include "daemon/core/self_values.h"
#include "daemon/cpu_meter.h"
#include "daemon/io/clock.h"
#include "daemon/io/log.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"

#define TICK_NS  NSEC_PER_SEC
#define RETRY_NS (60 * NSEC_PER_SEC)

/* Batches of one turn of the loop: some thousand events take a few milliseconds, and the listeners'
 * timer is not to wait for longer. */
#define TURN_BATCHES 128
/* And of the end of a poll: as many as the largest buffer holds, and some that come meanwhile. */
#define DRAIN_BATCHES 4096

static bool is_active(const struct counting *c)
{
	return c->readable.loop != NULL;
}

static void count_event(struct counting *c, const struct sock_record *record, uint64_t now_ns)
{
	self_add(&c->self->events, 1);
	if (!connections_event(c->connections, c->listeners, record, now_ns))
		self_add(&c->self->events_ignored, 1);
}

static void count_lost(struct counting *c)
{
	if (c->events.lost == c->self->events_lost)
		return;
	if (!c->has_lost)
		log_warn("destroy events were lost; counters of connections that closed then have "
			 "what a poll saw",
			 "lost=%lu", (unsigned long)c->events.lost);
	c->has_lost = true;
	self_set(&c->self->events_lost, c->events.lost);
}

static void count_unread(struct counting *c)
{
	uint64_t more = c->events.ignored - c->ignored;

	self_add(&c->self->events, more);
	self_add(&c->self->events_ignored, more);
	c->ignored = c->events.ignored;
}

/* No event comes any more: what is not polled is not counted. */
static void give_up(struct counting *c)
{
	loop_source_remove(&c->readable);
	destroy_events_close(&c->events);
	count_lost(c);
	c->connections->expects_events = false;
	self_set(&c->self->events_active, 0);
}

static void fail(struct counting *c, const char *what, int error)
{
	if (!c->has_failed)
		log_warn(what, "error=\"%s\"", strerror(error));
	c->has_failed = true;
	c->retry_ns = clock_monotonic_ns() + RETRY_NS;
	give_up(c);
}

static enum destroy_step receive(struct counting *c, unsigned int batches)
{
	enum destroy_step step = DESTROY_STEP_MORE;

	while (step == DESTROY_STEP_MORE && batches-- > 0) {
		uint64_t now_ns = clock_monotonic_ns();

		step = destroy_events_receive(&c->events, &c->batch);
		for (unsigned int i = 0; i < c->batch.count; i++)
			count_event(c, &c->batch.records[i], now_ns);
	}
	count_unread(c);
	count_lost(c);
	return step;
}

static void on_readable(struct loop_source *source, uint32_t events)
{
	struct counting *c = container_of(source, struct counting, readable);

	(void)events;
	/* It belongs to no lane, also in the middle of a poll. */
	cpu_meter_switch(c->meter, NULL);
	if (receive(c, TURN_BATCHES) == DESTROY_STEP_FAILED)
		fail(c, "destroy events can no longer be received", c->events.error);
}

void counting_drain(struct counting *c)
{
	if (!is_active(c))
		return;
	if (receive(c, DRAIN_BATCHES) == DESTROY_STEP_FAILED) {
		fail(c, "destroy events can no longer be received", c->events.error);
		return;
	}
	destroy_events_settle(&c->events);
	count_lost(c);
}

static void take_up(struct counting *c)
{
	int r;

	if (is_active(c) || clock_monotonic_ns() < c->retry_ns)
		return;
	r = destroy_events_open(&c->events);
	if (r == 0)
		r = loop_source_add(c->loop, &c->readable, c->events.socket.fd, EPOLLIN,
				    on_readable);
	if (r < 0) {
		fail(c, "destroy events are not to be had; connections are counted by polls", -r);
		return;
	}
	log_info("connections are counted with the kernel's destroy events", NULL);
	c->has_failed = false;
	c->connections->expects_events = true;
	self_set(&c->self->events_active, 1);
}

/* How many connections were opened since this was last asked. */
static bool read_opened(struct counting *c, uint64_t *ret_opened, uint64_t *ret_elapsed_ns)
{
	uint64_t before = c->opens, before_ns = c->opens_ns;
	char path[PROCFS_PATH_MAX];

	procfs_path(c->events.procfs, "self/net/snmp", path);
	if (c->snmp.fd < 0 && netstat_reader_open(&c->snmp, path) < 0)
		return false;
	if (netstat_reader_tcp_opens(&c->snmp, &c->opens) < 0)
		return false;
	c->opens_ns = clock_monotonic_ns();
	*ret_opened = c->opens - before;
	*ret_elapsed_ns = c->opens_ns - before_ns;
	return before_ns != 0;
}

static void decide(struct counting *c)
{
	uint64_t opened = 0, elapsed_ns = 0;

	if (read_opened(c, &opened, &elapsed_ns))
		event_pace_observe(&c->pace, opened, elapsed_ns);
	if (c->pace.wanted) {
		take_up(c);
	} else if (is_active(c)) {
		log_info("connections come too fast for destroy events; polls alone count them",
			 "opened=%lu milliseconds=%lu", (unsigned long)opened,
			 (unsigned long)(elapsed_ns / NSEC_PER_MSEC));
		counting_drain(c);
		give_up(c);
	}
}

static void on_tick(struct loop_timer *timer, uint64_t expirations)
{
	struct counting *c = container_of(timer, struct counting, tick);

	(void)expirations;
	if (c->mode == CONFIG_COUNTERS_AUTO)
		decide(c);
	else
		take_up(c);
}

int counting_init(struct counting *c, const struct counting_settings *s)
{
	*c = (struct counting)COUNTING_INIT;
	c->loop = s->loop;
	c->connections = s->connections;
	c->listeners = s->listeners;
	c->self = s->self;
	c->meter = s->meter;
	c->mode = CONFIG_COUNTERS_OFF;
	c->events.procfs = s->procfs;
	return loop_timer_init(&c->tick, c->loop, on_tick);
}

void counting_done(struct counting *c)
{
	loop_source_remove(&c->readable);
	destroy_events_close(&c->events);
	loop_timer_done(&c->tick);
	netstat_reader_done(&c->snmp);
}

void counting_configure(struct counting *c, int mode)
{
	bool may_have_events = mode == CONFIG_COUNTERS_EXACT || mode == CONFIG_COUNTERS_AUTO;

	if (mode == c->mode)
		return;
	c->mode = mode;
	event_pace_init(&c->pace);
	c->opens_ns = 0;
	c->retry_ns = 0;
	c->has_lost = false;
	if (!may_have_events) {
		loop_timer_cancel(&c->tick);
		counting_drain(c);
		give_up(c);
		return;
	}
	loop_timer_start(&c->tick, TICK_NS, TICK_NS);
	take_up(c);
}
