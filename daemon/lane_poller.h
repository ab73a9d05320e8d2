/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One lane's polling: when it is due, the dump on the collector's loop, its deadline and its cost,
 * and what the daemon says of all that. What the rows mean is its owner's business.
 */
#pragma once

#include "collectors/inetdiag_dump.h"
#include "daemon/core/lane_pace.h"
#include "daemon/cpu_meter.h"
#include "daemon/io/loop.h"

struct lane_poller;
struct self_values;

/* All on the collector's thread. Those that return a failure make it the poll's. */
struct lane_ops {
	void (*begin)(void *userdata);
	enum poll_failure (*rows)(void *userdata, const struct sock_record *records,
				  unsigned int count);
	enum poll_failure (*commit)(void *userdata);
	/* After the pace has taken the poll's cost into account. */
	enum poll_failure (*publish)(void *userdata);
	/* The cycle has ended, well or not. */
	void (*ended)(void *userdata, bool well);
};

struct lane_poller {
	enum lane lane;
	struct loop *loop;
	struct lane_pace pace;
	struct inetdiag_dump dump;
	struct inetdiag_batch *batch; /* shared by the lanes, */
	struct cpu_meter *meter;      /* and so is this */
	struct loop_timer tick, deadline;
	struct loop_source readable;
	struct self_values *self;
	const struct lane_ops *ops;
	void *userdata;
	uint64_t started_ns, cpu_ns, rows; /* of the poll under way */
	bool is_retry;                     /* of an interrupted dump */
	bool has_failed;                   /* the last poll; said once in the log */
};

struct lane_settings {
	enum lane lane;
	uint32_t states;    /* SOCK_STATE_BIT()s */
	uint8_t extensions; /* INETDIAG_EXT_… */
	const struct lane_ops *ops;
	void *userdata;
	struct inetdiag_batch *batch;
	struct cpu_meter *meter;
	struct self_values *self;
};

#define LANE_POLLER_INIT                                                                          \
	{                                                                                         \
		.dump = INETDIAG_DUMP_INIT, .tick = LOOP_OWNED_INIT, .deadline = LOOP_OWNED_INIT, \
		.readable = LOOP_SOURCE_INIT                                                      \
	}

/* 0 or -errno; done is due in either case. */
int lane_poller_init(struct lane_poller *p, struct loop *loop, const struct lane_settings *s);
void lane_poller_done(struct lane_poller *p);
/* Polls at once, and from then on at the pace. A poll under way is cancelled. */
void lane_poller_start(struct lane_poller *p, const struct lane_pace *pace);
