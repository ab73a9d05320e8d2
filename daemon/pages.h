/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server answers: /metrics, a page for people, health and readiness. Runs on the server's
 * thread, on the newest snapshot, and never waits for the collector.
 */
#pragma once

#include "daemon/core/negotiate.h"
#include "daemon/core/self_values.h"
#include "daemon/core/snapshot_exchange.h"
#include "daemon/http.h"

struct pages {
	struct snapshot_exchange *exchange;
	struct self_values *self;
	const uint64_t *heartbeat_ns; /* the collector's, monotonic */
	struct http *http;            /* for the number of its connections */
	/* The parts with sockets, each rendered once in each format. */
	struct page_part {
		struct snapshot_sockets *part;
		bool is_fresh;
		struct buf text;
		uint64_t series;
	} parts[NEGOTIATE_FORMAT_END][POLL_FAMILY_PORTS];
	struct http_route routes[SELF_ROUTE_OTHER];
};

/* But for the route SELF_ROUTE_RELOAD, which the caller sets. PATH: of the metrics, until
 * http_configure() gives another; borrowed. */
void pages_init(struct pages *p, struct snapshot_exchange *exchange, struct self_values *self,
		const uint64_t *heartbeat_ns, const char *path);
void pages_done(struct pages *p);
/* http_observe_fn. */
void pages_observe(void *userdata, int route, unsigned int status);
