/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line of /proc/net/tcp, tcp6, udp, udp6, raw or raw6 to one record: tcp4_seq_show(),
 * udp4_seq_show(), raw_sock_seq_show() and their IPv6 twins. Pure. What these files do not say
 * stays absent from the record: the cookie, the device, tcp_info, skmem, a listener's limit.
 */
#pragma once

#include <stddef.h>

struct sock_record;

enum procfs_format {
	PROCFS_TCP, /* 17 columns, or 12 of a request or time-wait socket */
	PROCFS_UDP, /* 13; the last are the drops. raw has the same */
};

/* A line of /proc/net/unix, packet or netlink: unix_seq_show(), packet_seq_show(),
 * netlink_native_seq_show(). 0 or -EBADMSG. */
int procfs_parse_unix(const char *line, size_t n, struct sock_record *ret_record);
int procfs_parse_packet(const char *line, size_t n, struct sock_record *ret_record);
int procfs_parse_netlink(const char *line, size_t n, struct sock_record *ret_record);

/* LINE without its newline; whether it is of IPv6 its addresses say. 0; -EBADMSG: it is none;
 * -EPROTO: a TCP state unknown to us. */
int procfs_parse_inet(const char *line, size_t n, enum procfs_format format,
		      struct sock_record *ret_record);
