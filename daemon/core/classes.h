/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Classes of connections: the view of one is the first whose filter matches it, its peer the one
 * with the longest prefix of its remote address. Their names are in the catalogue; filters and
 * prefixes are borrowed.
 */
#pragma once

#include "daemon/core/filter.h"
#include "daemon/core/prefix_trie.h"

#define CLASS_VIEWS_MAX 512
#define CLASS_PEERS_MAX 255

/* Places of names, from 1 on; 0: "other". */
struct sock_class {
	uint16_t view;
	uint8_t peer;
};

#define CLASS_OTHER   ((struct sock_class){0, 0})
#define CLASS_UNKNOWN ((struct sock_class){UINT16_MAX, 0}) /* not yet looked for */

struct classes {
	const struct filter *views[CLASS_VIEWS_MAX];
	unsigned int view_count;
	const struct prefix_trie *peers; /* to the places of names; NULL: there are none */
	bool are_fixed;                  /* a connection stays in its class for its life */
};

static inline bool class_is_other(struct sock_class class)
{
	return class.view == 0 && class.peer == 0;
}

static inline bool class_is_known(struct sock_class class)
{
	return class.view != UINT16_MAX;
}

static inline bool classes_exist(const struct classes *c)
{
	return c->view_count > 0 || c->peers;
}

/* Works out are_fixed. */
void classes_init(struct classes *c);
/* Who listens has no peer. */
struct sock_class classes_find(const struct classes *c, const struct sock_record *record);
