/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/listen_drops.h"

#include <stdlib.h>
#include <string.h>

#include "collectors/netstat.h"
#include "collectors/procfs.h"
#include "daemon/core/self_values.h"
#include "daemon/io/log.h"
#include "daemon/util/units.h"

/* ListenDrops is read at every fast poll, unless the lane is faster than this and no listener's
 * drops have grown: reading it costs more than the poll itself. */
#define INTERVAL_NS (100 * NSEC_PER_MSEC)

struct listen_drops {
	struct netstat_reader reader;
	char path[PROCFS_PATH_MAX];
	uint64_t read_ns; /* when it was last read */
	uint64_t value;
	bool has_failed; /* said once in the log */
};

struct listen_drops *listen_drops_new(const char *procfs)
{
	struct listen_drops *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->reader = (struct netstat_reader)NETSTAT_READER_INIT;
	procfs_path(procfs, "self/net/netstat", d->path);
	return d;
}

void listen_drops_free(struct listen_drops *d)
{
	if (!d)
		return;
	netstat_reader_done(&d->reader);
	free(d);
}

static void note(struct listen_drops *d, struct self_values *self, int r)
{
	bool failed = r < 0;

	if (failed)
		self_add(&self->poll_failures[LANE_LISTENERS][POLL_FAILURE_PROCFS - 1], 1);
	if (failed && !d->has_failed)
		log_warn("cannot read ListenDrops; drops are not split", "path=%s error=%s",
			 d->path, strerrorname_np(-r));
	d->has_failed = failed;
}

const uint64_t *listen_drops_read(struct listen_drops *d, uint64_t now_ns, bool wanted,
				  struct self_values *self)
{
	int r = 0;

	if (now_ns - d->read_ns < INTERVAL_NS && !wanted)
		return NULL;
	if (d->reader.fd < 0)
		r = netstat_reader_open(&d->reader, d->path);
	if (r == 0)
		r = netstat_reader_listen_drops(&d->reader, &d->value);
	note(d, self, r);
	if (r < 0)
		return NULL;
	d->read_ns = now_ns;
	return &d->value;
}
