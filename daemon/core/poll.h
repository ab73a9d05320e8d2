/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lanes, the families of sockets that they read, and why a poll can fail. Each reason is a
 * value of the label `reason` of sockstatd_poll_failures_total, a test, and one of the dangers of
 * talking to the kernel.
 */
#pragma once

#include <stdbool.h>

enum lane {
	LANE_LISTENERS, /* LISTEN rows, ten times a second */
	LANE_SOCKETS,   /* all rows, every few seconds */
	LANE_END,
};

/* Each is a value of the label `family` of sockstatd_source. */
enum poll_family {
	POLL_FAMILY_TCP,
	POLL_FAMILY_UDP,
	POLL_FAMILY_MPTCP,
	POLL_FAMILY_UNIX,
	POLL_FAMILY_RAW,
	POLL_FAMILY_PACKET,
	POLL_FAMILY_NETLINK,
	POLL_FAMILY_END,
};

/* Those before this have ports, by which their sockets are put in groups. */
#define POLL_FAMILY_PORTS POLL_FAMILY_UNIX

enum poll_source {
	POLL_SOURCE_NETLINK,
	POLL_SOURCE_PROCFS,
	POLL_SOURCE_END,
};

enum poll_failure {
	POLL_FAILURE_NONE,
	POLL_FAILURE_DENIED,      /* netlink, or sock_diag, is not permitted or not there */
	POLL_FAILURE_SOCKET,      /* the netlink socket could not be opened or bound */
	POLL_FAILURE_SEND,        /* the request could not be sent */
	POLL_FAILURE_RECEIVE,     /* recvmsg() failed */
	POLL_FAILURE_NO_HANDLER,  /* ENOENT: the kernel has no handler for this request */
	POLL_FAILURE_REFUSED,     /* any other error from the kernel, alone or inside NLMSG_DONE */
	POLL_FAILURE_BUSY,        /* EBUSY: another dump on this socket has not ended */
	POLL_FAILURE_INTERRUPTED, /* NLM_F_DUMP_INTR: the table changed in a way that may lose rows
				   */
	POLL_FAILURE_OVERRUN,     /* ENOBUFS or NLMSG_OVERRUN */
	POLL_FAILURE_TRUNCATED,   /* a datagram or a message in it is cut */
	POLL_FAILURE_MALFORMED,   /* a message or attribute too short for what it claims to be */
	POLL_FAILURE_SEQUENCE,    /* another sequence number or port id than that of our request */
	POLL_FAILURE_TIMEOUT,     /* the dump did not end before its deadline */
	POLL_FAILURE_MEMORY,      /* out of memory */
	POLL_FAILURE_TABLE,       /* a table of /proc could not be read */
	POLL_FAILURE_PROCFS,      /* /proc/self/net/netstat could not be read: drops wait */
	POLL_FAILURE_END,
};

/* What is skipped in a poll that ends well: the kernel may be newer than we are. */
enum poll_ignored {
	POLL_IGNORED_FAMILY, /* an address family unknown to us */
	POLL_IGNORED_STATE,  /* a TCP state unknown to us */
	POLL_IGNORED_SENDER, /* a datagram that the kernel did not send */
	POLL_IGNORED_EXCESS, /* a listening socket beyond LISTENERS_MAX or LISTENER_MEMBERS_MAX */
	POLL_IGNORED_MALFORMED, /* a line of /proc that is none */
	POLL_IGNORED_END,
};

/* Whether netlink does not serve at all, so that asking again at once is in vain. */
bool poll_failure_is_refusal(enum poll_failure reason);

/* The labels' values: "listeners"; "tcp"; "netlink"; "socket", "no_handler"; "family". */
const char *lane_name(unsigned int lane);
const char *poll_family_name(unsigned int family);
const char *poll_source_name(unsigned int source);
const char *poll_failure_name(unsigned int reason);
const char *poll_ignored_name(unsigned int reason);
