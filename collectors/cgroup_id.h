/* SPDX-License-Identifier: Apache-2.0 */
/* The id of a cgroup v2, as the kernel tells it of a socket (INET_DIAG_CGROUP_ID). */
#pragma once

#include <stdint.h>

/* PATH: in the file system, as ss has it, or below the root of the hierarchy, as systemd has it:
 * "/system.slice/a.service". 0: there is none. */
uint64_t cgroup_id_find(const char *path);
