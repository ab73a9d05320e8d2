/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/settings.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "build_config.h"
#include "config/config_value.h"
#include "daemon/options.h"
#include "daemon/util/cleanup.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"

/* The fast lane stretches no further than this, whatever poll.cpu_limit says. */
#define LISTENERS_MAX_NS NSEC_PER_SEC

DEFINE_CLEANUP(struct config *, config, config_free);

static int PRINTF_LIKE(3, 4)
	flag_fault(struct config_errors *errors, const char *key, const char *format, ...)
{
	struct config_error *e = &errors->items[0];
	va_list args;

	*e = (struct config_error){0};
	snprintf(e->key, sizeof(e->key), "%s", key);
	va_start(args, format);
	vsnprintf(e->what, sizeof(e->what), format, args);
	va_end(args);
	errors->count = 1;
	errors->total = 1;
	return -EINVAL;
}

static int override_addresses(struct config *c, const struct options *o,
			      struct config_errors *errors)
{
	struct config_address address;
	int r;

	for (size_t i = 0; i < o->listen_address_count; i++)
		if (config_address_parse(o->listen_addresses[i], &address) < 0)
			return flag_fault(
				errors, "--web.listen-address",
				"'%s' is not ADDRESS:PORT or :PORT, with a numeric address",
				o->listen_addresses[i]);
	if (o->listen_address_count == 0)
		return 0;
	r = config_set_listen_addresses(c, o->listen_addresses, o->listen_address_count);
	if (r == -EINVAL)
		return flag_fault(errors, "--web.listen-address", "an address is given twice");
	return r;
}

static int override_max_requests(struct config *c, const struct options *o,
				 struct config_errors *errors)
{
	const struct config_key *key = &config_keys[config_key_find("web.max_requests")];
	struct config_fault fault;
	int r = config_value_add(key, c, o->max_requests, &fault);

	if (r == -EINVAL)
		return flag_fault(errors, "--web.max-requests", "'%s' %s", o->max_requests,
				  fault.what);
	return r;
}

static int override(struct config *c, const struct options *o, struct config_errors *errors)
{
	int r = override_addresses(c, o, errors);

	if (o->source >= 0)
		c->source = o->source;
	if (o->enable_lifecycle)
		c->web.enable_lifecycle = 1;
	if (r == 0 && o->max_requests)
		r = override_max_requests(c, o, errors);
	if (r < 0 || !o->telemetry_path)
		return r;
	r = config_set_telemetry_path(c, o->telemetry_path);
	if (r == -EINVAL)
		return flag_fault(errors, "--web.telemetry-path",
				  "'%s' must begin with '/', and be neither '/' nor below '/-/'",
				  o->telemetry_path);
	return r;
}

static_assert(CONFIG_VIEWS_MAX == CLASS_VIEWS_MAX && CONFIG_PEERS_MAX == CLASS_PEERS_MAX,
	      "each has a place");

const char *settings_find_file(const struct options *o)
{
	if (o->config_file)
		return o->config_file;
	/* One that is there and cannot be read is for settings_load() to say. */
	return access(BUILD_DEFAULT_CONFIG, F_OK) < 0 && errno == ENOENT ? NULL
									 : BUILD_DEFAULT_CONFIG;
}

static int load(const char *path, struct config_errors *errors, struct config **ret_config)
{
	if (path)
		return config_load(path, errors, ret_config);
	*ret_config = config_new();
	return *ret_config ? 0 : -ENOMEM;
}

int settings_load(const struct options *o, const char *path, struct config_errors *errors,
		  struct config **ret_config)
{
	_cleanup_(cleanup_config) struct config *c = NULL;
	int r;

	memset(errors, 0, sizeof(*errors));
	r = load(path, errors, &c);
	if (r == 0)
		r = override(c, o, errors);
	if (r < 0)
		return r;
	*ret_config = take_ptr(c);
	return 0;
}

