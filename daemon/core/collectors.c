/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/collectors.h"

#include <errno.h>
#include <string.h>

#include "daemon/core/poll.h"
#include "daemon/util/macros.h"

static const char *const names[] = {
	[COLLECTOR_LISTENERS] = "listeners",
	[COLLECTOR_TCP] = "tcp",
	[COLLECTOR_UDP] = "udp",
	[COLLECTOR_UNIX] = "unix",
	[COLLECTOR_OTHER] = "other",
	[COLLECTOR_SUMMARY] = "summary",
	[COLLECTOR_NETSTAT] = "netstat",
	[COLLECTOR_LIMITS] = "limits",
	[COLLECTOR_SELF] = "self",
};

const char *collector_name(enum collector_name name)
{
	return names[name];
}

int collector_parse(const char *text, enum collector_name *ret_name)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(text, names[i]) != 0)
			continue;
		*ret_name = i;
		return 0;
	}
	return -EINVAL;
}

enum collector_name collector_of_groups(unsigned int family)
{
	if (family == POLL_FAMILY_TCP)
		return COLLECTOR_TCP;
	return family == POLL_FAMILY_UDP ? COLLECTOR_UDP : COLLECTOR_OTHER;
}

static bool begins_with(const char *text, const char *beginning)
{
	return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* What counts sockets has no terms. */
static enum collector_name collector_of_host(const struct metric *m)
{
	if (!m->terms)
		return m->family == POLL_FAMILY_UNIX ? COLLECTOR_UNIX : COLLECTOR_OTHER;
	if (begins_with(m->name, "sockstat_netstat_"))
		return COLLECTOR_NETSTAT;
	return begins_with(m->name, "sockstat_limit_") ? COLLECTOR_LIMITS : COLLECTOR_SUMMARY;
}

enum collector_name collector_of(const struct metric *m)
{
	switch (m->scope) {
	case METRIC_LISTENER:
		return COLLECTOR_LISTENERS;
	case METRIC_CONNECTION:
	case METRIC_CLIENT:
	case METRIC_PORT:
		return collector_of_groups(m->family);
	case METRIC_UNIX:
		return COLLECTOR_UNIX;
	case METRIC_HOST:
		return collector_of_host(m);
	case METRIC_SELF:
	case METRIC_SCOPE_END:
		break;
	}
	return COLLECTOR_SELF;
}
