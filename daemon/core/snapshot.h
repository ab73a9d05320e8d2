/* SPDX-License-Identifier: Apache-2.0 */
/* What a scrape hands out: parts, each immutable and shared by reference, made by the collector,
 * and each replaced by its own lane. Where the server takes the newest: snapshot_exchange.h. */
#pragma once

#include <stdbool.h>

#include "daemon/core/aggregate.h"
#include "daemon/core/listener.h"

struct snapshot_unix;

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
	struct owner *owner; /* or NULL */
	uint64_t born_ms;    /* realtime: when its counting began */
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
	bool is_port, is_shown; /* it has the values of a port as a whole, and those of sockets */
	struct sock_class class;
	char port[16];
	uint64_t born_ms; /* realtime: when its counting began */
	const uint64_t *cells;
};

struct snapshot_sockets {
	unsigned int refs;
	enum poll_family family;
	struct catalogue *catalogue;
	struct snapshot_age age;
	struct metric_set present;
	struct aggregate_algorithms algorithms;
	uint32_t count;
	struct snapshot_group *items;
};

/* What files of /proc tell of the host and of the namespace. METRIC_ABSENT: nothing. */
struct snapshot_host {
	unsigned int refs;
	struct catalogue *catalogue;
	struct snapshot_age age;
	uint64_t cells[];
};

struct snapshot_parts {
	struct snapshot_listeners *listeners;
	struct snapshot_sockets *sockets[POLL_FAMILY_PORTS];
	struct snapshot_unix *unix_listeners; /* snapshot_unix.h */
	struct snapshot_host *host;
};

/* Any part may be NULL: no good poll yet. */
struct snapshot {
	unsigned int refs;
	struct catalogue *catalogue; /* in force now; a part may still have an older one */
	struct snapshot_parts parts;
};

/* Copies of what the tables say now. NULL: out of memory. */
struct snapshot_listeners *snapshot_listeners_new(const struct listener_table *t,
						  const struct snapshot_age *age,
						  const struct snapshot_age *slow_age);
/* PRESENT: the metrics that the kernel gave a value for; ALGORITHMS may be NULL: none. */
struct snapshot_sockets *snapshot_sockets_new(const struct group_table *groups,
					      const struct metric_set *present,
					      const struct aggregate_algorithms *algorithms,
					      const struct snapshot_age *age);
/* Its cells are for the caller to fill. */
struct snapshot_host *snapshot_host_new(struct catalogue *catalogue,
					const struct snapshot_age *age);
void snapshot_listeners_unref(struct snapshot_listeners *p);
void snapshot_host_unref(struct snapshot_host *p);
struct snapshot_sockets *snapshot_sockets_ref(struct snapshot_sockets *p);
void snapshot_sockets_unref(struct snapshot_sockets *p);
void snapshot_parts_unref(const struct snapshot_parts *parts);
/* What is NULL becomes what it was before. */
void snapshot_parts_fill(struct snapshot_parts *parts, const struct snapshot_parts *before);
struct snapshot *snapshot_ref(struct snapshot *s);
void snapshot_unref(struct snapshot *s);
