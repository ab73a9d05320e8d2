/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers as Go's strconv.FormatFloat(x, 'g', -1, 64) writes them, which is what Prometheus and its
 * clients do: the shortest digits that read back as the same, in exponent form below 1e-04 and
 * from 1e+06 on.
 */
#pragma once

#include <stdint.h>

#include "daemon/util/buf.h"

void expose_double(struct buf *out, double x);
/* The same as expose_double((double) n), faster. */
void expose_u64(struct buf *out, uint64_t n);
/* A bound: as expose_double(), plus ".0" if it has neither point nor exponent (OpenMetrics). */
void expose_le(struct buf *out, double x);