void settings_describe_error(const char *path, const struct config_error *error,
			     char ret_text[SETTINGS_ERROR_MAX])
{
	const char *separator = error->key[0] ? ": " : "";

	if (error->line > 0)
		snprintf(ret_text, SETTINGS_ERROR_MAX, "%s:%u:%u: %s%s%s", path, error->line,
			 error->column, error->key, separator, error->what);
	else if (error->key[0] == '-')
		snprintf(ret_text, SETTINGS_ERROR_MAX, "%s: %s", error->key, error->what);
	else
		snprintf(ret_text, SETTINGS_ERROR_MAX, "%s: %s%s%s", path, error->key, separator,
			 error->what);
}

void settings_of_classes(const struct config *c, struct classes *ret_classes)
{
	const struct config_view *views = c->views.items;

	*ret_classes = (struct classes){
		.view_count = (unsigned int)c->views.count,
		.peers = c->peer_prefixes,
	};
	for (size_t i = 0; i < c->views.count; i++)
		ret_classes->views[i] = views[i].filter.filter;
	classes_init(ret_classes);
}

/* Terminated; NULL: there are none. */
static const char **name_views(const struct config *c, const char *names[CLASS_VIEWS_MAX + 1])
{
	const struct config_view *views = c->views.items;

	for (size_t i = 0; i < c->views.count; i++)
		names[i] = views[i].name;
	names[c->views.count] = NULL;
	return c->views.count > 0 ? names : NULL;
}

static const char **name_peers(const struct config *c, const char *names[CLASS_PEERS_MAX + 1])
{
	const struct config_peer *peers = c->peers.items;

	for (size_t i = 0; i < c->peers.count; i++)
		names[i] = peers[i].name;
	names[c->peers.count] = NULL;
	return c->peers.count > 0 ? names : NULL;
}

int settings_make_catalogue(const struct config *c, bool once, struct catalogue **ret_catalogue)
{
	const char *views[CLASS_VIEWS_MAX + 1], *peers[CLASS_PEERS_MAX + 1];
	struct catalogue_settings s = {
		.extended = c->metrics.profile == CONFIG_PROFILE_EXTENDED,
		.once = once,
		.counts = !once && c->counters != CONFIG_COUNTERS_OFF,
		.created = !once && c->metrics.created,
		.native = !once && c->histograms.native,
		.names = {name_views(c, views), name_peers(c, peers)},
		.include = (const char *const *)c->metrics.include.items,
		.include_count = c->metrics.include.count,
		.exclude = (const char *const *)c->metrics.exclude.items,
		.exclude_count = c->metrics.exclude.count,
	};
	const struct config_buckets *buckets[METRIC_BUCKETS_END] = {
		[METRIC_BUCKETS_RTT] = &c->histograms.rtt_seconds,
		[METRIC_BUCKETS_CWND] = &c->histograms.congestion_window_segments,
		[METRIC_BUCKETS_DELIVERY_RATE] = &c->histograms.delivery_rate_bytes_per_second,
		[METRIC_BUCKETS_FILL_RATIO] = &c->histograms.fill_ratio,
		[METRIC_BUCKETS_CLOSED_BYTES] = &c->histograms.closed_bytes,
	};

	for (unsigned int i = 0; i < POLL_FAMILY_END; i++)
		s.is_off[i] = !settings_has_family(c, i);
	for (unsigned int i = 0; i < METRIC_BUCKETS_END; i++) {
		if (!buckets[i])
			continue;
		s.buckets[i].bounds = buckets[i]->bounds;
		s.buckets[i].count = (unsigned int)buckets[i]->count;
	}
	return catalogue_new(&s, ret_catalogue);
}

struct group_settings settings_of_groups(const struct config *c, struct catalogue *catalogue,
					 enum poll_family family)
{
	struct group_settings settings = {
		.family = family,
		.catalogue = catalogue,
		.ports = (uint32_t)c->limits.ports,
		.idle_ns = c->limits.idle_ns,
		.configured = {[GROUP_SERVER] = c->ports.server.items,
			       [GROUP_CLIENT] = c->ports.client.items},
		.configured_count = {[GROUP_SERVER] = (uint32_t)c->ports.server.count,
				     [GROUP_CLIENT] = (uint32_t)c->ports.client.count},
	};

