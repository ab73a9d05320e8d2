/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A dump of one family's sockets as a state machine: started, then stepped once for each time that
 * its descriptor is readable; each step is one recv of at most 32 KiB and one batch of records. It
 * knows netlink's ways to fail and turns each into a reason; it knows no loop, no clock, no log.
 */
#pragma once

#include "collectors/inetdiag_request.h"
#include "collectors/netlink_socket.h"
#include "collectors/sock_batch.h"
#include "daemon/core/poll.h"

struct inetdiag_dump {
	struct netlink_socket socket;
	enum poll_family of; /* which sockets; TCP unless it is set before a start */
	uint32_t sequence;
	uint32_t states;
	uint8_t extensions;
	const struct filter_request *filter; /* of the next start; NULL: none */
	uint8_t family; /* of the request under way: of TCP 0 (both), or AF_INET, AF_INET6 */
	bool no_legacy; /* TCPDIAG_GETSOCK was refused: two walks, one for each family */
	bool running;
	bool has_rows; /* this walk has brought some: a refusal after them is no missing request */
	bool was_interrupted;      /* this dump: NLM_F_DUMP_INTR was seen */
	uint64_t unknown_families; /* rows skipped, since init */
	uint64_t unknown_states;
	uint64_t foreign_messages; /* datagrams that the kernel did not send */
};

#define INETDIAG_DUMP_INIT                    \
	{                                     \
		.socket = NETLINK_SOCKET_INIT \
	}

/* STATES and EXTENSIONS say what each dump asks for. Opens nothing. */
void inetdiag_dump_init(struct inetdiag_dump *d, uint32_t states, uint8_t extensions);
/* Closes the socket, which cancels what is under way. May run twice. */
void inetdiag_dump_done(struct inetdiag_dump *d);

/* None may be under way. Sends the request; opens the socket first if it is closed (then
 * d->socket.fd is new). Returns POLL_FAILURE_NONE or why not; then the socket is closed. */
enum poll_failure inetdiag_dump_start(struct inetdiag_dump *d);
/* Cancels the dump under way. The socket is closed, as the rest of the dump is still in it. */
void inetdiag_dump_cancel(struct inetdiag_dump *d);

/* Receives one batch. Call it when d->socket.fd is readable; without anything to read, and for what
 * the kernel did not send, it returns MORE with an empty batch. A walk that the kernel calls
 * interrupted (NLM_F_DUMP_INTR) ends as POLL_FAILURE_INTERRUPTED: the caller retries once and takes
 * what the second walk gives, see tolerate_interrupted. */
enum sock_step inetdiag_dump_step(struct inetdiag_dump *d, struct sock_batch *batch,
				  bool tolerate_interrupted, enum poll_failure *ret_failure);

/* What one datagram says of the walk that it belongs to. */
enum inetdiag_verdict {
	INETDIAG_VERDICT_ROWS,        /* the walk goes on; there may be records */
	INETDIAG_VERDICT_END,         /* the walk has ended well; there may be records */
	INETDIAG_VERDICT_UNSUPPORTED, /* the kernel does not know TCPDIAG_GETSOCK */
	INETDIAG_VERDICT_FAILED,      /* *ret_failure says why; there are no records */
};

/* The half of a step that does no I/O, for it and for tests: reads the datagram that is the first
 * N bytes of the batch. Of the dump it uses family, sequence, port id and what it has seen. */
enum inetdiag_verdict inetdiag_dump_digest(struct inetdiag_dump *d, struct sock_batch *batch,
					   size_t n, enum poll_failure *ret_failure);
