/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/polling.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "collectors/host_counters.h"
#include "collectors/interface_name.h"
#include "collectors/port_range.h"
#include "collectors/procfs.h"
#include "daemon/core/listener_dump.h"
#include "daemon/core/listener_poll.h"
#include "daemon/core/self_values.h"
#include "daemon/io/clock.h"
#include "daemon/io/log.h"
#include "daemon/listen_drops.h"
#include "daemon/publishing.h"
#include "daemon/settings.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"

static struct polling *polling_of(void *userdata)
{
	return userdata;
}

static void read_port_range(struct polling *p)
{
	char path[PROCFS_PATH_MAX];
	uint16_t low, high;

	procfs_path(p->procfs, "sys/net/ipv4/ip_local_port_range", path);
	if (port_range_read(path, &low, &high) < 0)
		return;
	p->listeners.ephemeral_low = low;
	p->listeners.ephemeral_high = high;
}

static void take_age(struct polling *p, enum lane lane)
{
	p->ages[lane] = (struct snapshot_age){
		.taken_ns = clock_boottime_ns(),
		.stale_after_ns = lane_pace_stale_after_ns(&p->lanes[lane].pace),
		.is_from_procfs = p->sources_of[lane] == POLL_SOURCE_PROCFS,
	};
}

static void begin_listeners(void *userdata, enum poll_family family, enum poll_source source)
{
	struct polling *p = polling_of(userdata);

	(void)family;
	p->sources_of[LANE_LISTENERS] = source;
	listener_poll_begin(&p->listeners);
}

/* A listening socket beyond what the table may hold. */
static void note_excess(struct polling *p)
{
	self_add(&p->self->poll_rows_ignored[LANE_LISTENERS][POLL_IGNORED_EXCESS], 1);
	if (!p->has_excess)
		log_warn("more listening sockets than can be known; the rest is ignored",
			 "limit=%d", LISTENER_MEMBERS_MAX);
	p->has_excess = true;
}

static enum poll_failure add_listeners(void *userdata, enum poll_family family,
				       const struct sock_batch *batch)
{
	const struct sock_record *records = batch->records;
	unsigned int count = batch->count;
	struct polling *p = polling_of(userdata);
	uint64_t now_ns = p->lanes[LANE_LISTENERS].started_ns;
	int r;

	(void)family;
	for (unsigned int i = 0; i < count; i++) {
		if (records[i].state != SOCK_LISTEN)
			continue;
		r = listener_poll_add(&p->listeners, &records[i], now_ns);
		if (r == -ENOMEM)
			return POLL_FAILURE_MEMORY;
		if (r < 0)
			note_excess(p);
	}
	return POLL_FAILURE_NONE;
}

static enum poll_failure commit_listeners(void *userdata, enum poll_family family)
{
	struct polling *p = polling_of(userdata);
	uint64_t now_ns = clock_monotonic_ns();
	struct listener_poll poll = {
		.now_ns = now_ns,
		.realtime_ms = clock_realtime_ns() / NSEC_PER_MSEC,
		.interval_ns = p->lanes[LANE_LISTENERS].pace.current_ns,
	};

	(void)family;
	if (p->sources_of[LANE_LISTENERS] == POLL_SOURCE_NETLINK)
		poll.listen_drops =
			listen_drops_read(p->listen_drops, now_ns,
					  listener_poll_wants_listen_drops(&p->listeners), p->self);

	return listener_poll_commit(&p->listeners, &poll) < 0 ? POLL_FAILURE_MEMORY
							      : POLL_FAILURE_NONE;
}

static enum poll_failure publish_listeners(void *userdata)
{
	struct polling *p = polling_of(userdata);

	take_age(p, LANE_LISTENERS);
	return publishing_run(p, false);
}

static void ended_listeners(void *userdata, bool well)
{
	struct polling *p = polling_of(userdata);

	p->ended(p, LANE_LISTENERS, well);
}

static void begin_sockets(void *userdata, enum poll_family family, enum poll_source source)
{
	struct polling *p = polling_of(userdata);
	uint32_t listeners = p->listeners.series_count;
	struct aggregate_poll poll = {
		.budget = settings_group_budget(p->config, p->catalogue, listeners),
		.now_ns = p->lanes[LANE_SOCKETS].started_ns,
		.has_cookies = source == POLL_SOURCE_NETLINK,
	};

	(void)family;
	p->sources_of[LANE_SOCKETS] = source;
	read_port_range(p);
	listener_dump_begin(&p->listeners);
	aggregate_begin(&p->aggregate, &poll);
}

