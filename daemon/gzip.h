/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "daemon/util/buf.h"

/* Replaces what the buffer holds by the same in gzip's format (RFC 1952), at zlib's fastest level.
 * 0, or -ENOMEM and nothing has changed. */
int gzip_buf(struct buf *b);
