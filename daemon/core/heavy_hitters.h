/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many local ports each (source address, destination address, destination port) uses, in
 * bounded memory: the algorithm of Misra and Gries (1982). While there are at most
 * HEAVY_HITTERS_MAX pairs, counts are exact; beyond, a count is too low by at most the number of
 * sockets divided by HEAVY_HITTERS_MAX, and never too high.
 */
#pragma once

#include <stdint.h>

#include "daemon/core/sock.h"
#include "daemon/util/map.h"

#define HEAVY_HITTERS_MAX 4096

struct heavy_hitter {
	struct sock_address local, remote;
	uint16_t remote_port;
	uint8_t family;
	uint8_t reserved; /* keeps the hashed bytes free of padding */
	uint32_t count;
	uint64_t hash;
};

struct heavy_hitters {
	uint64_t seed;
	struct map map;
	struct heavy_hitter *items;
	uint32_t count;
	uint32_t cap;
};

void heavy_hitters_init(struct heavy_hitters *h, uint64_t seed);
void heavy_hitters_done(struct heavy_hitters *h);
/* Forgets all counts, keeps the memory. */
void heavy_hitters_clear(struct heavy_hitters *h);
/* Counts one socket. 0 or -ENOMEM. */
int heavy_hitters_observe(struct heavy_hitters *h, const struct sock_record *record);
