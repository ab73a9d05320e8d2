/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel tells of each TCP socket that it destroys (sock_diag_broadcast_destroy()): its
 * last values, as one inet_diag message. A multicast socket for IPv4 and IPv6, read in batches. It
 * knows no loop and no clock; what an event means is the aggregate's business.
 */
#pragma once

#include "collectors/netlink_socket.h"
#include "collectors/procfs.h"
#include "daemon/core/sock.h"

#define DESTROY_BATCH_EVENTS 16
/* An event has 400 bytes on Linux 6.18; tcp_info may grow. */
#define DESTROY_EVENT_BYTES 2048

/* The memory of one call. */
struct destroy_batch {
	uint8_t bytes[DESTROY_BATCH_EVENTS][DESTROY_EVENT_BYTES] __attribute__((aligned(8)));
	struct sock_record records[DESTROY_BATCH_EVENTS];
	unsigned int count;
};

struct destroy_events {
	struct netlink_socket socket;
	const char *procfs; /* borrowed: where /proc is */
	uint32_t drops;     /* of the socket, as last read */
	bool is_congested;  /* some were dropped since then, or may have been */
	/* Since init, over all sockets: */
	uint64_t lost;    /* events that the kernel dropped because we were late */
	uint64_t ignored; /* datagrams that are no event of a TCP socket that we know how to read */
	int error;        /* why the last call failed */
};

#define DESTROY_EVENTS_INIT                                          \
	{                                                            \
		.socket = NETLINK_SOCKET_INIT, .procfs = PROCFS_ROOT \
	}

/* Joins the groups, which takes no capability, with as large a buffer as net.core.rmem_max allows.
 * 0 or -errno. */
int destroy_events_open(struct destroy_events *e);
/* What is still unread is dropped by us, and not lost. May run on a closed one. */
void destroy_events_close(struct destroy_events *e);

enum destroy_step {
	DESTROY_STEP_MORE,   /* the batch may hold records; there may be more to read */
	DESTROY_STEP_EMPTY,  /* the batch may hold records; nothing more is there */
	DESTROY_STEP_FAILED, /* the batch is empty; error says why */
};

/* Receives one batch, without waiting. When all is read after some were dropped, lost is settled.
 */
enum destroy_step destroy_events_receive(struct destroy_events *e, struct destroy_batch *batch);
/* Reads how many were dropped, if any may have been since it was last read. */
void destroy_events_settle(struct destroy_events *e);

/* The half of it that does no I/O, for it and for tests: one datagram of N bytes. 0, or -EBADMSG
 * for what is no event. */
int destroy_events_digest(const uint8_t *bytes, size_t n, struct sock_record *ret_record);
