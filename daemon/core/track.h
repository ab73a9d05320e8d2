/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of sockets that are followed from poll to poll, by cookie and in bounded memory: what
 * each had when it was last seen. Here records are found, made, kept and let go; what their values
 * mean is the business of connections.c. Records lie in chunks that never move, so that growing
 * copies none, and a poll that has ended well finds those that it did not see by a byte of each.
 */
#pragma once

#include "daemon/core/track_index.h"

/* Enough for every value that the metric table follows; the record is two cache lines. */
#define TRACK_VALUE_BYTES 104
#define TRACK_CHUNK       1024
#define TRACK_DEAD_SPARE  16384
#define TRACK_LIMIT_MAX   10000000 /* what TRACK_NUMBERS_MAX allows */

enum track_status {
	TRACK_FREE,
	TRACK_PENDING, /* not counted yet: no segment has come in, or it is not sure whose it is */
	TRACK_OPEN,
	TRACK_GONE,    /* it has left the kernel's table; its destroy event is to come */
	TRACK_LEAVING, /* the same, but no event is to come: it stays until the next poll only */
	TRACK_DEAD,    /* destroyed; what the dump under way still says of it is old */
};

struct track_record {
	uint64_t cookie;
	uint16_t local_port, remote_port;
	uint16_t view; /* its class, as it was last seen */
	uint8_t peer;
	uint8_t side : 1; /* enum group_side, as it was when it was first counted */
	enum track_status status : 3;
	bool was_closed : 1;     /* it was counted as closed, and so is not again */
	uint32_t next, previous; /* while it is in a list */
	uint8_t values[TRACK_VALUE_BYTES];
};

struct track_list {
	uint32_t first, last; /* oldest first */
};

struct track {
	uint64_t seed;
	uint32_t limit, count; /* without those that are dead, */
	uint32_t dead; /* of which there are at most an eighth as many, and TRACK_DEAD_SPARE */
	struct track_chunk **chunks; /* NULL where all its records are free */
	uint32_t chunk_count;
	uint32_t first_room; /* no chunk before this has a free record */
	struct track_index index;
	struct track_list gone, leaving;
	uint8_t generation; /* of the poll under way, or of the last */
	bool has_evicted;   /* one that was gone has made room; for the owner to reset */
};

/* Holds nothing while LIMIT is 0. */
void track_init(struct track *t, uint64_t seed);
void track_done(struct track *t);
/* At most TRACK_LIMIT_MAX. What is beyond a lower limit is for the owner to evict or remove. */
void track_set_limit(struct track *t, uint32_t limit);

/* A record by its number, which it keeps. */
struct track_record *track_at(const struct track *t, uint32_t number);
/* The number of a cookie's record, or TRACK_NONE. */
uint32_t track_find(const struct track *t, uint64_t cookie);
/* Makes one for a cookie that has none, not yet seen, all zero but for the cookie: TRACK_PENDING.
 * Where the table is full the oldest that is gone makes room; TRACK_NONE: there is none, or no
 * memory. */
uint32_t track_add(struct track *t, uint64_t cookie);
void track_remove(struct track *t, uint32_t number);
/* Makes it TRACK_DEAD, which takes nobody's room, or removes it where too many are. */
void track_bury(struct track *t, uint32_t number);
/* The same of a cookie that has no record. Its number, or TRACK_NONE. */
uint32_t track_bury_new(struct track *t, uint64_t cookie);

/* Moves it to the end of those that are TRACK_GONE or TRACK_LEAVING, or takes it back from there
 * to any other status but TRACK_DEAD. */
void track_set_status(struct track *t, uint32_t number, enum track_status status);
/* Whether the table holds more than its limit, which was lowered. */
bool track_is_beyond(const struct track *t);
/* While it does, those that have gone go, as track_add() would have it. */
void track_evict_beyond(struct track *t);

/* A poll: begin, see for each record that it shows, then unseen until TRACK_NONE for those that it
 * did not, but for TRACK_GONE and TRACK_LEAVING. CURSOR begins at 0. A record that is left unseen
 * by 254 polls in a row looks seen by the next. */
void track_begin(struct track *t);
void track_see(struct track *t, uint32_t number);
uint32_t track_unseen(const struct track *t, uint32_t *cursor);
/* The number of each record that is held, from CURSOR on, which begins at 0; then TRACK_NONE. */
uint32_t track_next(const struct track *t, uint32_t *cursor);
/* Removes what is TRACK_LEAVING now. */
void track_forget_leaving(struct track *t);

/* Goes on with what growth has begun: for now and then, when nothing is added or removed. */
void track_tidy(struct track *t);
/* Two looks ahead at what track_find() will read, for a batch of rows: first all slots, then all
 * records. */
void track_prefetch_slot(const struct track *t, uint64_t cookie);
void track_prefetch_record(const struct track *t, uint64_t cookie);
