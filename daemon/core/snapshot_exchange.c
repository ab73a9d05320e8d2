/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/snapshot_exchange.h"

#include <errno.h>
#include <stdlib.h>

void snapshot_exchange_done(struct snapshot_exchange *x)
{
	snapshot_unref(x->newest);
	x->newest = NULL;
}

int snapshot_publish(struct snapshot_exchange *x, struct catalogue *catalogue,
		     const struct snapshot_parts *parts)
{
	struct snapshot *s = calloc(1, sizeof(*s));
	struct snapshot *before;

	if (!s) {
		snapshot_parts_unref(parts);
		return -ENOMEM;
	}
	s->refs = 1;
	s->catalogue = catalogue_ref(catalogue);
	s->parts = *parts;
	pthread_mutex_lock(&x->lock);
	before = x->newest;
	if (before)
		snapshot_parts_fill(&s->parts, &before->parts);
	x->newest = s;
	pthread_mutex_unlock(&x->lock);
	snapshot_unref(before);
	return 0;
}

struct snapshot *snapshot_take(struct snapshot_exchange *x)
{
	struct snapshot *s;

	pthread_mutex_lock(&x->lock);
	s = x->newest;
	if (s)
		snapshot_ref(s);
	pthread_mutex_unlock(&x->lock);
	return s;
}
