/* SPDX-License-Identifier: Apache-2.0 */
/* TcpExtListenDrops of the namespace, read for the fast lane. */
#pragma once

#include <stdbool.h>

#include "collectors/netstat.h"
#include "collectors/procfs.h"

struct self_values;

struct listen_drops {
	struct netstat_reader reader;
	char path[PROCFS_PATH_MAX];
	uint64_t read_ns; /* when it was last read */
	uint64_t value;
	bool has_failed; /* said once in the log */
};

#define LISTEN_DROPS_INIT                      \
	{                                      \
		.reader = NETSTAT_READER_INIT, \
	}

/* PROCFS: where /proc is. Opens nothing. */
void listen_drops_init(struct listen_drops *d, const char *procfs);
void listen_drops_done(struct listen_drops *d);
/* The counter; NULL: it cannot be read, which is counted in SELF, or, unless WANTED, it was read
 * too short ago. */
const uint64_t *listen_drops_read(struct listen_drops *d, uint64_t now_ns, bool wanted,
				  struct self_values *self);
