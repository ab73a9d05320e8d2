/* SPDX-License-Identifier: Apache-2.0 */
/* Where the collector leaves the newest snapshot for the server: the only lock of the daemon. */
#pragma once

#include <pthread.h>

#include "daemon/core/snapshot.h"

struct snapshot_exchange {
	pthread_mutex_t lock;
	struct snapshot *newest;
};

#define SNAPSHOT_EXCHANGE_INIT                    \
	{                                         \
		.lock = PTHREAD_MUTEX_INITIALIZER \
	}

void snapshot_exchange_done(struct snapshot_exchange *x);
/* Replaces some parts; one that is NULL stays as it is. Takes the references to the parts over,
 * also on failure. 0 or -ENOMEM. For the collector. */
int snapshot_publish(struct snapshot_exchange *x, struct catalogue *catalogue,
		     const struct snapshot_parts *parts);
/* A reference to the newest snapshot; NULL before the first. For any thread. */
struct snapshot *snapshot_take(struct snapshot_exchange *x);
