/* SPDX-License-Identifier: Apache-2.0 */
/* The id of a cgroup v2, as the kernel tells it of a socket (INET_DIAG_CGROUP_ID). */
#pragma once

#include <stdint.h>

/* Where the hierarchy of cgroup v2 is mounted, alone or beside those of v1. NULL: nowhere. */
const char *cgroup_id_root(void);

/* PATH: in the file system, as ss has it, or below the root of the hierarchy, as systemd has it:
 * "/system.slice/a.service". 0: there is none. */
uint64_t cgroup_id_find(const char *path);

/* Of an open directory (O_PATH is enough), and the mount that it is seen through (0 before Linux
 * 5.8). 0; -ENOENT: it is no cgroup; or -errno. */
int cgroup_id_of_directory(int fd, uint64_t *ret_id, uint64_t *ret_mount);
