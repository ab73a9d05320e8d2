/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the cgroups are called whose ids were asked for. Somebody else looks, when one is wanted: a
 * search begins, finds, and ends. What a whole search has not found is unknown, and is not looked
 * for on its own account again: its directory is gone, or out of sight. Bounded.
 */
#pragma once

#include <stdbool.h>

#include "daemon/core/unit_name.h"
#include "daemon/util/map.h"

/* Beyond these none is known. */
#define CGROUP_NAMES_MAX 4096
/* A container's in Kubernetes takes 193. What is longer is cut; a label is at 256, where a
 * character ends. */
#define CGROUP_PATH_MAX 264

enum cgroup_state {
	CGROUP_WANTED, /* since the search under way began, if one is */
	CGROUP_SOUGHT, /* by the search under way */
	CGROUP_NAMED,
	CGROUP_UNKNOWN,
	CGROUP_STATES,
};

struct cgroup_name {
	uint64_t id; /* as the kernel tells it of a socket (INET_DIAG_CGROUP_ID) */
	uint32_t round;
	enum cgroup_state state;
	struct unit_name name;
	char path[CGROUP_PATH_MAX]; /* below the root of the hierarchy */
};

struct cgroup_names {
	uint64_t seed;
	struct map map;
	struct cgroup_name *items;
	uint32_t count, cap;
	uint32_t states[CGROUP_STATES]; /* how many are in each */
	uint32_t round;
	uint32_t searches; /* that have ended */
};

void cgroup_names_init(struct cgroup_names *n, uint64_t seed);
void cgroup_names_done(struct cgroup_names *n);

/* A round: begin, get for each id that is in use, and end, which forgets the others. */
void cgroup_names_begin_round(struct cgroup_names *n);
/* 0, -ENOMEM, or -ENOSPC beyond the bound. */
int cgroup_names_get(struct cgroup_names *n, uint64_t id);
void cgroup_names_end_round(struct cgroup_names *n);
/* NULL: not asked for. Valid until the next round. */
const struct cgroup_name *cgroup_names_find(const struct cgroup_names *n, uint64_t id);

void cgroup_names_begin_search(struct cgroup_names *n);
/* Whether this says something new. */
bool cgroup_names_found(struct cgroup_names *n, uint64_t id, const char *path);
void cgroup_names_end_search(struct cgroup_names *n);
/* What is unknown is wanted again. */
void cgroup_names_retry(struct cgroup_names *n);
