/* SPDX-License-Identifier: Apache-2.0 */
/* The standard process_* family, about ourselves. What cannot be read is METRIC_ABSENT. */
#pragma once

struct self_values;

void process_stats_read(struct self_values *values);
