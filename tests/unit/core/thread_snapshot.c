/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exchange between the threads, for TSan: one thread publishes parts without pause, others take
 * what is newest, and each finds it whole, never older than what it took before, and unchanged as
 * long as it holds it. A program of its own, since Criterion does not start under TSan.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/snapshot_exchange.h"
#include "daemon/util/macros.h"

#define READERS   4
#define PUBLISHED 20000
#define TAKEN     2000 /* at least, by each reader */

/* Values of each part, all alike: the number of the part. */
#define ITEMS 8

struct reader {
	struct snapshot_exchange *exchange;
	const _Atomic bool *end;
	pthread_t thread;
	_Atomic unsigned int taken;
	_Atomic bool ended;
	const char *fault;
};

static struct snapshot_listeners *make_listeners(struct catalogue *catalogue, uint64_t number)
{
	struct snapshot_listeners *p = calloc(1, sizeof(*p) + ITEMS * sizeof(*p->items));

	if (!p)
		abort();
	p->refs = 1;
	p->catalogue = catalogue_ref(catalogue);
	p->age.taken_ns = number;
	p->count = ITEMS;
	p->items = (struct snapshot_listener *)(void *)(p + 1);
	for (unsigned int i = 0; i < ITEMS; i++)
		p->items[i].values.length = number;
	return p;
}

static struct snapshot_sockets *make_sockets(struct catalogue *catalogue, uint64_t number)
{
	struct snapshot_sockets *p = calloc(1, sizeof(*p) + ITEMS * sizeof(*p->items));

	if (!p)
		abort();
	p->refs = 1;
	p->catalogue = catalogue_ref(catalogue);
	p->age.taken_ns = number;
	p->count = ITEMS;
	p->items = (struct snapshot_group *)(void *)(p + 1);
	for (unsigned int i = 0; i < ITEMS; i++)
		snprintf(p->items[i].port, sizeof(p->items[i].port), "%lu", number);
	return p;
}

static bool is_whole(const struct snapshot *s)
{
	char port[16];

	for (unsigned int i = 0; s->parts.listeners && i < ITEMS; i++)
		if (s->parts.listeners->items[i].values.length != s->parts.listeners->age.taken_ns)
			return false;
	for (unsigned int i = 0; s->parts.sockets[POLL_FAMILY_TCP] && i < ITEMS; i++) {
		snprintf(port, sizeof(port), "%lu",
			 s->parts.sockets[POLL_FAMILY_TCP]->age.taken_ns);
		if (strcmp(s->parts.sockets[POLL_FAMILY_TCP]->items[i].port, port) != 0)
			return false;
	}
	return s->catalogue->groups[POLL_FAMILY_TCP].series > 0;
}

/* The number of a part, 0 if it is not there yet. */
static uint64_t number_of(const struct snapshot_age *age)
{
	return age ? age->taken_ns : 0;
}

static const char *judge(const struct snapshot *s, uint64_t newest[2])
{
	uint64_t listeners = number_of(s->parts.listeners ? &s->parts.listeners->age : NULL);
	uint64_t sockets = number_of(
		s->parts.sockets[POLL_FAMILY_TCP] ? &s->parts.sockets[POLL_FAMILY_TCP]->age : NULL);

	if (!is_whole(s))
		return "not whole";
	if (listeners < newest[0] || sockets < newest[1])
		return "older than before";
	newest[0] = listeners;
	newest[1] = sockets;
	return NULL;
}

/* Takes one, and another while it still has the first; every other reader keeps parts for later, as
 * the server does with what it rendered last. */
static void *read_all(void *userdata)
{
	struct reader *r = userdata;
	struct snapshot_sockets *kept = NULL;
	uint64_t newest[2] = {0, 0};

	while (!*r->end && !r->fault) {
		struct snapshot *s = snapshot_take(r->exchange), *second;

		if (!s)
			continue;
		r->fault = judge(s, newest);
		second = snapshot_take(r->exchange);
		if (!r->fault)
			r->fault = judge(second, newest);
		if (!r->fault && !is_whole(s))
			r->fault = "changed while it was held";
		if (second->parts.sockets[POLL_FAMILY_TCP] &&
		    second->parts.sockets[POLL_FAMILY_TCP] != kept) {
			snapshot_sockets_unref(kept);
			kept = snapshot_sockets_ref(second->parts.sockets[POLL_FAMILY_TCP]);
		}
		snapshot_unref(second);
		snapshot_unref(s);
		r->taken++;
	}
	snapshot_sockets_unref(kept);
	r->ended = true;
	return NULL;
}

/* Mostly listeners, as in the daemon; now and then the other part, both, or a new catalogue. */
static int publish(struct snapshot_exchange *x, struct catalogue **catalogue, uint64_t number)
{
	const struct catalogue_settings settings = {.extended = number % 2};
	bool listeners = number % 8 != 0, sockets = number % 8 == 0 || number % 64 == 1;

	if (number % 100 == 0) {
		catalogue_unref(*catalogue);
		if (catalogue_new(&settings, catalogue) < 0)
			abort();
	}
	return snapshot_publish(
		x, *catalogue,
		&(struct snapshot_parts){
			.listeners = listeners ? make_listeners(*catalogue, number) : NULL,
			.sockets = {sockets ? make_sockets(*catalogue, number) : NULL},
		});
}

/* Whether each reader has taken enough, or given up. */
static bool are_served(const struct reader *readers)
{
	for (int i = 0; i < READERS; i++)
		if (!readers[i].ended && readers[i].taken < TAKEN)
			return false;
	return true;
}

static bool end_reader(struct reader *r, int number)
{
	pthread_join(r->thread, NULL);
	printf("reader %d: %u taken, %s\n", number, r->taken, r->fault ? r->fault : "well");
	return !r->fault;
}

int main(void)
{
	struct snapshot_exchange x = SNAPSHOT_EXCHANGE_INIT;
	const struct catalogue_settings settings = {0};
	static struct reader readers[READERS];
	_Atomic bool end = false;
	struct catalogue *catalogue;
	bool well = true;

	if (catalogue_new(&settings, &catalogue) < 0)
		return 1;
	for (int i = 0; i < READERS; i++) {
		readers[i].exchange = &x;
		readers[i].end = &end;
		pthread_create(&readers[i].thread, NULL, read_all, &readers[i]);
	}
	for (uint64_t number = 1; well && (number <= PUBLISHED || !are_served(readers)); number++)
		well = publish(&x, &catalogue, number) == 0;
	end = true;
	for (int i = 0; i < READERS; i++)
		well = end_reader(&readers[i], i) && well;
	snapshot_exchange_done(&x);
	well = well && catalogue->refs == 1;
	catalogue_unref(catalogue);
	return !well;
}
