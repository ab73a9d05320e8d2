/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a snapshot that UNIX listeners are. */
#pragma once

#include "daemon/core/snapshot.h"
#include "daemon/core/unix_listeners.h"

struct snapshot_unix_listener {
	char path[UNIX_LABEL_MAX];
	struct unix_listener_values values;
};

struct snapshot_unix {
	unsigned int refs;
	struct catalogue *catalogue;
	struct snapshot_age age;
	uint32_t count;
	struct snapshot_unix_listener items[];
};

/* A copy of what the table says now. NULL: out of memory. */
struct snapshot_unix *snapshot_unix_new(const struct unix_listeners *t, struct catalogue *catalogue,
					const struct snapshot_age *age);
struct snapshot_unix *snapshot_unix_ref(struct snapshot_unix *p);
void snapshot_unix_unref(struct snapshot_unix *p);
