/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts of a port's group, by view and peer, which exist where there are sockets of that class and
 * limits.series has room. Where it has none, a part of a view and a peer is counted in that of the
 * view, and that of a view in the port's own group.
 */
#pragma once

#include "daemon/core/class_names.h"
#include "daemon/core/group_item.h"
#include "daemon/util/map.h"

/* Where sockets of a port and a class are counted in this poll. */
struct group_route {
	const struct group *owner;
	struct sock_class class;
	struct group *target; /* the part, or what it is folded into */
};

struct group_parts {
	struct group **items;
	uint32_t count;
	struct group_route *routes;
	uint32_t route_count, cap; /* of both arrays, as no part is without a route */
	struct map map;            /* to routes, by owner and class */
};

struct group_table;

void group_parts_done(struct group_parts *p);
/* The part of a port's group that is of this class, which is not "other", or what it is folded
 * into. NULL: out of memory. */
struct group *group_parts_get(struct group_table *t, struct group *owner, struct sock_class class);
/* Adds it where there is none. For such as are folded, whatever room there is. */
struct group *group_parts_fold_target(struct group_table *t, const struct group *part);
/* Frees the part at a place, which the last then takes. Route anew before any other look-up. */
void group_parts_remove(struct group_table *t, uint32_t place);
/* Forgets all routes but those of parts. */
void group_parts_route(struct group_table *t);
/* Gives parts the classes of other names; those that have none are removed, after what they accrued
 * since the last poll has been counted in the port's own group. */
void group_parts_rename(struct group_table *t, const struct class_map *map);
