/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/track.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/util/macros.h"
#include "daemon/util/map.h"

#define CACHE_LINE 64

/* What a record's byte says, beside the generation of the poll that last saw it. */
#define GENERATION_FREE  0
#define GENERATION_ASIDE 1 /* in a list, where no poll looks for it */
#define GENERATION_FIRST 2

/* The bytes lie together: looking for what a poll did not see reads 64 records a cache line. */
struct track_chunk {
	uint8_t generations[TRACK_CHUNK];
	struct track_record records[TRACK_CHUNK];
	uint32_t used;
	uint16_t fresh;      /* records from here on were never used */
	uint16_t first_free; /* of those before, the last that became free, + 1; 0: none */
} __attribute__((aligned(CACHE_LINE)));

static_assert(sizeof(struct track_record) == 2 * CACHE_LINE, "see TRACK_VALUE_BYTES");
static_assert(TRACK_LIMIT_MAX / 8 * 9 + TRACK_DEAD_SPARE < TRACK_NUMBERS_MAX,
	      "every record has a number");

static uint64_t hash_cookie(const struct track *t, uint64_t cookie)
{
	return map_multiply(cookie ^ t->seed, UINT64_C(0x9e3779b97f4a7c15));
}

struct track_record *track_at(const struct track *t, uint32_t number)
{
	return &t->chunks[number / TRACK_CHUNK]->records[number % TRACK_CHUNK];
}

static uint8_t *generation_of(const struct track *t, uint32_t number)
{
	return &t->chunks[number / TRACK_CHUNK]->generations[number % TRACK_CHUNK];
}

static uint64_t hash_of(const void *records, uint32_t number)
{
	const struct track *t = records;

	return hash_cookie(t, track_at(t, number)->cookie);
}

static bool is_cookie(const void *records, uint32_t number, uint64_t cookie)
{
	return track_at(records, number)->cookie == cookie;
}

void track_init(struct track *t, uint64_t seed)
{
	*t = (struct track){
		.seed = seed,
		.gone = {TRACK_NONE, TRACK_NONE},
		.leaving = {TRACK_NONE, TRACK_NONE},
		.generation = GENERATION_FIRST,
	};
}

void track_done(struct track *t)
{
	for (uint32_t i = 0; i < t->chunk_count; i++)
		free(t->chunks[i]);
	free(t->chunks);
	track_index_done(&t->index);
	track_init(t, t->seed);
}

void track_set_limit(struct track *t, uint32_t limit)
{
	assert(limit <= TRACK_LIMIT_MAX);

	t->limit = limit;
}

uint32_t track_find(const struct track *t, uint64_t cookie)
{
	uint64_t hash = hash_cookie(t, cookie);
	uint32_t number = track_slots_find(&t->index.now, t, is_cookie, hash, cookie);

	if (number == TRACK_NONE)
		number = track_slots_find(&t->index.old, t, is_cookie, hash, cookie);
	return number;
}

void track_tidy(struct track *t)
{
	track_index_move(&t->index, t, hash_of);
}

void track_prefetch_slot(const struct track *t, uint64_t cookie)
{
	const struct track_slots *s = &t->index.now;

	if (s->slots)
		__builtin_prefetch(&s->slots[(uint32_t)hash_cookie(t, cookie) & s->mask]);
}

void track_prefetch_record(const struct track *t, uint64_t cookie)
{
	uint32_t number = track_slots_guess(&t->index.now, hash_cookie(t, cookie));
	const char *record;

	if (number == TRACK_NONE)
		return;
	record = (const char *)track_at(t, number);
	__builtin_prefetch(record, 1);
	__builtin_prefetch(record + CACHE_LINE, 1);
	__builtin_prefetch(generation_of(t, number), 1);
}

static struct track_chunk *new_chunk(void)
{
	struct track_chunk *c = aligned_alloc(CACHE_LINE, sizeof(*c));

	if (!c)
		return NULL;
	/* The records stay untouched, and take no memory, until they are used. */
	memset(c->generations, GENERATION_FREE, sizeof(c->generations));
	c->used = 0;
	c->fresh = 0;
	c->first_free = 0;
	return c;
}

static int add_chunk_place(struct track *t)
{
	struct track_chunk **chunks;

	chunks = reallocarray(t->chunks, t->chunk_count + 1, sizeof(struct track_chunk *));
	if (!chunks)
		return -1;
	t->chunks = chunks;
	t->chunks[t->chunk_count++] = NULL;
	return 0;
}

/* The first chunk with a free record: so those at the end become empty, and are freed. */
static struct track_chunk *find_room(struct track *t)
{
	while (t->first_room < t->chunk_count && t->chunks[t->first_room] &&
	       t->chunks[t->first_room]->used == TRACK_CHUNK)
		t->first_room++;
	if (t->first_room == t->chunk_count && add_chunk_place(t) < 0)
		return NULL;
	if (!t->chunks[t->first_room])
		t->chunks[t->first_room] = new_chunk();
	return t->chunks[t->first_room];
}

static uint32_t take_record(struct track *t)
{
	struct track_chunk *c = find_room(t);
	uint32_t at;

	if (!c)
		return TRACK_NONE;
	if (c->first_free) {
		at = c->first_free - 1U;
		c->first_free = (uint16_t)c->records[at].next;
	} else {
		at = c->fresh++;
	}
	c->used++;
	return t->first_room * TRACK_CHUNK + at;
}

static void give_record_back(struct track *t, uint32_t number)
{
	uint32_t chunk = number / TRACK_CHUNK, at = number % TRACK_CHUNK;
	struct track_chunk *c = t->chunks[chunk];

	c->generations[at] = GENERATION_FREE;
	c->records[at].next = c->first_free;
	c->first_free = (uint16_t)(at + 1);
	t->first_room = MIN(t->first_room, chunk);
	if (--c->used > 0)
		return;
	free(c);
	t->chunks[chunk] = NULL;
}

