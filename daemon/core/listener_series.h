/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has series in /metrics: one listener, or all that share an address and port label, as those
 * in "other" do. Its values, its peaks, and the sums of the poll and of the dump that are being
 * counted.
 */
#pragma once

#include "daemon/core/catalogue.h"
#include "daemon/core/listener_values.h"
#include "daemon/core/owner.h"
#include "daemon/core/peak_window.h"

#define LISTENER_ADDRESS_MAX 72
#define LISTENER_PORT_MAX    12 /* "65535", "ephemeral", "other" */

/* What a poll shows of one member. */
struct listener_share {
	uint32_t length, limit;
	uint32_t sk_drops;
	bool has_limit, has_drops; /* the kernel gave those, and sk_drops */
};

/* What a dump of the sockets lane shows of a listener's queues. */
struct listener_queues {
	uint64_t syn_queue, retransmitting;
	uint64_t visible, closed; /* unaccepted connections */
	uint64_t oldest_ms;
	uint64_t length; /* of the LISTEN rows of the same dump */
	bool has_age;    /* one said how long it has waited */
};

/* What its members say of their owner. */
struct listener_owning {
	const char *labels[OWNER_LABELS]; /* NULL: of no member it is known yet */
	uint32_t uid;
	char uid_text[12];
};

struct listener_series {
	uint32_t listeners; /* how many share it, gone ones included */
	char address[LISTENER_ADDRESS_MAX];
	char port[LISTENER_PORT_MAX];
	struct listener_values values;
	struct owner *owner; /* NULL: not known, or not told */
	struct listener_owning owning;
	uint32_t open_since;  /* which search began to look for all its members; 0: none */
	uint64_t born_ms;     /* realtime: when its counting began; 0: at the poll to come */
	uint64_t *cells;      /* the histograms', as the catalogue places them */
	uint64_t *next_cells; /* of the catalogue to come */
	struct peak_window peak, peak_ratio;
	struct {
		uint64_t sockets, length, limit, sk_drops, ratio_nano;
		uint64_t drops, strays; /* as they were split; the caller adds them */
		bool full, has_limit, has_drops;
	} poll;
	struct listener_queues queues;
	bool has_queues; /* a listener of this dump has given its queues */
};

/* The times of a poll, and what it could know. */
struct listener_poll {
	uint64_t now_ns; /* monotonic */
	uint64_t realtime_ms;
	uint64_t interval_ns;         /* nominal: a poll credits at most two as full */
	const uint64_t *listen_drops; /* TcpExtListenDrops; NULL: not read this time */
};

/* NULL: out of memory. */
struct listener_series *listener_series_new(const struct catalogue *catalogue, const char *address,
					    const char *port, uint64_t peak_window_ns,
					    uint64_t now_ns);
void listener_series_free(struct listener_series *s);
/* Goes over to another catalogue, in two steps so that all series do or none: prepare (0 or
 * -ENOMEM) gets the memory, carry takes over what both have; prepare with NULL lets the memory go.
 */
int listener_series_prepare(struct listener_series *s, const struct catalogue *to);
void listener_series_carry(struct listener_series *s, const struct catalogue *from,
			   const struct catalogue *to);

void listener_series_begin_poll(struct listener_series *s);
void listener_series_add(struct listener_series *s, const struct catalogue *catalogue,
			 const struct listener_share *share);
/* ELAPSED_NS since the last good poll, 0 if there was none; KNOWS_DROPS: drops could be split. */
void listener_series_end_poll(struct listener_series *s, const struct listener_poll *poll,
			      uint64_t elapsed_ns, bool knows_drops);

void listener_series_begin_dump(struct listener_series *s);
void listener_series_add_queues(struct listener_series *s, const struct listener_queues *queues);
void listener_series_end_dump(struct listener_series *s, bool is_filtered);
