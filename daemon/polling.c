/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/polling.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "collectors/host_counters.h"
#include "collectors/interface_name.h"
#include "collectors/port_range.h"
#include "collectors/procfs.h"
#include "daemon/core/listener_owner.h"
#include "daemon/core/self_values.h"
#include "daemon/core/sock_groups.h"
#include "daemon/core/unix_listeners.h"
#include "daemon/filters.h"
#include "daemon/io/clock.h"
#include "daemon/lanes.h"
#include "daemon/listen_drops.h"
#include "daemon/settings.h"
#include "daemon/unit_search.h"
#include "daemon/util/macros.h"

struct snapshot_age polling_age(const struct polling *p, enum lane lane, uint64_t taken_ns)
{
	return (struct snapshot_age){
		.taken_ns = taken_ns,
		.stale_after_ns = lane_pace_stale_after_ns(&p->lanes[lane].pace),
		.is_from_procfs = p->sources_of[lane] == POLL_SOURCE_PROCFS,
	};
}

void polling_look(struct polling *p)
{
	char path[PROCFS_PATH_MAX];
	uint16_t low, high;

	procfs_path(p->procfs, "sys/net/ipv4/ip_local_port_range", path);
	if (port_range_read(path, &low, &high) == 0) {
		p->listeners.ephemeral_low = low;
		p->listeners.ephemeral_high = high;
	}
	filters_resolve(p->filters, p->listeners.ephemeral_low, p->listeners.ephemeral_high);
}

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
	static const struct lane_definition *const definitions[LANE_END] = {
		[LANE_LISTENERS] = &listeners_lane,
		[LANE_SOCKETS] = &sockets_lane,
	};
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < LANE_END; i++) {
		settings.lane = i;
		settings.walks = definitions[i]->walks;
		settings.walk_count = definitions[i]->walk_count;
		settings.ops = &definitions[i]->ops;
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

/* Where each family's groups are. */
static struct group_table *groups_of(struct polling *p, unsigned int family)
{
	return family == POLL_FAMILY_TCP ? &p->aggregate.groups : &p->others[family]->groups;
}

static int init_groups(struct polling *p, const struct polling_settings *s, uint64_t seed)
{
	struct group_settings settings =
		settings_of_groups(s->config, s->catalogue, POLL_FAMILY_TCP);
	int r = aggregate_init(&p->aggregate, &settings, seed);

	for (unsigned int i = POLL_FAMILY_TCP + 1; r == 0 && i < POLL_FAMILY_PORTS; i++) {
		settings = settings_of_groups(s->config, s->catalogue, i);
		p->others[i] = sock_groups_new(&settings, seed);
		r = p->others[i] ? 0 : -ENOMEM;
	}
	return r;
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
	uint64_t seed = make_seed();
	int r;

	memset(p, 0, sizeof(*p));
	for (unsigned int i = 0; i < LANE_END; i++)
		p->lanes[i] = (struct lane_poller)LANE_POLLER_INIT;
	p->listen_drops = listen_drops_new(s->procfs);
	p->host = host_counters_new(s->procfs);
	p->counting = (struct counting)COUNTING_INIT;
	p->unit_search = unit_search_new(s->self);
	p->catalogue = catalogue_ref(s->catalogue);
	p->procfs = s->procfs;
	p->config = s->config;
	p->exchange = s->exchange;
	p->self = s->self;
	p->ended = s->ended;
	p->is_once = s->is_once;
	tally_init(&p->tally, seed);
	p->unix_listeners = unix_listeners_new(seed);
	p->filters = filters_new(s->config);
	listener_table_init(&p->listeners, s->catalogue, seed, interface_name_find);
	r = init_groups(p, s, seed);
	if (r == 0 &&
	    (!p->host || !p->listen_drops || !p->unix_listeners || !p->filters || !p->unit_search))
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
	unix_listeners_free(p->unix_listeners);
	filters_free(p->filters);
	unit_search_free(p->unit_search);
	listener_table_done(&p->listeners);
	aggregate_done(&p->aggregate);
	for (unsigned int i = POLL_FAMILY_TCP + 1; i < POLL_FAMILY_PORTS; i++)
		sock_groups_free(p->others[i]);
	catalogue_unref(p->catalogue);
}

int polling_prepare(struct polling *p, const struct config *config, struct catalogue *catalogue)
{
	int r = listener_table_prepare(&p->listeners, catalogue);

	for (unsigned int i = 0; r == 0 && i < POLL_FAMILY_PORTS; i++) {
		struct group_settings settings = settings_of_groups(config, catalogue, i);

		r = group_table_prepare(groups_of(p, i), &settings);
	}
	if (r < 0)
		polling_discard(p);
	return r;
}

void polling_discard(struct polling *p)
{
	listener_table_discard(&p->listeners);
	for (unsigned int i = 0; i < POLL_FAMILY_PORTS; i++)
		group_table_discard(groups_of(p, i));
}

static void apply_groups(struct polling *p, const struct config *config,
			 struct catalogue *catalogue)
{
	struct group_settings settings = settings_of_groups(config, catalogue, POLL_FAMILY_TCP);

	aggregate_apply(&p->aggregate, &settings);
	for (unsigned int i = POLL_FAMILY_TCP + 1; i < POLL_FAMILY_PORTS; i++) {
		settings = settings_of_groups(config, catalogue, i);
		sock_groups_apply(p->others[i], &settings);
	}
}

static void configure_source(struct polling *p, const struct config *config,
			     const struct catalogue *catalogue, enum poll_family family)
{
	bool is_watched = settings_watches(config, catalogue, family);
	struct source *source = &p->sources[family];

	source_configure(source, settings_source(config));
	source->is_off = !is_watched;
	source->lacks_procfs = family == POLL_FAMILY_MPTCP;
	if (!is_watched)
		for (unsigned int i = 0; i < POLL_SOURCE_END; i++)
			self_set(&p->self->source[family][i], METRIC_ABSENT);
}

/* Where others are watched than before, what is new was not born, and what is missing not closed.
 */
static void apply_filters(struct polling *p, const struct config *config)
{
	if (filters_configure(p->filters, config)) {
		connections_start_over(&p->aggregate.connections);
		for (unsigned int i = POLL_FAMILY_TCP + 1; i < POLL_FAMILY_PORTS; i++)
			sock_groups_start_over(p->others[i]);
	}
	p->aggregate.connections.filter = config->socket_filter.filter;
	p->listeners.filter = config->listener_filter.filter;
	polling_look(p);
}

/* Who was followed keeps its class until it is seen again, if that has a name still. */
static void apply_classes(struct polling *p, const struct config *config,
			  const struct catalogue *catalogue)
{
	struct connections *connections = &p->aggregate.connections;
	struct class_map map;

	settings_of_classes(config, &p->classes);
	if (connections->classes || classes_exist(&p->classes)) {
		class_map_init(&map, &p->catalogue->names, &catalogue->names);
		connections_rename(connections, &map);
	}
	connections->classes = classes_exist(&p->classes) ? &p->classes : NULL;
	p->others[POLL_FAMILY_MPTCP]->classes = connections->classes;
}

void polling_apply(struct polling *p, const struct config *config, struct catalogue *catalogue)
{
	struct catalogue *before = p->catalogue;

	listener_table_apply(&p->listeners, catalogue, settings_listener_cap(config, catalogue),
			     config->peak_window_ns, clock_monotonic_ns());
	listener_owner_enable(&p->listeners, config->units != CONFIG_UNITS_OFF);
	unix_listeners_configure(p->unix_listeners, (uint32_t)config->limits.unix_listeners,
				 config->peak_window_ns);
	listener_table_set_ports(&p->listeners, config->ports.server.items,
				 (uint32_t)config->ports.server.count);
	apply_groups(p, config, catalogue);
	apply_classes(p, config, catalogue);
	connections_limit(&p->aggregate.connections,
			  settings_counters(config, catalogue) == CONFIG_COUNTERS_OFF
				  ? 0
				  : (uint32_t)config->limits.tracked_sockets);
	counting_configure(&p->counting, settings_counters(config, catalogue));
	for (unsigned int i = 0; i < POLL_FAMILY_END; i++)
		configure_source(p, config, catalogue, i);
	apply_filters(p, config);
	p->catalogue = catalogue_ref(catalogue);
	catalogue_unref(before);
	p->config = config;
}

void polling_start(struct polling *p, enum lane lane)
{
	struct lane_pace pace = settings_of_lane(p->config, lane);

	lane_poller_start(&p->lanes[lane], &pace);
}