/* Removes one that has gone; whether there was one. */
static bool evict(struct track *t)
{
	uint32_t oldest = t->leaving.first != TRACK_NONE ? t->leaving.first : t->gone.first;

	if (oldest == TRACK_NONE)
		return false;
	track_remove(t, oldest);
	t->has_evicted = true;
	return true;
}

void track_evict_beyond(struct track *t)
{
	while (track_is_beyond(t) && evict(t))
		;
}

/* Where the limit was lowered, those that are not gone may alone be more than it: then nobody goes
 * in vain. */
static bool make_room(struct track *t)
{
	return t->count < t->limit || (t->count == t->limit && evict(t));
}

/* Of another poll than the one under way. */
static uint8_t generation_before(const struct track *t)
{
	return t->generation == GENERATION_FIRST ? UINT8_MAX : (uint8_t)(t->generation - 1);
}

static uint32_t add_record(struct track *t, uint64_t cookie, enum track_status status)
{
	uint32_t number = take_record(t);
	struct track_record *r;

	if (number == TRACK_NONE)
		return TRACK_NONE;
	r = track_at(t, number);
	*r = (struct track_record){.cookie = cookie, .status = status};
	if (track_index_add(&t->index, t, hash_of, hash_cookie(t, cookie), number) < 0) {
		give_record_back(t, number);
		return TRACK_NONE;
	}
	*generation_of(t, number) = generation_before(t);
	return number;
}

uint32_t track_add(struct track *t, uint64_t cookie)
{
	uint32_t number = make_room(t) ? add_record(t, cookie, TRACK_PENDING) : TRACK_NONE;

	t->count += number != TRACK_NONE;
	return number;
}

static bool has_room_for_dead(const struct track *t)
{
	return t->dead < t->limit / 8 + TRACK_DEAD_SPARE;
}

uint32_t track_bury_new(struct track *t, uint64_t cookie)
{
	uint32_t number = has_room_for_dead(t) ? add_record(t, cookie, TRACK_DEAD) : TRACK_NONE;

	t->dead += number != TRACK_NONE;
	return number;
}

static struct track_list *list_of(struct track *t, enum track_status status)
{
	return status == TRACK_GONE ? &t->gone : status == TRACK_LEAVING ? &t->leaving : NULL;
}

static void unlink_record(struct track *t, uint32_t number)
{
	struct track_record *r = track_at(t, number);
	struct track_list *list = list_of(t, r->status);

	if (!list)
		return;
	if (r->previous == TRACK_NONE)
		list->first = r->next;
	else
		track_at(t, r->previous)->next = r->next;
	if (r->next == TRACK_NONE)
		list->last = r->previous;
	else
		track_at(t, r->next)->previous = r->previous;
}

static void append_record(struct track *t, struct track_list *list, uint32_t number)
{
	struct track_record *r = track_at(t, number);

	r->next = TRACK_NONE;
	r->previous = list->last;
	if (list->last == TRACK_NONE)
		list->first = number;
	else
		track_at(t, list->last)->next = number;
	list->last = number;
	*generation_of(t, number) = GENERATION_ASIDE;
}

void track_set_status(struct track *t, uint32_t number, enum track_status status)
{
	struct track_record *r = track_at(t, number);
	struct track_list *list = list_of(t, status);

	unlink_record(t, number);
	if (list)
		append_record(t, list, number);
	else if (list_of(t, r->status))
		track_see(t, number);
	r->status = status;
}

void track_remove(struct track *t, uint32_t number)
{
	bool is_dead = track_at(t, number)->status == TRACK_DEAD;

	unlink_record(t, number);
	track_index_remove(&t->index, t, hash_of, hash_of(t, number), number);
	give_record_back(t, number);
	t->dead -= is_dead;
	t->count -= !is_dead;
}

void track_bury(struct track *t, uint32_t number)
{
	struct track_record *r = track_at(t, number);

	if (r->status == TRACK_DEAD)
		return;
	if (!has_room_for_dead(t)) {
		track_remove(t, number);
		return;
	}
	unlink_record(t, number);
	r->status = TRACK_DEAD;
	*generation_of(t, number) = generation_before(t);
	t->dead++;
	t->count--;
}

bool track_is_beyond(const struct track *t)
{
	return t->count > t->limit;
}

void track_begin(struct track *t)
{
	t->generation = t->generation == UINT8_MAX ? GENERATION_FIRST : t->generation + 1;
}

void track_see(struct track *t, uint32_t number)
{
	*generation_of(t, number) = t->generation;
}

uint32_t track_next(const struct track *t, uint32_t *cursor)
{
	for (; *cursor < t->chunk_count * TRACK_CHUNK; (*cursor)++) {
		const struct track_chunk *c = t->chunks[*cursor / TRACK_CHUNK];

		if (!c)
			*cursor |= TRACK_CHUNK - 1;
		else if (c->generations[*cursor % TRACK_CHUNK] != GENERATION_FREE)
			return (*cursor)++;
	}
	return TRACK_NONE;
}

uint32_t track_unseen(const struct track *t, uint32_t *cursor)
{
	uint32_t number;

	while ((number = track_next(t, cursor)) != TRACK_NONE) {
		uint8_t generation = *generation_of(t, number);

		if (generation >= GENERATION_FIRST && generation != t->generation)
			return number;
	}
	return TRACK_NONE;
}

void track_forget_leaving(struct track *t)
{
	while (t->leaving.first != TRACK_NONE)
		track_remove(t, t->leaving.first);
}
