/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A walk over the hierarchy of cgroup v2 that can be left and taken up again, since a host may have
 * any number of cgroups, and who walks has more to do. It sees what is there when it comes by: what
 * appears or vanishes meanwhile may or may not be among it. Knows nothing of what is looked for.
 */
#pragma once

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>

#include "daemon/util/buf.h"

/* Of paths that wait: some ten thousand cgroups that were found before one of them was visited. */
#define CGROUP_WALK_WAITING_MAX_BYTES (1024 * 1024)

struct cgroup_walk {
	DIR *dir;           /* of the cgroup visited last, while there is more in it to read */
	struct buf waiting; /* paths to visit, the next one last, each behind a zero byte */
	size_t waiting_max_bytes;
	uint64_t left_out; /* since the start: no room to wait, a path too long, may not be read */
	size_t root_len;
	uint64_t mount;      /* that of the root */
	char path[PATH_MAX]; /* of the cgroup visited last, in the file system */
};

#define CGROUP_WALK_INIT                                            \
	{                                                           \
		.waiting_max_bytes = CGROUP_WALK_WAITING_MAX_BYTES, \
	}

void cgroup_walk_done(struct cgroup_walk *w);

/* From the root, whether or not W is under way. 0, -ENOENT where there is no cgroup v2, -ENOMEM. */
int cgroup_walk_start(struct cgroup_walk *w);
/* Until there is nothing more to visit; then W holds no memory and no descriptor. */
bool cgroup_walk_is_under_way(const struct cgroup_walk *w);
/*
 * Goes on to the next cgroup: its id, and its path below the root of the hierarchy, which is "/"
 * and comes first, and any other before what is below it. The path is W's until the next call.
 * BUDGET is how many directory entries may be read yet and directories opened, and is counted down.
 * False: it is used up, or the walk has come to its end.
 */
bool cgroup_walk_next(struct cgroup_walk *w, unsigned int *budget, uint64_t *ret_id,
		      const char **ret_path);
