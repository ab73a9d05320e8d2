/* SPDX-License-Identifier: Apache-2.0 */
/* A message of unix_diag, packet_diag or netlink_diag to a record: what kind of socket it is and,
 * of a UNIX socket, its name and its queues where they were asked for. Pure. */
#pragma once

struct nlmsghdr;
struct sock_record;

/* As inetdiag_parse(); every state is known. */
int localdiag_parse(const struct nlmsghdr *message, struct sock_record *ret_record);
