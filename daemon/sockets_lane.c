/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"
#include "daemon/core/listener_dump.h"
#include "daemon/core/sock_groups.h"
#include "daemon/filters.h"
#include "daemon/io/clock.h"
#include "daemon/lanes.h"
#include "daemon/polling.h"
#include "daemon/publishing.h"
#include "daemon/settings.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"

/* How many groups limits.series leaves room for. */
static uint32_t budget(const struct polling *p, enum poll_family family)
{
	struct settings_labels given = {.listeners = p->listeners.series_count};

	for (unsigned int i = POLL_FAMILY_TCP + 1; i < POLL_FAMILY_PORTS; i++)
		given.groups[i] = group_table_labels(&p->others[i]->groups);
	return settings_group_budget(p->config, p->catalogue, family, &given);
}

static const struct filter_request *begin_tcp(void *userdata, enum poll_family family,
					      enum poll_source source)
{
	struct polling *p = userdata;
	struct aggregate_poll poll = {
		.budget = budget(p, family),
		.now_ns = p->lanes[LANE_SOCKETS].started_ns,
		.has_cookies = source == POLL_SOURCE_NETLINK,
		.realtime_ms = clock_realtime_ns() / NSEC_PER_MSEC,
	};

	p->sources_of[LANE_SOCKETS] = source;
	polling_look(p);
	listener_dump_begin(&p->listeners);
	aggregate_begin(&p->aggregate, &poll);
	return filters_request(p->filters);
}

/* Whether a row is one that the configuration wants. The kernel may show more than that. */
static bool is_wanted(const struct filter *filter, const struct sock_record *record)
{
	return !filter || filter_match(filter, record);
}

static enum poll_failure add_tcp(void *userdata, enum poll_family family,
				 const struct sock_batch *batch)
{
	struct polling *p = userdata;
	const struct filter *filter = filters_of_sockets(p->filters);

	(void)family;
	connections_prefetch(&p->aggregate.connections, batch->records, batch->count);
	for (unsigned int i = 0; i < batch->count; i++)
		if (is_wanted(filter, &batch->records[i]) &&
		    aggregate_add(&p->aggregate, &p->listeners, &batch->records[i]) < 0)
			return POLL_FAILURE_MEMORY;
	return POLL_FAILURE_NONE;
}

static enum poll_failure commit_tcp(void *userdata, enum poll_family family)
{
	struct polling *p = userdata;

	(void)family;
	counting_drain(&p->counting);
	aggregate_commit(&p->aggregate, &p->listeners, clock_monotonic_ns());
	listener_dump_commit(&p->listeners, filters_of_sockets(p->filters) != NULL);
	return POLL_FAILURE_NONE;
}

/* A kernel that does not know an instruction of the filter refuses all of it. */
static void note_refusal(struct polling *p, enum poll_failure reason)
{
	if (reason == POLL_FAILURE_REFUSED)
		filters_refused(p->filters);
}

static void abort_tcp(void *userdata, enum poll_failure reason)
{
	struct polling *p = userdata;

	note_refusal(p, reason);
	aggregate_abort(&p->aggregate);
}

/* UDP and MPTCP. Connections of TCP come first where limits.tracked_sockets is met. */
static const struct filter_request *begin_other(void *userdata, enum poll_family family,
						enum poll_source source)
{
	struct polling *p = userdata;
	uint64_t limit = p->catalogue->counts ? p->config->limits.tracked_sockets : 0;
	uint64_t used = p->aggregate.connections.track.count;

	polling_look(p);
	sock_groups_begin(p->others[family],
			  &(struct sock_groups_walk){
				  .budget = budget(p, family),
				  .tracked = (uint32_t)(limit - MIN(limit, used)),
				  .is_from_procfs = source == POLL_SOURCE_PROCFS,
				  .realtime_ms = clock_realtime_ns() / NSEC_PER_MSEC,
			  });
	return filters_request(p->filters);
}

static enum poll_failure add_other(void *userdata, enum poll_family family,
				   const struct sock_batch *batch)
{
	struct polling *p = userdata;
	const struct filter *filter = filters_of_sockets(p->filters);

	for (unsigned int i = 0; i < batch->count; i++)
		if (is_wanted(filter, &batch->records[i]) &&
		    sock_groups_add(p->others[family], &p->listeners, &batch->records[i]) < 0)
			return POLL_FAILURE_MEMORY;
	return POLL_FAILURE_NONE;
}

static enum poll_failure commit_other(void *userdata, enum poll_family family)
{
	struct polling *p = userdata;

	sock_groups_commit(p->others[family], clock_monotonic_ns(), clock_boottime_ns());
	return POLL_FAILURE_NONE;
}

static void abort_other(void *userdata, enum poll_failure reason)
{
	note_refusal(userdata, reason);
}

static const struct filter_request *begin_tally(void *userdata, enum poll_family family,
						enum poll_source source)
{
	struct polling *p = userdata;

	(void)source;
	tally_begin(&p->tally, family);
	return NULL;
}

static enum poll_failure add_tally(void *userdata, enum poll_family family,
				   const struct sock_batch *batch)
{
	struct polling *p = userdata;

	for (unsigned int i = 0; i < batch->count; i++)
		if (tally_add(&p->tally, family, &batch->records[i]) < 0)
			return POLL_FAILURE_MEMORY;
	return POLL_FAILURE_NONE;
}

static enum poll_failure commit_tally(void *userdata, enum poll_family family)
{
	struct polling *p = userdata;

	tally_commit(&p->tally, family, clock_boottime_ns());
	return POLL_FAILURE_NONE;
}

static enum poll_failure publish(void *userdata)
{
	struct polling *p = userdata;

	p->ages[LANE_SOCKETS] = polling_age(p, LANE_SOCKETS, clock_boottime_ns());
	return publishing_run(p, true);
}

static void ended(void *userdata, bool well)
{
	struct polling *p = userdata;

	p->ended(p, LANE_SOCKETS, well);
}

static const struct walk_ops tcp_ops = {begin_tcp, add_tcp, commit_tcp, abort_tcp, NULL};
static const struct walk_ops other_ops = {begin_other, add_other, commit_other, abort_other, NULL};
static const struct walk_ops tally_ops = {begin_tally, add_tally, commit_tally, NULL, NULL};

static const struct lane_walk walks[] = {
	{{POLL_FAMILY_TCP, SOCK_STATES_ALL,
	  INETDIAG_EXT_INFO | INETDIAG_EXT_SKMEM | INETDIAG_EXT_CONG},
	 &tcp_ops,
	 false},
	{{POLL_FAMILY_UDP, UINT32_MAX, INETDIAG_EXT_SKMEM}, &other_ops, false},
	{{POLL_FAMILY_MPTCP, SOCK_STATES_ALL, 0}, &other_ops, false},
	{{POLL_FAMILY_UNIX, UINT32_MAX, 0}, &tally_ops, false},
	{{POLL_FAMILY_RAW, UINT32_MAX, 0}, &tally_ops, false},
	{{POLL_FAMILY_PACKET, UINT32_MAX, 0}, &tally_ops, false},
	{{POLL_FAMILY_NETLINK, UINT32_MAX, 0}, &tally_ops, false},
};

const struct lane_definition sockets_lane = {
	.walks = walks,
	.walk_count = ARRAY_SIZE(walks),
	.ops = {publish, ended},
};
