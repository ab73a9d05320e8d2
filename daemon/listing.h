/* SPDX-License-Identifier: Apache-2.0 */
/* The catalogue of metrics as text, from the one table. */
#pragma once

#include <stdio.h>

/* Tab-separated lines: name, type, labels, profile, series for each listener, group or daemon at
 * the default buckets, help. 0 or -ENOMEM. */
int listing_print(FILE *out);
