/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The LISTEN sockets of a listener table, from whichever source.
 */
#pragma once

#include "daemon/core/listener.h"

/* The member of a LISTEN row, made if it is new. 0, -ENOMEM, or -ENOSPC above LISTENER_MEMBERS_MAX.
 */
int listener_member_get(struct listener_table *t, const struct sock_record *record,
			struct listener_member **ret_member);
/* The member of a row without a cookie, or NULL. */
struct listener_member *listener_member_of_inode(const struct listener_table *t,
						 const struct sock_record *record);
/* The last takes its place. */
void listener_member_remove(struct listener_table *t, uint32_t place);
