/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overflows of accept queues, as evidence: one for each listener that dropped a connection because
 * its queue was full, until ten seconds have passed without another and with room again. What
 * begins and what ends is news once each. A listener makes news at most twice a minute and all of
 * them at most ten times that; what waits for that is still counted, and told later.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Followed at a time; more than this is one event, not many. */
#define OVERFLOWS_MAX 256
/* How long it must have been calm to have ended. A client whose SYN was dropped comes again after
 * one second, then two more, then four more (tcp_syn_retries). */
#define OVERFLOW_CALM_NS UINT64_C(10000000000)
/* How long news waits for what the sockets lane says of the queue. */
#define OVERFLOW_QUEUES_NS UINT64_C(10000000000)
/* The least time between two beginnings of one listener that are told; and within it, */
#define OVERFLOW_PERIOD_NS UINT64_C(60000000000)
/* how many of all listeners are. */
#define OVERFLOW_NEWS_MAX 10

struct listener;

enum overflow_news {
	OVERFLOW_NONE,
	OVERFLOW_BEGAN,
	OVERFLOW_ENDED,
};

/* What one poll of the fast lane shows of the listener, summed over its members. */
struct overflow_poll {
	uint64_t length, limit; /* connections */
	uint64_t drops;         /* that fell since the poll before because the queue was full */
	bool has_limit, has_drops;
	bool is_full, is_hit; /* a member has no room; a member's connections fell */
};

struct overflow {
	struct listener *listener;
	struct overflow_poll now;
	uint64_t began_ms, changed_ms; /* realtime: since when it overflows, or has ended */
	/* Since it began: */
	uint64_t drops;
	uint64_t peak;
	uint64_t oldest_ms, closed, reset; /* the most that any dump showed */
	bool has_queues;                   /* one did, */
	bool has_age, has_reset;           /* and these */
	/* What is told when. */
	uint64_t began_ns, last_ns, quiet_until_ns;
	uint32_t dump; /* number of the dump that it must outdo */
	bool is_on;
	enum overflow_news told; /* of this overflow; OVERFLOW_ENDED: it rests */
};

struct overflows {
	struct overflow *items[OVERFLOWS_MAX];
	uint32_t count;
	uint32_t told_count; /* in the period that began at */
	uint64_t period_ns;
	uint64_t missed; /* beyond OVERFLOWS_MAX, or without memory; since last told */
};

/* An overflow that begins, or begins again. DUMP: the number of the dump under way. */
void overflow_begin(struct overflow *o, uint64_t now_ns, uint64_t realtime_ms, uint32_t dump);
/* Takes O->now into account. */
void overflow_observe(struct overflow *o, uint64_t now_ns, uint64_t realtime_ms);
/* What is to be told of it now, if there is a place for one more beginning; it counts as told. */
enum overflow_news overflow_tell(struct overflow *o, uint64_t now_ns, bool has_place);
/* Whether nothing needs to be remembered of it. */
bool overflow_is_over(const struct overflow *o, uint64_t now_ns);
