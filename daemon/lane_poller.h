/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One lane's polling: when it is due, the walks that it consists of, one after the other on the
 * collector's loop, their source, deadline and cost, and what the daemon says of all that. What the
 * rows mean is its owner's business.
 */
#pragma once

#include "collectors/collector.h"
#include "daemon/core/lane_pace.h"
#include "daemon/cpu_meter.h"
#include "daemon/io/loop.h"

struct lane_poller;
struct self_values;

/* All on the collector's thread. Those that return a failure make it the walk's. */
struct walk_ops {
	/* The rows that come between this and commit are the walk's. It may begin anew: then what
	 * came before is void. Returns what the kernel need not show; NULL: it is to show all. */
	const struct filter_request *(*begin)(void *userdata, enum poll_family family,
					      enum poll_source source);
	enum poll_failure (*rows)(void *userdata, enum poll_family family,
				  const struct sock_batch *batch);
	enum poll_failure (*commit)(void *userdata, enum poll_family family);
	void (*abort)(void *userdata, enum poll_failure reason); /* NULL: nothing to undo */
	/* Whether the walk is to be made at all; NULL: always. */
	bool (*is_wanted)(void *userdata);
};

struct lane_walk {
	struct collector_query query;
	const struct walk_ops *ops;
	bool needs_netlink; /* /proc does not tell what it is made for */
};

struct lane_ops {
	/* After the pace has taken the poll's cost into account. */
	enum poll_failure (*publish)(void *userdata);
	/* The cycle has ended, well or not. */
	void (*ended)(void *userdata, bool well);
};

struct lane_settings {
	enum lane lane;
	const struct lane_walk *walks; /* the poll fails if the first does; any other alone */
	unsigned int walk_count;
	const struct lane_ops *ops;
	void *userdata;
	const char *procfs;       /* where /proc is */
	struct source *sources;   /* by enum poll_family; shared by the lanes, */
	struct sock_batch *batch; /* as is this, */
	struct cpu_meter *meter;  /* and this */
	struct self_values *self;
};

struct lane_poller {
	struct lane_settings settings;
	struct loop *loop;
	struct lane_pace pace;
	struct collector collector;
	struct loop_timer tick, deadline;
	struct loop_source readable; /* while netlink is read, */
	struct loop_timer turn;      /* and /proc, which says not when it can be read */
	/* Of the poll under way: */
	uint64_t started_ns, cpu_ns, rows;
	unsigned int walk;         /* the one under way, */
	enum poll_failure failure; /* and how the first ended */
	bool is_polling;
	bool is_retry;   /* of an interrupted dump */
	bool has_failed; /* the last poll; said once in the log, */
	uint32_t failed; /* as is that of each other walk, a bit for each */
};

#define LANE_POLLER_INIT                                                                           \
	{                                                                                          \
		.collector = COLLECTOR_INIT, .tick = LOOP_OWNED_INIT, .deadline = LOOP_OWNED_INIT, \
		.readable = LOOP_SOURCE_INIT, .turn = LOOP_OWNED_INIT,                             \
	}

/* 0 or -errno; done is due in either case. */
int lane_poller_init(struct lane_poller *p, struct loop *loop, const struct lane_settings *s);
void lane_poller_done(struct lane_poller *p);
/* Polls at once, and from then on at the pace. A poll under way is cancelled. */
void lane_poller_start(struct lane_poller *p, const struct lane_pace *pace);
