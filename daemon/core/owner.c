/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/owner.h"

#include <stdlib.h>
#include <string.h>

/* One block, with the texts behind the head. */
struct owner *owner_new(const char *const labels[OWNER_LABELS])
{
	size_t size = sizeof(struct owner);
	struct owner *o;
	char *text;

	for (unsigned int i = 0; i < OWNER_LABELS; i++)
		size += strlen(labels[i]) + 1;
	o = malloc(size);
	if (!o)
		return NULL;
	o->refs = 1;
	text = (char *)(o + 1);
	for (unsigned int i = 0; i < OWNER_LABELS; i++) {
		o->labels[i] = text;
		text = stpcpy(text, labels[i]) + 1;
	}
	return o;
}

struct owner *owner_ref(struct owner *o)
{
	if (o)
		__atomic_add_fetch(&o->refs, 1, __ATOMIC_RELAXED);
	return o;
}

void owner_unref(struct owner *o)
{
	if (o && __atomic_sub_fetch(&o->refs, 1, __ATOMIC_ACQ_REL) == 0)
		free(o);
}

const char *owner_label(const struct owner *o, enum owner_label label)
{
	return o ? o->labels[label] : "";
}
