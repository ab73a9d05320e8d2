/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections from their first sight to their end: what each row of a dump, each row that is no
 * longer there, and each destroy event adds to the counters of its group, once. A dump is no
 * snapshot: the kernel may have copied a row before the event of its socket that is read first. The
 * groups and the plans are borrowed, and stay where they are.
 */
#pragma once

#include "daemon/core/aggregate_plan.h"
#include "daemon/core/group.h"
#include "daemon/core/track.h"

struct connections {
	struct group_table *groups;
	struct aggregate_plans *plans;
	struct track track;
	struct metric_set present;   /* families that an event gave a value for */
	const struct filter *filter; /* of what no poll has seen; NULL: all; for the owner to set */
	const struct classes *classes; /* NULL: all are "other"; for the owner to set */
	struct {
		unsigned int sent, received; /* where these lie in a record's values */
	} slots;
	uint16_t tcp_info_len; /* of full sockets */
	bool expects_events;   /* the kernel tells of destroyed sockets; for the owner to set */
	bool expected_events;  /* it did so at the last good poll */
	bool is_polling;       /* between begin, and commit or abort */
	bool has_polled;       /* a good poll has followed what it saw */
	bool looks_anew;       /* for classes, at the next sight of each */
	uint64_t ended_ns;     /* of the last good poll */
	uint64_t
		blind_ns; /* what was last active before this may have been counted and forgotten */
	uint32_t untracked, poll_untracked; /* sockets that there was no room for */
};

void connections_init(struct connections *c, struct group_table *groups,
		      struct aggregate_plans *plans, uint64_t seed);
void connections_done(struct connections *c);
/* Follows up to so many; 0, as it is at first: none, and frees what was known of them. */
void connections_limit(struct connections *c, uint32_t limit);

/* Gives what is followed the classes of other names. Those that have none, and all others with the
 * next sight, are looked for anew. */
void connections_rename(struct connections *c, const struct class_map *map);
/* Others are watched from now on: what the next poll shows for the first time may be old, and what
 * it does not show may be there. */
void connections_start_over(struct connections *c);

/* A poll: begin, see for each row that is to be followed, then commit or abort. What an aborted one
 * saw is true all the same, and stays. Commit counts what the poll no longer showed. */
void connections_begin(struct connections *c);
void connections_commit(struct connections *c, const struct listener_table *listeners,
			uint64_t now_ns);
void connections_abort(struct connections *c);

enum sight_credit {
	SIGHT_NOTHING,  /* the row is old, or no connection yet */
	SIGHT_BASELINE, /* what it had before it was first seen */
	SIGHT_GROWTH,
};

/* What a row is to the connections that are followed. */
struct sight {
	struct track_record *track; /* NULL: it is not followed */
	enum sight_credit credit;
	bool was_open;      /* at its last sight, so that its values then are a measure */
	unsigned int facts; /* bits of enum metric_when */
};

/* Finds or begins the connection of a row. SIDE: as the listeners have it now. Rows that are not to
 * be followed (no full socket, a listener) have no track. */
struct sight connections_see(struct connections *c, const struct listener_table *listeners,
			     const struct sock_record *record, enum group_side side);
/* The class of a row, followed or not. */
struct sock_class connections_class(const struct connections *c, const struct sight *sight,
				    const struct sock_record *record);
/* Lets what the row had count in CELLS of its group, for which that memory is there. */
void connections_count(const struct sight *sight, const struct aggregate_plan *plan,
		       const struct sock_record *record, uint64_t *cells);
/* Undoes a first sight that cannot be counted, lest the baseline be taken for growth, or a birth go
 * uncounted. */
void connections_forget(struct connections *c, const struct sight *sight);
/* Fetches what connections_see() will read for these rows. */
void connections_prefetch(struct connections *c, const struct sock_record *records,
			  unsigned int count);

/* A socket was destroyed, during a poll or between polls: its last values. Returns whether it was a
 * connection that now is, or already was, counted as closed. */
bool connections_event(struct connections *c, struct listener_table *listeners,
		       const struct sock_record *record, uint64_t now_ns);
