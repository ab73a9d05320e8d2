/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that polls: the two lanes, the tables they fill, and what becomes of both when the
 * configuration changes. The same for the daemon and for --once.
 */
#pragma once

#include "daemon/core/snapshot_exchange.h"
#include "daemon/core/tally.h"
#include "daemon/counting.h"
#include "daemon/lane_poller.h"

struct config;
struct filters;
struct host_counters;
struct listen_drops;
struct polling;
struct sock_groups;
struct unit_search;
struct unix_listeners;

/* A cycle of a lane has ended, well or not. */
typedef void (*polling_ended_fn)(struct polling *p, enum lane lane, bool well);

struct polling {
	struct lane_poller lanes[LANE_END];
	struct sock_batch batch;
	struct source sources[POLL_FAMILY_END];
	enum poll_source sources_of[LANE_END]; /* of TCP, in the last poll of each */
	const char *procfs;                    /* where /proc is */
	struct cpu_meter meter;
	struct listen_drops *listen_drops;
	struct host_counters *host;
	struct listener_table listeners;
	struct unit_search *unit_search;
	struct unix_listeners *unix_listeners;
	struct filters *filters;
	struct classes classes;
	struct aggregate aggregate;
	struct sock_groups *others[POLL_FAMILY_PORTS]; /* of TCP NULL: it has the aggregate */
	struct tally tally;
	struct counting counting;
	struct catalogue *catalogue;
	const struct config *config;
	struct snapshot_exchange *exchange;
	struct self_values *self;
	polling_ended_fn ended;
	struct snapshot_age ages[LANE_END];
	bool has_excess; /* said once in the log */
	bool is_once;    /* there is one poll and no other */
};

struct polling_settings {
	struct loop *loop;
	const char *procfs;          /* where /proc is; until done */
	const struct config *config; /* until polling_configure() gives another, or done */
	struct catalogue *catalogue;
	struct snapshot_exchange *exchange;
	struct self_values *self;
	polling_ended_fn ended;
	bool is_once; /* there will be no second poll */
};

/* 0 or -errno; done is due in either case. Polls nothing yet. */
int polling_init(struct polling *p, const struct polling_settings *s);
void polling_done(struct polling *p);
/* Takes another configuration, in two steps: prepare gets the memory (0, or -ENOMEM and nothing has
 * changed), apply cannot fail. In between, discard goes back. A dump under way is worth nothing
 * after apply: start both lanes anew. */
int polling_prepare(struct polling *p, const struct config *config, struct catalogue *catalogue);
void polling_apply(struct polling *p, const struct config *config, struct catalogue *catalogue);
void polling_discard(struct polling *p);
/* Looks up what may change on the host: ip_local_port_range, and what filters name. */
void polling_look(struct polling *p);
/* The age of data that a lane took. */
struct snapshot_age polling_age(const struct polling *p, enum lane lane, uint64_t taken_ns);
/* Starts a lane, or starts it anew. The sockets lane needs a good idea of the listeners, so its
 * first start belongs behind the end of the first poll of the listeners. */
void polling_start(struct polling *p, enum lane lane);
