/* SPDX-License-Identifier: Apache-2.0 */
/* TcpExtListenDrops of the namespace, read for the fast lane. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct listen_drops;
struct self_values;

/* PROCFS: where /proc is. Opens nothing. NULL: out of memory. */
struct listen_drops *listen_drops_new(const char *procfs);
void listen_drops_free(struct listen_drops *d);
/* The counter; NULL: it cannot be read, which is counted in SELF, or, unless WANTED, it was read
 * too short ago. */
const uint64_t *listen_drops_read(struct listen_drops *d, uint64_t now_ns, bool wanted,
				  struct self_values *self);
