/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UNIX sockets that listen: what waits at them, by path, in bounded memory. Those with equal labels
 * are summed, and those beyond a limit in "other".
 */
#pragma once

#include "daemon/core/peak_window.h"
#include "daemon/core/sock.h"
#include "daemon/util/map.h"

/* sun_path has 108 bytes, and the @ of an abstract name is one of them. */
#define UNIX_LABEL_MAX 112

/* As the metric table addresses them. METRIC_ABSENT: no value. */
struct unix_listener_values {
	uint64_t length, limit, peak; /* connections, summed over sockets */
};

struct unix_listener {
	char path[UNIX_LABEL_MAX]; /* the label */
	uint32_t sockets;          /* of the walk under way, or of the last good one */
	uint64_t length, limit;    /* the same, */
	bool has_queues;           /* if the kernel told them */
	struct peak_window peak;
	struct unix_listener_values values;
};

struct unix_listeners {
	uint64_t seed, window_ns;
	uint32_t limit; /* labels beside "other" */
	struct unix_listener other;
	struct unix_listener *items;
	uint32_t count, cap;
	struct map map;
	uint64_t taken_ns; /* boottime: when the last good walk ended; 0: never */
};

/* NULL: out of memory. */
struct unix_listeners *unix_listeners_new(uint64_t seed);
void unix_listeners_free(struct unix_listeners *t);
/* Another limit holds from the next walk on; another window forgets the peaks. */
void unix_listeners_configure(struct unix_listeners *t, uint32_t limit, uint64_t window_ns);

/* A walk: begin, add for each LISTEN row, then commit, or nothing where it failed. */
void unix_listeners_begin(struct unix_listeners *t);
/* 0 or -ENOMEM. */
int unix_listeners_add(struct unix_listeners *t, const struct sock_record *record);
/* The monotonic time, and the boottime. */
void unix_listeners_commit(struct unix_listeners *t, uint64_t now_ns, uint64_t taken_ns);

/* The label of a name, N bytes as sun_path has them: runs of 12 and more hexadecimal digits are *,
 * an abstract name begins with @, and has one for each further NUL. */
void unix_listener_label(const char *name, size_t n, char ret_label[UNIX_LABEL_MAX]);
