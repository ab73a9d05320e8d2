/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A snapshot made by hand, with a value in every family, and what it takes to change one: nothing
 * of it comes from the tables that fill snapshots in the daemon.
 */
#pragma once

#include "daemon/core/expose.h"
#include "tests/unit/core/exposition.h"

enum hand_made_listener {
	HAND_MADE_SSH,  /* every value */
	HAND_MADE_GONE, /* closed: gauges are absent */
	HAND_MADE_OTHER,
	HAND_MADE_LISTENERS,
};

enum hand_made_group {
	HAND_MADE_SERVER_22,
	HAND_MADE_SERVER_EPHEMERAL,
	HAND_MADE_CLIENT_443,
	HAND_MADE_CLIENT_OTHER,
	HAND_MADE_UDP_53,
	HAND_MADE_UDP_EPHEMERAL,
	HAND_MADE_MPTCP_443,
	HAND_MADE_GROUPS,
	HAND_MADE_TCP_GROUPS = HAND_MADE_UDP_53,
};

struct hand_made {
	struct catalogue *catalogue;
	struct snapshot_listeners listeners;
	struct snapshot_sockets sockets[POLL_FAMILY_PORTS];
	struct snapshot_unix *unix_listeners;
	struct snapshot_host *host;
	struct self_values self;
	uint64_t now_ns;
	struct snapshot_listener listener_items[HAND_MADE_LISTENERS];
	struct snapshot_group group_items[HAND_MADE_GROUPS];
	uint64_t *cells; /* first the listeners', then the groups' */
	struct buf text;
	struct exposition exposition;
};

/* Both lanes are fresh, the kernel gave every family, all values are there. Takes over a reference
 * to the catalogue. */
void hand_made_init(struct hand_made *h, struct catalogue *catalogue);
void hand_made_done(struct hand_made *h);
/* The first cell of a family in a group. */
uint64_t *hand_made_cell(struct hand_made *h, enum hand_made_group group, const char *name);

/* Renders everything as a scrape does, and reads it; fails the test if it is not strictly in the
 * format. Returns how many series the renderer says it has written. */
uint64_t hand_made_render(struct hand_made *h);
/* The same in any format, which is not read. */
uint64_t hand_made_render_as(struct hand_made *h, const struct expose_format *format);
/* How many series the rendered text has of a family, 0 if its head is absent too. */
uint32_t hand_made_count(const struct hand_made *h, const char *family);
/* The value of the one series of this name whose labels include "NAME=VALUE,NAME=VALUE". */
double hand_made_value(const struct hand_made *h, const char *name, const char *labels);
