/* SPDX-License-Identifier: Apache-2.0 */
/* Whose the listeners of a table are: from their members' cgroups and user ids, to the labels of
 * their series. */
#pragma once

#include "daemon/core/listener.h"

/* What a row tells of its member. */
void listener_owner_note(struct listener_table *t, struct listener_member *m,
			 const struct sock_record *record);
/* Whether they are to be told at all; any change holds from the next assign on. */
void listener_owner_enable(struct listener_table *t, bool is_on);
/* Behind a good poll, and when cgroups were found: asks for the names of the cgroups, and gives
 * each series its owner. Costs nothing while nothing has changed. Without memory the owners stay as
 * they are until it is called again. */
void listener_owner_assign(struct listener_table *t);
