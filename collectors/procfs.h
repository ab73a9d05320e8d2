/* SPDX-License-Identifier: Apache-2.0 */
/* Files below the root of a /proc, which need not be mounted at /proc. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* Where it is unless the command line says otherwise. */
#define PROCFS_ROOT "/proc"

#define PROCFS_PATH_MAX 4096

/* Writes ROOT/PATH; one that is too long becomes "", which opens nothing. Returns RET_FULL. */
const char *procfs_path(const char *root, const char *path, char ret_full[PROCFS_PATH_MAX]);
/* Opens ROOT/PATH for reading. The descriptor, or -errno. */
int procfs_open(const char *root, const char *path);
/* Reads the whole of a small file and terminates it. Its length; -EFBIG: it has CAP bytes or more;
 * or -errno. */
ssize_t procfs_read(const char *root, const char *path, char *ret_text, size_t cap);
