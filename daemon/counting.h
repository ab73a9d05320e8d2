/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the counters of connections count: by the polls alone, or with the kernel's destroy events as
 * well. Which of the two, and the change between them, is decided here; what an event means is
 * core's business.
 */
#pragma once

#include "collectors/destroy_events.h"
#include "collectors/netstat.h"
#include "daemon/core/event_pace.h"
#include "daemon/io/loop.h"

struct connections;
struct cpu_meter;
struct listener_table;
struct self_values;

struct counting {
	struct loop *loop;
	struct connections *connections;
	struct listener_table *listeners;
	struct self_values *self;
	struct cpu_meter *meter;
	int mode; /* enum config_counters */
	struct destroy_events events;
	struct destroy_batch batch;
	struct loop_source readable;
	struct loop_timer tick;
	struct event_pace pace;
	struct netstat_reader snmp;
	uint64_t opens, opens_ns; /* of the namespace, as last read; 0: not yet */
	uint64_t ignored;         /* of events.ignored, what is counted */
	uint64_t retry_ns;        /* not before this are events asked for again */
	bool has_failed;          /* said once in the log, */
	bool has_lost;            /* and so is this */
};

#define COUNTING_INIT                                                        \
	{                                                                    \
		.events = DESTROY_EVENTS_INIT, .readable = LOOP_SOURCE_INIT, \
		.tick = LOOP_OWNED_INIT, .snmp = NETSTAT_READER_INIT         \
	}

struct counting_settings {
	struct loop *loop;
	struct connections *connections;
	struct listener_table *listeners;
	struct self_values *self;
	struct cpu_meter *meter;
	const char *procfs; /* where /proc is */
};

/* 0 or -errno; done is due in either case, and may run on COUNTING_INIT. Counts nothing yet. */
int counting_init(struct counting *c, const struct counting_settings *s);
void counting_done(struct counting *c);
/* Takes another mode, enum config_counters; events at once where it wants them. */
void counting_configure(struct counting *c, int mode);
/* Counts all events that have come, and what was lost: for the end of a poll, before it looks for
 * what has gone. */
void counting_drain(struct counting *c);
