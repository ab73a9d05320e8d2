/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/listen_drops.h"

#include <string.h>

#include "daemon/core/self_values.h"
#include "daemon/io/log.h"
#include "daemon/util/units.h"

/* ListenDrops is read at every fast poll, unless the lane is faster than this and no listener's
 * drops have grown: reading it costs more than the poll itself. */
#define INTERVAL_NS (100 * NSEC_PER_MSEC)

void listen_drops_init(struct listen_drops *d, const char *procfs)
{
	*d = (struct listen_drops)LISTEN_DROPS_INIT;
	procfs_path(procfs, "self/net/netstat", d->path);
}

void listen_drops_done(struct listen_drops *d)
{
	netstat_reader_done(&d->reader);
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
