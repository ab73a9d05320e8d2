/* SPDX-License-Identifier: Apache-2.0 */
/* What group.c, group_commit.c and group_parts.c share. */
#pragma once

#include "daemon/core/group.h"

/* Frees the group at a place, which the last then takes. */
void group_table_remove(struct group_table *t, uint32_t index);
/* The ephemeral or the other group of a side. */
struct group *group_table_shared(const struct group_table *t, enum group_side side,
				 enum group_kind kind);
/* Counts anew which groups have series: a port's own has none while all its sockets are in parts.
 */
void group_table_count_own(struct group_table *t);
/* What is folded before others may be displaced by them. */
bool group_is_in_budget(const struct group_table *t, enum group_rank rank);
