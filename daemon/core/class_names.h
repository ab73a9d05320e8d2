/* SPDX-License-Identifier: Apache-2.0 */
/* The names of views and peers, and what becomes of a class when they change. */
#pragma once

#include "daemon/core/classes.h"

/* Terminated by NULL, the name of class 1 first; NULL: there are none. */
struct class_names {
	const char **views, **peers;
};

/* 0 or -ENOMEM; done is due in either case. */
int class_names_copy(struct class_names *names, const struct class_names *from);
void class_names_done(struct class_names *names);
bool class_names_equal(const struct class_names *a, const struct class_names *b);
/* "other" for 0. */
const char *class_view_name(const struct class_names *names, unsigned int view);
const char *class_peer_name(const struct class_names *names, unsigned int peer);

/* From the classes of some names to those of others. */
struct class_map {
	uint16_t views[CLASS_VIEWS_MAX + 1], peers[CLASS_PEERS_MAX + 1];
};

void class_map_init(struct class_map *map, const struct class_names *from,
		    const struct class_names *to);
/* CLASS_UNKNOWN where one of its names is gone. */
struct sock_class class_map_find(const struct class_map *map, struct sock_class class);
