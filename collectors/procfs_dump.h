/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A family's tables in /proc, read in steps of a few thousand bytes as a dump is received in
 * batches: for where netlink does not serve. The kernel formats about 27 rows a read and holds a
 * bucket's lock meanwhile, so a step is short and others come in between.
 */
#pragma once

#include "collectors/sock_batch.h"
#include "daemon/core/poll.h"

/* The longest line of the kernel has some 220 bytes; a longer one than this is none. */
#define PROCFS_LINE_MAX 512

struct procfs_dump {
	const char *root; /* borrowed: where /proc is */
	enum poll_family family;
	unsigned int file; /* of those of the family */
	int fd;            /* of that file; −1: not open */
	bool running;
	bool heads_only;  /* nothing beyond the LISTEN rows is wanted, with which a file begins */
	bool is_inside;   /* the first line, which names the columns, has gone by */
	bool is_at_end;   /* of the file: to read there again is to walk the whole table again */
	bool is_overlong; /* the line under way is, and is being skipped */
	size_t rest_len;  /* the beginning of a line whose end is yet to be read */
	char rest[PROCFS_LINE_MAX];
	uint64_t malformed_lines; /* skipped, since init */
	uint64_t unknown_states;
};

#define PROCFS_DUMP_INIT \
	{                \
		.fd = -1 \
	}

void procfs_dump_init(struct procfs_dump *d, const char *root);
/* Cancels what is under way. May run twice. */
void procfs_dump_done(struct procfs_dump *d);
/* Opens the first file, for none is under way. POLL_FAILURE_NONE, or why not. */
enum poll_failure procfs_dump_start(struct procfs_dump *d, enum poll_family family,
				    bool heads_only);
void procfs_dump_cancel(struct procfs_dump *d);
/* Reads a little, and makes records of the lines that are whole. */
enum sock_step procfs_dump_step(struct procfs_dump *d, struct sock_batch *batch,
				enum poll_failure *ret_failure);
