/* SPDX-License-Identifier: Apache-2.0 */
/* The names by which a scrape may ask for some of the families only: collect[]=tcp, as exporters
 * have it. Each family belongs to one. */
#pragma once

#include "daemon/core/metric.h"

enum collector_name {
	COLLECTOR_LISTENERS,
	COLLECTOR_TCP,
	COLLECTOR_UDP,
	COLLECTOR_UNIX,
	COLLECTOR_OTHER, /* MPTCP, raw, packet and netlink sockets */
	COLLECTOR_SUMMARY,
	COLLECTOR_NETSTAT,
	COLLECTOR_LIMITS,
	COLLECTOR_SELF,
	COLLECTOR_NAME_END,
};

#define COLLECTOR_BIT(name) (1U << (name))
#define COLLECTORS_ALL      (COLLECTOR_BIT(COLLECTOR_NAME_END) - 1)

const char *collector_name(enum collector_name name);
/* 0 or -EINVAL. */
int collector_parse(const char *text, enum collector_name *ret_name);
/* Whose the families of the groups of a family of sockets are. */
enum collector_name collector_of_groups(unsigned int family);
enum collector_name collector_of(const struct metric *m);
