/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/publishing.h"

#include "collectors/host_counters.h"
#include "config/config.h"
#include "daemon/core/self_values.h"
#include "daemon/core/snapshot_unix.h"
#include "daemon/core/sock_groups.h"
#include "daemon/polling.h"

static void count_folds(struct polling *p)
{
	uint64_t listeners = listener_table_folded(&p->listeners);
	bool by_series = p->listeners.series_cap < p->config->limits.listeners;
	struct group_folds folds = p->aggregate.groups.folds;

	for (unsigned int i = POLL_FAMILY_TCP + 1; i < POLL_FAMILY_PORTS; i++) {
		folds.by_ports += p->others[i]->groups.folds.by_ports;
		folds.by_series += p->others[i]->groups.folds.by_series;
	}
	self_set(&p->self->folded[SELF_FOLD_LISTENERS], by_series ? 0 : listeners);
	self_set(&p->self->folded[SELF_FOLD_PORTS], folds.by_ports);
	self_set(&p->self->folded[SELF_FOLD_SERIES], folds.by_series + (by_series ? listeners : 0));
}

static void count_tracked(struct polling *p)
{
	const struct connections *c = &p->aggregate.connections;
	uint64_t tracked = c->track.count, untracked = c->untracked;
	bool follows = p->catalogue->counts;

	for (unsigned int i = POLL_FAMILY_TCP + 1; i < POLL_FAMILY_PORTS; i++) {
		tracked += p->others[i]->drops.index.count;
		untracked += p->others[i]->drops.untracked;
	}
	self_set(&p->self->tracked, follows ? tracked : METRIC_ABSENT);
	self_set(&p->self->tracked_limit,
		 follows ? p->config->limits.tracked_sockets : METRIC_ABSENT);
	self_set(&p->self->untracked, follows ? untracked : METRIC_ABSENT);
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

static struct snapshot_sockets *make_sockets(const struct polling *p, enum poll_family family)
{
	const struct sock_groups *other = p->others[family];
	struct snapshot_age age;

	if (family == POLL_FAMILY_TCP)
		return snapshot_sockets_new(&p->aggregate.groups, &p->aggregate.present,
					    &p->aggregate.algorithms, &p->ages[LANE_SOCKETS]);
	age = polling_age(p, LANE_SOCKETS, other->taken_ns);
	age.is_from_procfs = other->is_from_procfs;
	return snapshot_sockets_new(&other->groups, &other->present, NULL, &age);
}

/* Whether there was memory. */
static bool make_parts(struct polling *p, bool with_sockets, struct snapshot_parts *parts)
{
	struct snapshot_age unix_age = polling_age(p, LANE_LISTENERS, p->unix_listeners->taken_ns);
	bool complete;

	unix_age.is_from_procfs = source_is_procfs(&p->sources[POLL_FAMILY_UNIX]);
	parts->listeners = snapshot_listeners_new(&p->listeners, &p->ages[LANE_LISTENERS],
						  &p->ages[LANE_SOCKETS]);
	parts->unix_listeners = snapshot_unix_new(p->unix_listeners, p->catalogue, &unix_age);
	complete = parts->listeners && parts->unix_listeners;
	if (!with_sockets)
		return complete;
	for (unsigned int i = 0; i < POLL_FAMILY_PORTS; i++) {
		parts->sockets[i] = make_sockets(p, i);
		complete = complete && parts->sockets[i];
	}
	parts->host = make_host(p);
	return complete && parts->host;
}

enum poll_failure publishing_run(struct polling *p, bool with_sockets)
{
	struct snapshot_parts parts = {0};

	if (!make_parts(p, with_sockets, &parts)) {
		snapshot_parts_unref(&parts);
		return POLL_FAILURE_MEMORY;
	}
	count_folds(p);
	count_tracked(p);
	if (snapshot_publish(p->exchange, p->catalogue, &parts) < 0)
		return POLL_FAILURE_MEMORY;
	return POLL_FAILURE_NONE;
}
