/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fast lane: begin, each LISTEN row, then commit. Nothing of a poll counts before its commit;
 * one that failed is simply followed by the next begin.
 */
#pragma once

#include "daemon/core/listener.h"

void listener_poll_begin(struct listener_table *t);
/* 0, -ENOMEM, or -ENOSPC beyond LISTENERS_MAX or LISTENER_MEMBERS_MAX. */
int listener_poll_add(struct listener_table *t, const struct sock_record *record, uint64_t now_ns);
/* Whether the commit should be given TcpExtListenDrops: a member's drops grew, some of the last
 * split was left over, or it was never read. */
bool listener_poll_wants_listen_drops(const struct listener_table *t);
/* 0, or -ENOMEM and the poll has not happened. */
int listener_poll_commit(struct listener_table *t, const struct listener_poll *poll);
