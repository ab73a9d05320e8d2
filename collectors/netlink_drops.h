/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many messages the kernel dropped because a netlink socket had no room for them
 * (netlink_overrun() in net/netlink/af_netlink.c): the column Drops of /proc/net/netlink.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Reads one line, without its newline: `sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode`. Pure.
 * 0; -ENOENT: of another socket than the sock_diag one of PORT_ID, or the heading; -EBADMSG: no
 * such line. */
int netlink_drops_parse(const char *line, size_t n, uint32_t port_id, uint32_t *ret_drops);
/* The same of the file PATH, /proc/self/net/netlink, however long it is. 0 or -errno. */
int netlink_drops_read(const char *path, uint32_t port_id, uint32_t *ret_drops);