static enum poll_failure add_sockets(void *userdata, enum poll_family family,
				     const struct sock_batch *batch)
{
	const struct sock_record *records = batch->records;
	unsigned int count = batch->count;
	struct polling *p = polling_of(userdata);

	(void)family;
	connections_prefetch(&p->aggregate.connections, records, count);
	for (unsigned int i = 0; i < count; i++)
		if (aggregate_add(&p->aggregate, &p->listeners, &records[i]) < 0)
			return POLL_FAILURE_MEMORY;
	return POLL_FAILURE_NONE;
}

static enum poll_failure commit_sockets(void *userdata, enum poll_family family)
{
	struct polling *p = polling_of(userdata);

	(void)family;
	counting_drain(&p->counting);
	aggregate_commit(&p->aggregate, &p->listeners, clock_monotonic_ns());
	listener_dump_commit(&p->listeners);
	return POLL_FAILURE_NONE;
}

static enum poll_failure publish_sockets(void *userdata)
{
	struct polling *p = polling_of(userdata);

	take_age(p, LANE_SOCKETS);
	return publishing_run(p, true);
}

static void abort_sockets(void *userdata)
{
	aggregate_abort(&polling_of(userdata)->aggregate);
}

static void ended_sockets(void *userdata, bool well)
{
	struct polling *p = polling_of(userdata);

	p->ended(p, LANE_SOCKETS, well);
}

static void begin_tally(void *userdata, enum poll_family family, enum poll_source source)
{
	(void)source;
	tally_begin(&polling_of(userdata)->tally, family);
}

static enum poll_failure add_tally(void *userdata, enum poll_family family,
				   const struct sock_batch *batch)
{
	for (unsigned int i = 0; i < batch->count; i++)
		if (tally_add(&polling_of(userdata)->tally, family, &batch->records[i]) < 0)
			return POLL_FAILURE_MEMORY;
	return POLL_FAILURE_NONE;
}

static enum poll_failure commit_tally(void *userdata, enum poll_family family)
{
	tally_commit(&polling_of(userdata)->tally, family, clock_boottime_ns());
	return POLL_FAILURE_NONE;
}

static const struct walk_ops listeners_ops = {begin_listeners, add_listeners, commit_listeners,
					      NULL};
static const struct walk_ops sockets_ops = {begin_sockets, add_sockets, commit_sockets,
					    abort_sockets};

static const struct walk_ops tally_ops = {begin_tally, add_tally, commit_tally, NULL};

static const struct lane_walk listeners_walks[] = {
	{{POLL_FAMILY_TCP, SOCK_STATE_BIT(SOCK_LISTEN), INETDIAG_EXT_SKMEM}, &listeners_ops},
};

static const struct lane_walk sockets_walks[] = {
	{{POLL_FAMILY_TCP, SOCK_STATES_ALL,
	  INETDIAG_EXT_INFO | INETDIAG_EXT_SKMEM | INETDIAG_EXT_CONG},
	 &sockets_ops},
	{{POLL_FAMILY_UNIX, UINT32_MAX, 0}, &tally_ops},
	{{POLL_FAMILY_RAW, UINT32_MAX, 0}, &tally_ops},
	{{POLL_FAMILY_PACKET, UINT32_MAX, 0}, &tally_ops},
	{{POLL_FAMILY_NETLINK, UINT32_MAX, 0}, &tally_ops},
};

static const struct {
	const struct lane_walk *walks;
	unsigned int count;
} walks[LANE_END] = {
	[LANE_LISTENERS] = {listeners_walks, ARRAY_SIZE(listeners_walks)},
	[LANE_SOCKETS] = {sockets_walks, ARRAY_SIZE(sockets_walks)},
};

static const struct lane_ops ops[LANE_END] = {
	[LANE_LISTENERS] = {publish_listeners, ended_listeners},
	[LANE_SOCKETS] = {publish_sockets, ended_sockets},
};

static int init_lanes(struct polling *p, const struct polling_settings *s)
{
	struct lane_settings settings = {
		.userdata = p,
		.procfs = s->procfs,
		.sources = p->sources,
		.batch = &p->batch,
		.meter = &p->meter,
		.self = s->self,
	};
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < LANE_END; i++) {
		settings.lane = i;
		settings.walks = walks[i].walks;
		settings.walk_count = walks[i].count;
		settings.ops = &ops[i];
		r = lane_poller_init(&p->lanes[i], s->loop, &settings);
	}
	return r;
}

