/* SPDX-License-Identifier: Apache-2.0 */
/* What group.c and group_commit.c share. */
#pragma once

#include "daemon/core/group.h"

/* Frees the group at a place, which the last then takes. */
void group_table_remove(struct group_table *t, uint32_t index);
/* The ephemeral or the other group of a side. */
struct group *group_table_shared(const struct group_table *t, enum group_side side,
				 enum group_kind kind);
