/* SPDX-License-Identifier: Apache-2.0 */
/* What one step of a walk over a table of the kernel brings, whatever the source. */
#pragma once

#include <stdint.h>

#include "daemon/core/sock.h"

/* The kernel never sends more in one datagram (SKB_WITH_OVERHEAD(32768) in netlink_recvmsg()), and
 * fills less if it is offered less. */
#define SOCK_BATCH_BYTES 32768
/* The shortest row is nlmsghdr and unix_diag_msg. */
#define SOCK_BATCH_RECORDS (SOCK_BATCH_BYTES / 32)

/* The memory of one step; all walks of a thread share one. The records borrow from the bytes. */
struct sock_batch {
	uint8_t bytes[SOCK_BATCH_BYTES] __attribute__((aligned(8)));
	struct sock_record records[SOCK_BATCH_RECORDS];
	unsigned int count;
};

enum sock_step {
	SOCK_STEP_MORE,   /* the batch may hold records; more will come */
	SOCK_STEP_DONE,   /* the batch may hold records; all rows have come */
	SOCK_STEP_FAILED, /* the batch is empty; the walk is cancelled; *ret_failure says why */
};