static int init_counting(struct polling *p, const struct polling_settings *s)
{
	const struct counting_settings settings = {
		.loop = s->loop,
		.connections = &p->aggregate.connections,
		.listeners = &p->listeners,
		.self = s->self,
		.meter = &p->meter,
		.procfs = s->procfs,
	};

	return counting_init(&p->counting, &settings);
}

static uint64_t make_seed(void)
{
	uint64_t seed;

	/* Early in boot there may be no entropy yet: then the clock is better than waiting. */
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
		seed = clock_boottime_ns();
	return seed;
}

int polling_init(struct polling *p, const struct polling_settings *s)
{
	struct group_settings groups = settings_of_groups(s->config, s->catalogue);
	uint64_t seed = make_seed();
	int r;

	memset(p, 0, sizeof(*p));
	for (unsigned int i = 0; i < LANE_END; i++)
		p->lanes[i] = (struct lane_poller)LANE_POLLER_INIT;
	p->listen_drops = listen_drops_new(s->procfs);
	p->host = host_counters_new(s->procfs);
	p->counting = (struct counting)COUNTING_INIT;
	p->catalogue = catalogue_ref(s->catalogue);
	p->procfs = s->procfs;
	p->config = s->config;
	p->exchange = s->exchange;
	p->self = s->self;
	p->ended = s->ended;
	tally_init(&p->tally, seed);
	listener_table_init(&p->listeners, s->catalogue, seed, interface_name_find);
	r = aggregate_init(&p->aggregate, &groups, seed);
	if (r == 0 && (!p->host || !p->listen_drops))
		r = -ENOMEM;
	if (r == 0)
		r = init_counting(p, s);
	if (r == 0)
		r = polling_prepare(p, s->config, s->catalogue);
	if (r < 0)
		return r;
	polling_apply(p, s->config, s->catalogue);
	return init_lanes(p, s);
}

void polling_done(struct polling *p)
{
	/* All zeros: what was to come before has failed, and nothing here was begun. */
	if (!p->catalogue)
		return;
	for (unsigned int i = 0; i < LANE_END; i++)
		lane_poller_done(&p->lanes[i]);
	counting_done(&p->counting);
	listen_drops_free(p->listen_drops);
	host_counters_free(p->host);
	tally_done(&p->tally);
	listener_table_done(&p->listeners);
	aggregate_done(&p->aggregate);
	catalogue_unref(p->catalogue);
}

int polling_prepare(struct polling *p, const struct config *config, struct catalogue *catalogue)
{
	struct group_settings groups = settings_of_groups(config, catalogue);
	int r;

	r = listener_table_prepare(&p->listeners, catalogue);
	if (r < 0)
		return r;
	r = aggregate_prepare(&p->aggregate, &groups);
	if (r < 0)
		listener_table_discard(&p->listeners);
	return r;
}

void polling_discard(struct polling *p)
{
	listener_table_discard(&p->listeners);
	group_table_discard(&p->aggregate.groups);
}

static void configure_source(struct polling *p, const struct config *config,
			     enum poll_family family)
{
	struct source *source = &p->sources[family];

	source_configure(source, settings_source(config));
	source->is_off = !settings_has_family(config, family);
	if (source->is_off)
		for (unsigned int i = 0; i < POLL_SOURCE_END; i++)
			self_set(&p->self->source[family][i], METRIC_ABSENT);
}

void polling_apply(struct polling *p, const struct config *config, struct catalogue *catalogue)
{
	struct group_settings groups = settings_of_groups(config, catalogue);
	struct catalogue *before = p->catalogue;

	listener_table_apply(&p->listeners, catalogue, settings_listener_cap(config, catalogue),
			     config->peak_window_ns, clock_monotonic_ns());
	listener_table_set_ports(&p->listeners, config->ports.server.items,
				 (uint32_t)config->ports.server.count);
	aggregate_apply(&p->aggregate, &groups);
	connections_limit(&p->aggregate.connections,
			  catalogue->counts ? (uint32_t)config->limits.tracked_sockets : 0);
	counting_configure(&p->counting, settings_counters(config, catalogue));
	for (unsigned int i = 0; i < POLL_FAMILY_END; i++)
		configure_source(p, config, i);
	p->catalogue = catalogue_ref(catalogue);
	catalogue_unref(before);
	p->config = config;
}

void polling_start(struct polling *p, enum lane lane)
{
	struct lane_pace pace = settings_of_lane(p->config, lane);

	lane_poller_start(&p->lanes[lane], &pace);
}
