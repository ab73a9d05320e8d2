/* SPDX-License-Identifier: Apache-2.0 */
/* A table of groups that is polled every five seconds, and beside it one of listeners. */
#pragma once

#include "daemon/core/group.h"
#include "tests/unit/core/listener_lane.h"

#define GROUPS_INTERVAL_NS (5 * NSEC_PER_SEC)
#define GROUPS_IDLE_NS     (3600 * NSEC_PER_SEC)
#define GROUPS_NONE        UINT64_MAX

/* So many sockets, each established and with a sample of its RTT. */
struct group_row {
	enum group_side side;
	uint16_t port;
	uint32_t sockets;
	struct sock_class class;
};

struct group_lane {
	struct listener_lane lane;
	struct group_table groups;
	struct group_settings settings;
	uint32_t budget;
};

/* With room for PORTS labels a side and, for now, any number of series; nothing configured. */
void groups_init(struct group_lane *g, uint32_t ports);
void groups_done(struct group_lane *g);
/* Takes g->settings over, as a reload does. */
void groups_configure(struct group_lane *g);
/* A good poll; one that shows these rows and then fails. */
void groups_poll(struct group_lane *g, const struct group_row *rows, size_t count);
void groups_fail(struct group_lane *g, const struct group_row *rows, size_t count);

#define GROUP_ROWS(...)                          \
	(const struct group_row[]){__VA_ARGS__}, \
		sizeof((const struct group_row[]){__VA_ARGS__}) / sizeof(struct group_row)
#define GROUPS_POLL(g, ...) groups_poll(g, GROUP_ROWS(__VA_ARGS__))
#define GROUPS_FAIL(g, ...) groups_fail(g, GROUP_ROWS(__VA_ARGS__))
#define GROUPS_POLL_NONE(g) groups_poll(g, NULL, 0)
#define SERVER(port, sockets)                \
	{                                    \
		GROUP_SERVER, port, sockets, \
		{                            \
			0, 0                 \
		}                            \
	}
#define CLIENT(port, sockets)                \
	{                                    \
		GROUP_CLIENT, port, sockets, \
		{                            \
			0, 0                 \
		}                            \
	}

/* The group that is exported with this label, NULL if there is none; fails the test if two are. */
const struct group *groups_find(const struct group_lane *g, enum group_side side,
				const char *label);
/* The same of a class, which "other" is one of; and its established sockets. */
const struct group *groups_find_part(const struct group_lane *g, enum group_side side,
				     const char *label, struct sock_class class);
uint64_t groups_part_sockets(const struct group_lane *g, enum group_side side, const char *label,
			     struct sock_class class);
/* Its established sockets, and the observations of its RTT; GROUPS_NONE if there is no such group.
 */
uint64_t groups_sockets(const struct group_lane *g, enum group_side side, const char *label);
uint64_t groups_observations(const struct group_lane *g, enum group_side side, const char *label);
/* How many groups are exported. */
uint32_t groups_shown(const struct group_lane *g);
