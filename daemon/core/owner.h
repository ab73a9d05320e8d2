/* SPDX-License-Identifier: Apache-2.0 */
/* Who opened the sockets of a listener, as labels. Immutable and shared by reference, also between
 * threads. */
#pragma once

enum owner_label {
	OWNER_UNIT,         /* as unit_name_parse() finds it */
	OWNER_CONTAINER_ID, /* the same */
	OWNER_CGROUP,       /* path below the root of the hierarchy */
	OWNER_UID,          /* decimal */
	OWNER_LABELS,
};

/* What a label says of sockets that differ in it. */
#define OWNER_MULTIPLE "multiple"

struct owner {
	unsigned int refs;
	const char *labels[OWNER_LABELS]; /* "": not known */
};

/* Copies the labels. NULL: out of memory. */
struct owner *owner_new(const char *const labels[OWNER_LABELS]);
struct owner *owner_ref(struct owner *o);
void owner_unref(struct owner *o);
/* A label of it; of NULL none is known. */
const char *owner_label(const struct owner *o, enum owner_label label);
