/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/poll.h"

#include <stddef.h>

const char *lane_name(unsigned int lane)
{
	static const char *const names[LANE_END] = {"listeners", "sockets"};

	return lane < LANE_END ? names[lane] : NULL;
}

const char *poll_family_name(unsigned int family)
{
	static const char *const names[POLL_FAMILY_END] = {
		[POLL_FAMILY_TCP] = "tcp",         [POLL_FAMILY_UDP] = "udp",
		[POLL_FAMILY_MPTCP] = "mptcp",     [POLL_FAMILY_UNIX] = "unix",
		[POLL_FAMILY_RAW] = "raw",         [POLL_FAMILY_PACKET] = "packet",
		[POLL_FAMILY_NETLINK] = "netlink",
	};

	return family < POLL_FAMILY_END ? names[family] : NULL;
}

const char *poll_source_name(unsigned int source)
{
	static const char *const names[POLL_SOURCE_END] = {"netlink", "procfs"};

	return source < POLL_SOURCE_END ? names[source] : NULL;
}

bool poll_failure_is_refusal(enum poll_failure reason)
{
	return reason == POLL_FAILURE_DENIED || reason == POLL_FAILURE_NO_HANDLER;
}

const char *poll_failure_name(unsigned int reason)
{
	static const char *const names[POLL_FAILURE_END] = {
		[POLL_FAILURE_NONE] = "none",
		[POLL_FAILURE_DENIED] = "denied",
		[POLL_FAILURE_SOCKET] = "socket",
		[POLL_FAILURE_SEND] = "send",
		[POLL_FAILURE_RECEIVE] = "receive",
		[POLL_FAILURE_NO_HANDLER] = "no_handler",
		[POLL_FAILURE_REFUSED] = "refused",
		[POLL_FAILURE_BUSY] = "busy",
		[POLL_FAILURE_INTERRUPTED] = "interrupted",
		[POLL_FAILURE_OVERRUN] = "overrun",
		[POLL_FAILURE_TRUNCATED] = "truncated",
		[POLL_FAILURE_MALFORMED] = "malformed",
		[POLL_FAILURE_SEQUENCE] = "sequence",
		[POLL_FAILURE_TIMEOUT] = "timeout",
		[POLL_FAILURE_MEMORY] = "memory",
		[POLL_FAILURE_TABLE] = "table",
		[POLL_FAILURE_PROCFS] = "procfs",
	};

	return reason < POLL_FAILURE_END ? names[reason] : NULL;
}

const char *poll_ignored_name(unsigned int reason)
{
	static const char *const names[POLL_IGNORED_END] = {"family", "state", "sender", "excess",
							    "malformed"};

	return reason < POLL_IGNORED_END ? names[reason] : NULL;
}
