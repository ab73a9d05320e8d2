/* SPDX-License-Identifier: Apache-2.0 */
/* What the log keeps for the morning after: an entry when a listener begins to overflow, and one
 * when it has stopped. Their fields are in the manual, their pace in core/overflow.h. */
#pragma once

#include <stdint.h>

struct listener_table;

/* Writes what is news after a good poll of the listeners. PROCFS: where /proc is. */
void evidence_tell(struct listener_table *t, const char *procfs, uint64_t now_ns);
