/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/snapshot_unix.h"

#include <stdlib.h>
#include <string.h>

static void copy_unix(struct snapshot_unix *p, const struct unix_listener *l)
{
	struct snapshot_unix_listener *item = &p->items[p->count];

	if (l->sockets == 0)
		return;
	memcpy(item->path, l->path, sizeof(item->path));
	item->values = l->values;
	p->count++;
}

struct snapshot_unix *snapshot_unix_new(const struct unix_listeners *t, struct catalogue *catalogue,
					const struct snapshot_age *age)
{
	struct snapshot_unix *p = calloc(1, sizeof(*p) + (t->count + 1) * sizeof(*p->items));

	if (!p)
		return NULL;
	p->refs = 1;
	p->catalogue = catalogue_ref(catalogue);
	p->age = *age;
	for (uint32_t i = 0; i < t->count; i++)
		copy_unix(p, &t->items[i]);
	copy_unix(p, &t->other);
	return p;
}

struct snapshot_unix *snapshot_unix_ref(struct snapshot_unix *p)
{
	__atomic_add_fetch(&p->refs, 1, __ATOMIC_RELAXED);
	return p;
}

void snapshot_unix_unref(struct snapshot_unix *p)
{
	if (!p || __atomic_sub_fetch(&p->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	catalogue_unref(p->catalogue);
	free(p);
}
