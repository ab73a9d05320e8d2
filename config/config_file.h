/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a file that a configuration is, or names. */
#pragma once

#include "daemon/util/buf.h"

/* Adds all of a file, which may also be a pipe, to TEXT. 0 or -errno; -EFBIG: above MAX bytes. */
int config_file_read(const char *path, size_t max, struct buf *text);
