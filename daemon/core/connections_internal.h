/* SPDX-License-Identifier: Apache-2.0 */
/* What the sights of connections and their destroy events share. */
#pragma once

#include "daemon/core/connections.h"

#define FACT(name) (1U << METRIC_WHEN_##name)

/* Whether such rows are followed: of full sockets that do not listen, if any are. */
bool connections_follow(const struct connections *c, const struct sock_record *record);
/* Whether a segment has come in: what was only tried, and what an abort has zeroed, is none. */
bool connection_is_made(const struct sock_record *record);
/* Whether the socket is by now another connection: after connect() to AF_UNSPEC it keeps its
 * cookie, and its counters start again. */
bool connection_is_another(const struct connections *c, const struct track_record *t,
			   const struct sock_record *record);
static inline void connection_set_class(struct track_record *t, struct sock_class class)
{
	t->view = class.view;
	t->peer = class.peer;
}

static inline void connection_set_side(struct track_record *t, enum group_side side)
{
	t->side = side == GROUP_CLIENT;
}

/* From here on it is this one, with nothing counted yet. */
void connection_begin(struct track_record *t, const struct sock_record *record,
		      enum group_side side);
/* Its group; "other" where there is no memory for one of its own. */
struct group *connection_group(struct connections *c, const struct listener_table *listeners,
			       struct track_record *t, const struct sock_record *record);
/* As it was last seen; else as RECORD has it, which may be NULL. */
struct sock_class connection_class(const struct connections *c, struct track_record *t,
				   const struct sock_record *record);
/* Lets the end of a connection count, by FACTS, with the values that it had when it was last seen.
 */
void connection_end(struct connections *c, const struct listener_table *listeners,
		    struct track_record *t, unsigned int facts);
void connection_end_if_open(struct connections *c, const struct listener_table *listeners,
			    struct track_record *t);
/* Whether what is new to us was born after the good poll before: where that had no room for some,
 * it may be old. */
bool connections_know_births(const struct connections *c);
