/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a scrape hands out: parts, each immutable and shared by reference, each replaced by its own
 * lane. The collector makes them; the server takes a reference to the newest snapshot, renders,
 * and lets go. The exchange between the two is the only lock of the daemon.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "daemon/core/aggregate.h"
#include "daemon/core/listener.h"

/* When a lane's data were taken, and how old they may become. */
struct snapshot_age {
	uint64_t taken_ns; /* boottime: it goes on while the machine is suspended; 0: never */
	uint64_t stale_after_ns;
	bool is_from_procfs; /* what only netlink tells is not there */
};

struct snapshot_listener {
	char address[LISTENER_ADDRESS_MAX];
	char port[LISTENER_PORT_MAX];
	struct listener_values values;
	const uint64_t *cells;
};

struct snapshot_listeners {
	unsigned int refs;
	struct catalogue *catalogue;
	struct snapshot_age age;      /* of the fast lane */
	struct snapshot_age slow_age; /* of the values that the sockets lane gave */
	uint32_t count;
	struct snapshot_listener *items;
};

struct snapshot_group {
	uint8_t side;
	char port[16];
	const uint64_t *cells;
};

struct snapshot_sockets {
	unsigned int refs;
	struct catalogue *catalogue;
	struct snapshot_age age;
	struct metric_set present;
	struct aggregate_algorithms algorithms;
	uint32_t count;
	struct snapshot_group *items;
};

/* Either part may be NULL: no good poll yet. */
struct snapshot {
	unsigned int refs;
	struct catalogue *catalogue; /* in force now; a part may still have an older one */
	struct snapshot_listeners *listeners;
	struct snapshot_sockets *sockets;
};

/* Copies of what the tables say now. NULL: out of memory. */
struct snapshot_listeners *snapshot_listeners_new(const struct listener_table *t,
						  const struct snapshot_age *age,
						  const struct snapshot_age *slow_age);
struct snapshot_sockets *snapshot_sockets_new(const struct aggregate *a,
					      const struct snapshot_age *age);
void snapshot_listeners_unref(struct snapshot_listeners *p);
struct snapshot_sockets *snapshot_sockets_ref(struct snapshot_sockets *p);
void snapshot_sockets_unref(struct snapshot_sockets *p);
void snapshot_unref(struct snapshot *s);

struct snapshot_exchange {
	pthread_mutex_t lock;
	struct snapshot *newest;
};

#define SNAPSHOT_EXCHANGE_INIT                    \
	{                                         \
		.lock = PTHREAD_MUTEX_INITIALIZER \
	}

void snapshot_exchange_done(struct snapshot_exchange *x);
/* Replaces one part, or the other, or both; a NULL part stays as it is. Takes the references to the
 * parts over, also on failure. 0 or -ENOMEM. For the collector. */
int snapshot_publish(struct snapshot_exchange *x, struct catalogue *catalogue,
		     struct snapshot_listeners *listeners, struct snapshot_sockets *sockets);
/* A reference to the newest snapshot; NULL before the first. For any thread. */
struct snapshot *snapshot_take(struct snapshot_exchange *x);
