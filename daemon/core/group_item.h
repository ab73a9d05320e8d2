/* SPDX-License-Identifier: Apache-2.0 */
/* One group of sockets: those of a side and a port label, or those of one class among them. */
#pragma once

#include "daemon/core/classes.h"

enum group_side {
	GROUP_SERVER, /* the local end is a listener of this namespace; every socket of UDP */
	GROUP_CLIENT,
	GROUP_SIDE_END,
};

enum group_kind {
	GROUP_PORT,      /* a label of its own */
	GROUP_EPHEMERAL, /* inside ip_local_port_range */
	GROUP_OTHER,     /* beyond a limit */
};

/* The last are folded first where limits.series is met. */
enum group_rank {
	GROUP_RANK_SERVER, /* ports, as enum group_side has them */
	GROUP_RANK_CLIENT,
	GROUP_RANK_VIEW, /* parts of a port: of a view, */
	GROUP_RANK_PEER, /* and of a view and a peer */
	GROUP_RANK_END,
};

struct group {
	uint8_t side, kind;
	uint16_t port;           /* GROUP_PORT */
	struct sock_class class; /* of a part; a port's own group has what is of no other class */
	struct group *owner;     /* of a part: the port's group; else NULL */
	uint32_t parts;          /* of a port's group: how many it has */
	bool is_configured;      /* by ports.server or ports.client: it never leaves */
	bool is_shown;           /* it was part of a good poll */
	bool is_folded;          /* configured, but this poll has no room for it */
	uint64_t born_ms;        /* realtime: when its counting began; 0: before the first poll */
	uint64_t used_ns;        /* the last good poll in which it had a socket */
	uint64_t poll_sockets;
	uint64_t *
		poll; /* cells of the poll that is being counted, and what accrued since the last */
	uint64_t *cells;                  /* as of the last good poll; histograms since its birth */
	uint64_t *next_poll, *next_cells; /* of the catalogue to come */
};

/* NULL: out of memory. CELLS: how many it has. */
struct group *group_new(enum group_side side, enum group_kind kind, uint16_t port,
			unsigned int cells);
void group_free(struct group *g);
enum group_rank group_rank(const struct group *g);

/* The labels' values: "443", "ephemeral", "other"; "server", "client". */
void group_port_label(const struct group *g, char ret_label[16]);
const char *group_side_name(unsigned int side);
