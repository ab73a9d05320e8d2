/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters of the namespace (net/ipv4/proc.c). ListenDrops of netstat_seq_show(): how many
 * connection attempts its listeners dropped because a queue was full, whatever else their sockets'
 * sk_drops count. ActiveOpens and PassiveOpens of snmp_seq_show(): how many connections opened.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Finds VALUE of the counter NAME ("ListenDrops") in the block PREFIX ("TcpExt:") of the text of
 * /proc/net/netstat or /proc/net/snmp: a line of names, then a line of values. Pure. 0; -ENOENT:
 * not there; -EBADMSG: a value that is no number, or the two lines do not match. */
int netstat_parse(const char *text, size_t n, const char *prefix, const char *name,
		  uint64_t *ret_value);

/* The open file; read again and again without opening. */
struct netstat_reader {
	int fd;
	char *text; /* one buffer, kept */
	size_t cap;
};

#define NETSTAT_READER_INIT \
	{                   \
		.fd = -1    \
	}

/* PATH is /proc/self/net/netstat, or snmp: the `self` path stays when /proc is mounted with
 * subset=pid. */
int netstat_reader_open(struct netstat_reader *r, const char *path);
void netstat_reader_done(struct netstat_reader *r);
/* 0 or -errno. */
int netstat_reader_listen_drops(struct netstat_reader *r, uint64_t *ret_drops);
/* Of a reader of snmp: connections opened, from here and from elsewhere; tried ones count. */
int netstat_reader_tcp_opens(struct netstat_reader *r, uint64_t *ret_opens);
