/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration: what sockstatd.yaml can say, with its defaults. Plain values, immutable once
 * loaded; every thread that needs it holds its own pointer to one that outlives its use.
 */
#pragma once

#include "config/config_address.h"
#include "config/config_errors.h"
#include "config/config_types.h"
#include "daemon/util/buf.h"

enum config_profile {
	CONFIG_PROFILE_CORE,
	CONFIG_PROFILE_EXTENDED,
};

enum config_counters {
	CONFIG_COUNTERS_OFF,
	CONFIG_COUNTERS_POLLED,
	CONFIG_COUNTERS_EXACT,
	CONFIG_COUNTERS_AUTO,
};

enum config_units {
	CONFIG_UNITS_OFF,
	CONFIG_UNITS_LISTENERS,
};

enum config_source {
	CONFIG_SOURCE_AUTO,
	CONFIG_SOURCE_NETLINK,
	CONFIG_SOURCE_PROCFS,
};

struct prefix_trie;

struct config {
	struct {
		struct config_strings listen_addresses; /* as written; config_address_parse() */
		char *telemetry_path;                   /* begins with '/' */
		uint64_t max_connections, max_requests;
		int enable_lifecycle; /* 0 or 1 */
	} web;
	struct {
		uint64_t listeners_ns, sockets_ns, sockets_max_ns;
		double cpu_limit; /* of one core, (0, 1] */
	} poll;
	uint64_t peak_window_ns;
	struct {
		int profile;                            /* enum config_profile */
		struct config_strings include, exclude; /* family names, * allowed */
		int created;                            /* 0 or 1 */
	} metrics;
	struct {
		struct config_ports server, client;
	} ports;
	int families_tcp, families_udp, families_unix, families_raw, families_mptcp; /* 0 or 1 */
	int source, counters, units; /* enum config_source, config_counters, config_units */
	struct config_filter listener_filter, socket_filter;
	struct config_maps views, peers;   /* struct config_view, struct config_peer */
	struct prefix_trie *peer_prefixes; /* of all peers, to their places, from 1; NULL: none */
	struct {
		uint64_t listeners, ports, series, unix_listeners, tracked_sockets;
		uint64_t idle_ns;
	} limits;
	struct {
		struct config_buckets rtt_seconds, congestion_window_segments,
			delivery_rate_bytes_per_second, closed_bytes, fill_ratio;
		int native; /* 0 or 1 */
	} histograms;
};

/* The built-in defaults. NULL: out of memory. */
struct config *config_new(void);
void config_free(struct config *c);

/* Reads YAML text over the defaults. On success 0 and *RET_CONFIG, which the caller frees; on
 * faults -EINVAL and every one of them, up to the cap, in ERRORS in the order of the file; else
 * -ENOMEM. */
int config_parse(const char *text, size_t n, struct config_errors *errors,
		 struct config **ret_config);
/* The same from a file: -errno if it cannot be read (-EFBIG: above 1 MiB), else as above. */
int config_load(const char *path, struct config_errors *errors, struct config **ret_config);

/* The effective configuration as YAML that config_parse() reads back as the same. */
void config_render(const struct config *c, struct buf *out);

/* Replaces the listen addresses, or the telemetry path, by those of the command line. 0, -EINVAL or
 * -ENOMEM. */
int config_set_listen_addresses(struct config *c, char *const *addresses, size_t count);
int config_set_telemetry_path(struct config *c, const char *path);