	/* Its ports are all local. */
	if (family == POLL_FAMILY_UDP)
		settings.configured_count[GROUP_CLIENT] = 0;
	return settings;
}

int settings_counters(const struct config *c, const struct catalogue *catalogue)
{
	if (!catalogue->counts || !c->families_tcp)
		return CONFIG_COUNTERS_OFF;
	/* Events come from netlink alone. */
	return c->source == CONFIG_SOURCE_PROCFS ? (int)CONFIG_COUNTERS_POLLED : c->counters;
}

bool settings_has_family(const struct config *c, enum poll_family family)
{
	const int wanted[POLL_FAMILY_END] = {
		[POLL_FAMILY_TCP] = c->families_tcp,     [POLL_FAMILY_UDP] = c->families_udp,
		[POLL_FAMILY_MPTCP] = c->families_mptcp, [POLL_FAMILY_UNIX] = c->families_unix,
		[POLL_FAMILY_RAW] = c->families_raw,     [POLL_FAMILY_PACKET] = c->families_raw,
		[POLL_FAMILY_NETLINK] = c->families_raw,
	};

	return wanted[family];
}

bool settings_watches(const struct config *c, const struct catalogue *catalogue,
		      enum poll_family family)
{
	/* The listeners and sides of TCP are asked for by other families as well. */
	return settings_has_family(c, family) &&
	       (family == POLL_FAMILY_TCP || catalogue_watches(catalogue, family));
}

enum source_mode settings_source(const struct config *c)
{
	static const enum source_mode modes[] = {
		[CONFIG_SOURCE_AUTO] = SOURCE_AUTO,
		[CONFIG_SOURCE_NETLINK] = SOURCE_NETLINK_ONLY,
		[CONFIG_SOURCE_PROCFS] = SOURCE_PROCFS_ONLY,
	};

	return modes[c->source];
}

struct lane_pace settings_of_lane(const struct config *c, enum lane lane)
{
	struct lane_pace pace;

	if (lane == LANE_LISTENERS)
		lane_pace_init(&pace, c->poll.listeners_ns, LISTENERS_MAX_NS, c->poll.cpu_limit,
			       false);
	else
		lane_pace_init(&pace, c->poll.sockets_ns, c->poll.sockets_max_ns, c->poll.cpu_limit,
			       true);
	return pace;
}

static uint64_t fixed_series(const struct config *c, const struct catalogue *catalogue)
{
	uint64_t series = catalogue->self_series + catalogue->host_series;

	series += (c->limits.unix_listeners + 1) * catalogue->unix_series;

	for (unsigned int i = 0; i < POLL_FAMILY_PORTS; i++)
		series += (uint64_t)GROUP_SHARED * catalogue->groups[i].series;
	return series;
}

uint32_t settings_listener_cap(const struct config *c, const struct catalogue *catalogue)
{
	uint64_t fixed = fixed_series(c, catalogue) + catalogue->listener_series;
	uint64_t left = c->limits.series - MIN(c->limits.series, fixed);

	return (uint32_t)MIN(c->limits.listeners, left / MAX(catalogue->listener_series, 1));
}

uint32_t settings_group_budget(const struct config *c, const struct catalogue *catalogue,
			       enum poll_family family, const struct settings_labels *given)
{
	uint64_t used = fixed_series(c, catalogue);
	uint64_t left;

	used += (uint64_t)given->listeners * catalogue->listener_series;
	for (unsigned int i = family + 1; i < POLL_FAMILY_PORTS; i++)
		used += (uint64_t)given->groups[i] * catalogue->groups[i].series;
	left = c->limits.series - MIN(c->limits.series, used);
	return (uint32_t)MIN(left / MAX(catalogue->groups[family].series, 1), UINT16_MAX);
}
