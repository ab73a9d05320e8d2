/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_schema.h"

#include <assert.h>

#include "config/config_check.h"
#include "config/config_entries.h"
#include "daemon/util/macros.h"

#define AT(member) .offset = offsetof(struct config, member)

static const char *const profiles[] = {
	[CONFIG_PROFILE_CORE] = "core",
	[CONFIG_PROFILE_EXTENDED] = "extended",
	NULL,
};

static const char *const counters[] = {
	[CONFIG_COUNTERS_OFF] = "off",
	[CONFIG_COUNTERS_POLLED] = "polled",
	[CONFIG_COUNTERS_EXACT] = "exact",
	[CONFIG_COUNTERS_AUTO] = "auto",
	NULL,
};

static const char *const units[] = {
	[CONFIG_UNITS_OFF] = "off",
	[CONFIG_UNITS_LISTENERS] = "listeners",
	NULL,
};

/* YAML's own words; no others are taken. */
static const char *const booleans[] = {"false", "true", NULL};

static const char *const sources[] = {
	[CONFIG_SOURCE_AUTO] = "auto",
	[CONFIG_SOURCE_NETLINK] = "netlink",
	[CONFIG_SOURCE_PROCFS] = "procfs",
	NULL,
};

const struct config_key config_keys[] = {
	{
		.path = "web.listen_addresses",
		.type = CONFIG_TYPE_STRINGS,
		.fallback = ":17625",
		.check = config_check_address,
		.not_empty = true,
		AT(web.listen_addresses),
		.help = "Where to listen: \":PORT\" for IPv4 and IPv6, \"A.B.C.D:PORT\", "
			"\"[v6]:PORT\".",
	},
	{
		.path = "web.telemetry_path",
		.type = CONFIG_TYPE_STRING,
		.fallback = "/metrics",
		.check = config_check_path,
		AT(web.telemetry_path),
		.help = "The path that Prometheus scrapes.",
	},
	{
		.path = "web.max_connections",
		.type = CONFIG_TYPE_U64,
		.fallback = "64",
		.min = "1",
		.max = "4096",
		AT(web.max_connections),
		.help = "Connections served at a time.",
	},
	{
		.path = "web.max_requests",
		.type = CONFIG_TYPE_U64,
		.fallback = "40",
		.min = "0",
		.max = "4096",
		AT(web.max_requests),
		.help = "Scrapes under way at a time; 0: any number.",
	},
	{
		.path = "web.enable_lifecycle",
		.type = CONFIG_TYPE_CHOICE,
		.fallback = "false",
		.choices = booleans,
		AT(web.enable_lifecycle),
		.help = "Whether POST /-/reload reloads the configuration.",
	},
	{
		.path = "poll.listeners",
		.type = CONFIG_TYPE_DURATION,
		.fallback = "100ms",
		.min = "1ms",
		.max = "1s",
		AT(poll.listeners_ns),
		.help = "How often the listeners' queues are read.",
	},
	{
		.path = "poll.sockets",
		.type = CONFIG_TYPE_DURATION,
		.fallback = "5s",
		.min = "100ms",
		.max = "1h",
		AT(poll.sockets_ns),
		.help = "How often all sockets are read.",
	},
	{
		.path = "poll.sockets_max",
		.type = CONFIG_TYPE_DURATION,
		.fallback = "60s",
		.min = "100ms",
		.max = "1h",
		.not_below = "poll.sockets",
		AT(poll.sockets_max_ns),
		.help = "How far poll.sockets may stretch to stay below poll.cpu_limit.",
	},
	{
		.path = "poll.cpu_limit",
		.type = CONFIG_TYPE_DOUBLE,
		.fallback = "0.02",
		.min = "0.001",
		.max = "1",
		AT(poll.cpu_limit),
		.help = "The share of one core that each of the two polls may take.",
	},
	{
		.path = "source",
		.type = CONFIG_TYPE_CHOICE,
		.fallback = "auto",
		.choices = sources,
		AT(source),
		.help = "Where sockets are read: netlink, procfs, or auto: /proc while netlink "
			"does "
			"not serve.",
	},
	{
		.path = "peak_window",
		.type = CONFIG_TYPE_DURATION,
		.fallback = "2m",
		.min = "1s",
		.max = "1h",
		AT(peak_window_ns),
		.help = "How long a peak is shown: longer than the longest scrape interval.",
	},
	{
		.path = "metrics.profile",
		.type = CONFIG_TYPE_CHOICE,
		.fallback = "core",
		.choices = profiles,
		AT(metrics.profile),
		.help = "Which metrics are exported: core or extended; see sockstatd "
			"--list-metrics.",
	},
	{
		.path = "metrics.include",
		.type = CONFIG_TYPE_STRINGS,
		.fallback = "",
		.check = config_check_family,
		AT(metrics.include),
		.help = "Metrics to export besides those of the profile; * stands for any letters.",
	},
	{
		.path = "metrics.exclude",
		.type = CONFIG_TYPE_STRINGS,
		.fallback = "",
		.check = config_check_family,
		AT(metrics.exclude),
		.help = "Metrics to leave out; * stands for any letters.",
	},
	{
		.path = "metrics.created",
		.type = CONFIG_TYPE_CHOICE,
		.fallback = "false",
		.choices = booleans,
		AT(metrics.created),
		.help = "Whether OpenMetrics and protobuf tell since when each counter counts.",
	},
	{
		.path = "ports.server",
		.type = CONFIG_TYPE_PORTS,
		.fallback = "",
		.min = "1",
		.max = "65535",
		AT(ports.server),
		.help = "Ports served here that always have a label of their own.",
	},
	{
		.path = "ports.client",
		.type = CONFIG_TYPE_PORTS,
		.fallback = "",
		.min = "1",
		.max = "65535",
		AT(ports.client),
		.help = "Ports connected to that always have a label of their own.",
	},
	{
		.path = "listener_filter",
		.type = CONFIG_TYPE_FILTER,
		.fallback = "",
		AT(listener_filter),
		.help = "Which listeners are shown, as ss writes filters; empty: all.",
	},
	{
		.path = "socket_filter",
		.type = CONFIG_TYPE_FILTER,
		.fallback = "",
		AT(socket_filter),
		.help = "Which TCP, UDP and MPTCP sockets are watched, as ss writes filters; "
			"empty: all.",
	},
	{
		.path = "views",
		.type = CONFIG_TYPE_MAPS,
		.fallback = "",
		.entries = &config_entries_views,
		.most = CONFIG_VIEWS_MAX,
		AT(views),
		.help = "Names for connections, as the label view: the first whose filter matches.",
	},
	{
		.path = "peers",
		.type = CONFIG_TYPE_MAPS,
		.fallback = "",
		.entries = &config_entries_peers,
		.most = CONFIG_PEERS_MAX,
		AT(peers),
		.help = "Names for remote addresses, as the label peer: the longest prefix.",
	},
	{
		.path = "families.tcp",
		.type = CONFIG_TYPE_CHOICE,
		.fallback = "true",
		.choices = booleans,
		AT(families_tcp),
		.help = "Whether TCP sockets are watched.",
	},
	{
		.path = "families.udp",
		.type = CONFIG_TYPE_CHOICE,
		.fallback = "true",
		.choices = booleans,
		AT(families_udp),
		.help = "Whether UDP sockets are watched.",
	},
	{
		.path = "families.unix",
		.type = CONFIG_TYPE_CHOICE,
		.fallback = "true",
		.choices = booleans,
		AT(families_unix),
		.help = "Whether UNIX sockets are watched.",
	},
	{
		.path = "families.raw",
		.type = CONFIG_TYPE_CHOICE,
		.fallback = "true",
		.choices = booleans,
		AT(families_raw),
		.help = "Whether raw, packet and netlink sockets are counted.",
	},
	{
		.path = "families.mptcp",
		.type = CONFIG_TYPE_CHOICE,
		.fallback = "true",
		.choices = booleans,
		AT(families_mptcp),
		.help = "Whether MPTCP sockets are watched, which have metrics in the extended "
			"profile.",
	},
	{
		.path = "counters",
		.type = CONFIG_TYPE_CHOICE,
		.fallback = "auto",
		.choices = counters,
		AT(counters),
		.help = "How connections are counted: off, polled, exact or auto.",
	},
	{
		.path = "units",
		.type = CONFIG_TYPE_CHOICE,
		.fallback = "listeners",
		.choices = units,
		AT(units),
		.help = "Whose units, containers and users are named: of listeners, or off.",
	},
	{
		.path = "limits.listeners",
		.type = CONFIG_TYPE_U64,
		.fallback = "200",
		.min = "1",
		.max = "10000",
		AT(limits.listeners),
		.help = "Listeners with a label of their own; the rest is shown as \"other\".",
	},
	{
		.path = "limits.ports",
		.type = CONFIG_TYPE_U64,
		.fallback = "64",
		.min = "1",
		.max = "4096",
		AT(limits.ports),
		.help = "Ports with a label of their own, on each side; the rest is shown as "
			"\"other\".",
	},
	{
		.path = "limits.series",
		.type = CONFIG_TYPE_U64,
		.fallback = "10000",
		.min = "1000",
		.max = "1000000",
		AT(limits.series),
		.help = "Series exported at most; beyond it the quietest groups are folded "
			"together.",
	},
	{
		.path = "limits.unix_listeners",
		.type = CONFIG_TYPE_U64,
		.fallback = "64",
		.min = "1",
		.max = "4096",
		AT(limits.unix_listeners),
		.help = "Paths of UNIX listeners with a label of their own; the rest is shown as "
			"\"other\".",
	},
	{
		.path = "limits.tracked_sockets",
		.type = CONFIG_TYPE_U64,
		.fallback = "500000",
		.min = "1000",
		.max = "10000000",
		AT(limits.tracked_sockets),
		.help = "Sockets followed from poll to poll for the counters of connections.",
	},
	{
		.path = "limits.idle",
		.type = CONFIG_TYPE_DURATION,
		.fallback = "1h",
		.min = "1m",
		.max = "30d",
		AT(limits.idle_ns),
		.help = "How long a port without sockets is still shown.",
	},
	{
		.path = "histograms.native",
		.type = CONFIG_TYPE_CHOICE,
		.fallback = "false",
		.choices = booleans,
		AT(histograms.native),
		.help = "Whether histograms are native ones as well, for who scrapes protobuf.",
	},
	{
		.path = "histograms.rtt_seconds",
		.type = CONFIG_TYPE_BUCKETS,
		.fallback = "0.00005 0.0001 0.0002 0.0005 0.001 0.002 0.005 0.01 0.02 0.05 0.1 0.2 "
			    "0.5 1",
		.min = "0",
		.not_empty = true,
		AT(histograms.rtt_seconds),
		.help = "Upper bounds of the buckets for round-trip times.",
	},
	{
		.path = "histograms.congestion_window_segments",
		.type = CONFIG_TYPE_BUCKETS,
		.fallback = "1 2 4 8 10 16 32 64 128 256 512 1024",
		.min = "0",
		.not_empty = true,
		AT(histograms.congestion_window_segments),
		.help = "Upper bounds of the buckets for congestion windows.",
	},
	{
		.path = "histograms.delivery_rate_bytes_per_second",
		.type = CONFIG_TYPE_BUCKETS,
		.fallback = "1e3 1e4 1e5 1e6 1e7 1e8 1e9 1e10",
		.min = "0",
		.not_empty = true,
		AT(histograms.delivery_rate_bytes_per_second),
		.help = "Upper bounds of the buckets for delivery rates.",
	},
	{
		.path = "histograms.closed_bytes",
		.type = CONFIG_TYPE_BUCKETS,
		.fallback = "0 100 1e3 1e4 1e5 1e6 1e7 1e8 1e9",
		.min = "0",
		.not_empty = true,
		AT(histograms.closed_bytes),
		.help = "Upper bounds of the buckets for the bytes of connections that closed.",
	},
	{
		.path = "histograms.fill_ratio",
		.type = CONFIG_TYPE_BUCKETS,
		.fallback = "0 0.1 0.25 0.5 0.75 0.9 0.99 1",
		.min = "0",
		.not_empty = true,
		AT(histograms.fill_ratio),
		.help = "Upper bounds of the buckets for how full an accept queue is.",
	},
};

const size_t config_keys_count = ARRAY_SIZE(config_keys);
const struct config_schema config_schema = {config_keys, ARRAY_SIZE(config_keys), NULL, 0};
static_assert(ARRAY_SIZE(config_keys) <= CONFIG_KEYS_MAX, "raise CONFIG_KEYS_MAX");
