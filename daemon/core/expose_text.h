/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text formats: Prometheus' own, 0.0.4 (docs/instrumenting/exposition_formats.md), and
 * OpenMetrics 1.0.0, whose samples are the same and whose families are named without the counter's
 * _total.
 */
#pragma once

#include "daemon/core/expose.h"

extern const struct expose_format expose_text, expose_openmetrics;
