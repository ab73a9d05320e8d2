/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/publishing.h"

#include "collectors/host_counters.h"
#include "config/config.h"
#include "daemon/core/self_values.h"
#include "daemon/polling.h"

static void count_folds(struct polling *p)
{
	uint64_t listeners = listener_table_folded(&p->listeners);
	bool by_series = p->listeners.series_cap < p->config->limits.listeners;
	const struct group_folds *folds = &p->aggregate.groups.folds;

	self_set(&p->self->folded[SELF_FOLD_LISTENERS], by_series ? 0 : listeners);
	self_set(&p->self->folded[SELF_FOLD_PORTS], folds->by_ports);
	self_set(&p->self->folded[SELF_FOLD_SERIES],
		 folds->by_series + (by_series ? listeners : 0));
}

static void count_tracked(struct polling *p)
{
	const struct connections *c = &p->aggregate.connections;
	bool follows = c->track.limit > 0;

	self_set(&p->self->tracked, follows ? c->track.count : METRIC_ABSENT);
	self_set(&p->self->tracked_limit, follows ? c->track.limit : METRIC_ABSENT);
	self_set(&p->self->untracked, follows ? c->untracked : METRIC_ABSENT);
}

static struct snapshot_host *make_host(struct polling *p)
{
	struct snapshot_host *host = snapshot_host_new(p->catalogue, &p->ages[LANE_SOCKETS]);

	if (!host)
		return NULL;
	host_counters_read(p->host, p->catalogue, host->cells);
	tally_fill(&p->tally, p->catalogue, host->age.taken_ns, host->age.stale_after_ns,
		   host->cells);
	return host;
}

enum poll_failure publishing_run(struct polling *p, bool with_sockets)
{
	struct snapshot_parts parts = {
		.listeners = snapshot_listeners_new(&p->listeners, &p->ages[LANE_LISTENERS],
						    &p->ages[LANE_SOCKETS]),
	};
	bool complete = parts.listeners;

	if (with_sockets) {
		parts.sockets = snapshot_sockets_new(&p->aggregate, &p->ages[LANE_SOCKETS]);
		parts.host = make_host(p);
		complete = complete && parts.sockets && parts.host;
	}
	if (!complete) {
		snapshot_listeners_unref(parts.listeners);
		snapshot_sockets_unref(parts.sockets);
		snapshot_host_unref(parts.host);
		return POLL_FAILURE_MEMORY;
	}
	count_folds(p);
	count_tracked(p);
	if (snapshot_publish(p->exchange, p->catalogue, &parts) < 0)
		return POLL_FAILURE_MEMORY;
	return POLL_FAILURE_NONE;
}
