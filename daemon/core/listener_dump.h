/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the sockets lane says of the listeners: begin, each LISTEN row and each row of a connection
 * that belongs to one, then commit. It counts the queues that only rows of connections show.
 */
#pragma once

#include "daemon/core/listener.h"

void listener_dump_begin(struct listener_table *t);
/* A LISTEN row. 0 or as listener_table_get(). */
int listener_dump_see(struct listener_table *t, const struct sock_record *record, uint64_t now_ns);
/* A row of a connection that listener_table_match() gave to L. */
void listener_dump_observe(struct listener *l, const struct sock_record *record);
/* IS_FILTERED: not all rows were given. */
void listener_dump_commit(struct listener_table *t, bool is_filtered);
