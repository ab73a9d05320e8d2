/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protobuf format: each family a message behind its length (metrics.proto; the delimited
 * encoding of prometheus/common, expfmt). It alone has native histograms, beside the classic ones,
 * where the configuration has them counted.
 */
#pragma once

#include "daemon/core/expose.h"

extern const struct expose_format expose_protobuf;
