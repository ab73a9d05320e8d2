/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/procfs_parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "daemon/core/sock.h"

/* The kernel tells times in USER_HZ, which is 100 for every architecture but alpha and ia64. */
#define MSEC_PER_TICK 10

/* What is left of a line. Each take_*() moves on, and says whether there was such a thing. */
struct cursor {
	const char *at, *end;
};

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void skip_blanks(struct cursor *c)
{
	while (c->at < c->end && *c->at == ' ')
		c->at++;
}

static bool take_char(struct cursor *c, char wanted)
{
	if (c->at == c->end || *c->at != wanted)
		return false;
	c->at++;
	return true;
}

/* Exactly DIGITS hexadecimal digits. */
static bool take_hex(struct cursor *c, unsigned int digits, uint32_t *ret_value)
{
	uint32_t value = 0;

	if ((size_t)(c->end - c->at) < digits)
		return false;
	for (unsigned int i = 0; i < digits; i++) {
		int digit = hex_digit(c->at[i]);

		if (digit < 0)
			return false;
		value = value << 4 | (uint32_t)digit;
	}
	c->at += digits;
	*ret_value = value;
	return true;
}

/* As many as there are, and at least one; more than 16 do not fit. */
static bool take_hex_any(struct cursor *c, uint64_t *ret_value)
{
	const char *begin = c->at;
	uint64_t value = 0;

	while (c->at < c->end && hex_digit(*c->at) >= 0 && c->at - begin < 16)
		value = value << 4 | (uint64_t)hex_digit(*c->at++);
	*ret_value = value;
	return c->at > begin;
}

/* A decimal column, which ends at a blank or at the end. */
static bool take_decimal(struct cursor *c, uint64_t *ret_value)
{
	const char *begin;
	uint64_t value = 0;

	skip_blanks(c);
	for (begin = c->at; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*c->at - '0'), &value))
			return false;
	*ret_value = value;
	return c->at > begin && (c->at == c->end || *c->at == ' ');
}

static bool take_column(struct cursor *c)
{
	const char *begin;

	skip_blanks(c);
	for (begin = c->at; c->at < c->end && *c->at != ' ';)
		c->at++;
	return c->at > begin;
}

/* "0100007F:0016": an address is words in the host's byte order, one of IPv4 or four of IPv6; a
 * port is a number. */
static bool take_end(struct cursor *c, uint32_t ret_words[4], unsigned int *ret_count,
		     uint16_t *ret_port)
{
	unsigned int count = 0;
	uint32_t port;

	skip_blanks(c);
	while (count < 4 && take_hex(c, 8, &ret_words[count]))
		count++;
	if ((count != 1 && count != 4) || !take_char(c, ':') || !take_hex(c, 4, &port))
		return false;
	*ret_count = count;
	*ret_port = (uint16_t)port;
	return true;
}

static bool is_mapped(const uint32_t words[4])
{
	return words[0] == 0 && words[1] == 0 && words[2] == htonl(0xffff);
}

/* IPv4-mapped addresses are folded to IPv4; a listener has no remote one that could be mapped. */
static bool take_ends(struct cursor *c, struct sock_record *record)
{
	uint32_t local[4], remote[4];
	unsigned int count, remote_count, from = 0;

	if (!take_end(c, local, &count, &record->local_port) ||
	    !take_end(c, remote, &remote_count, &record->remote_port) || count != remote_count)
		return false;
	record->family = count == 1 ? AF_INET : AF_INET6;
	if (count == 4 && is_mapped(local) && (is_mapped(remote) || record->remote_port == 0)) {
		record->is_v4_in_v6 = 1;
		record->family = AF_INET;
		from = 3;
		count = 1;
	}
	memcpy(record->local.bytes, local + from, count * sizeof(*local));
	memcpy(record->remote.bytes, remote + from, count * sizeof(*remote));
	return true;
}

/* " 01 00000000:00000000 00:00000000 00000000": state, queues, timer, retransmits. */
static bool take_state(struct cursor *c, struct sock_record *record)
{
	uint32_t state, timer, retransmits;
	uint64_t ticks;

	skip_blanks(c);
	if (!take_hex(c, 2, &state))
		return false;
	skip_blanks(c);
	if (!take_hex(c, 8, &record->send_queue) || !take_char(c, ':') ||
	    !take_hex(c, 8, &record->receive_queue))
		return false;
	skip_blanks(c);
	if (!take_hex(c, 2, &timer) || !take_char(c, ':') || !take_hex_any(c, &ticks))
		return false;
	skip_blanks(c);
	if (!take_hex(c, 8, &retransmits))
		return false;
	record->state = (uint8_t)state;
	record->timer = (uint8_t)timer;
	record->timer_ms = (uint32_t)(ticks * MSEC_PER_TICK);
	record->retransmits = (uint8_t)(retransmits < UINT8_MAX ? retransmits : UINT8_MAX);
	return true;
}

/* "  1000        0 12345 2 00000000deadbeef": uid, unanswered probes, inode, references, pointer.
 */
static bool take_owner(struct cursor *c, struct sock_record *record)
{
	uint64_t uid, probes, inode, references;

	if (!take_decimal(c, &uid) || !take_decimal(c, &probes) || !take_decimal(c, &inode) ||
	    !take_decimal(c, &references) || !take_column(c) || uid > UINT32_MAX)
		return false;
	record->uid = (uint32_t)uid;
	record->inode = (uint32_t)inode;
	return true;
}

/* Request and time-wait sockets have no further columns, and zeros for what they have no place
 * for. Of a listener the file says how many wait, and not how many may. */
static void note_known(struct cursor *c, struct sock_record *record)
{
	skip_blanks(c);
	if (c->at == c->end)
		return;
	record->known = SOCK_KNOWS_RECEIVE_QUEUE;
	if (record->state != SOCK_LISTEN)
		record->known |= SOCK_KNOWS_SEND_QUEUE;
}

static int parse_rest(struct cursor *c, enum procfs_format format, struct sock_record *record)
{
	uint64_t drops;

	if (format == PROCFS_TCP) {
		if (record->state == 0 || record->state >= SOCK_STATE_END)
			return -EPROTO;
		note_known(c, record);
		return 0;
	}
	if (!take_decimal(c, &drops))
		return -EBADMSG;
	record->drops = (uint32_t)drops;
	record->known = SOCK_KNOWS_RECEIVE_QUEUE | SOCK_KNOWS_SEND_QUEUE | SOCK_KNOWS_DROPS;
	return 0;
}

int procfs_parse_inet(const char *line, size_t n, enum procfs_format format,
		      struct sock_record *ret_record)
{
	struct cursor c = {line, line + n};
	struct sock_record record = {0};
	int r;

	skip_blanks(&c);
	while (c.at < c.end && *c.at >= '0' && *c.at <= '9')
		c.at++;
	if (!take_char(&c, ':') || !take_ends(&c, &record) || !take_state(&c, &record) ||
	    !take_owner(&c, &record))
		return -EBADMSG;
	r = parse_rest(&c, format, &record);
	if (r == 0)
		*ret_record = record;
	return r;
}

/* SS_CONNECTED, SS_CONNECTING (net.h), and __SO_ACCEPTCON: what unix_seq_show() makes of a state.
 */
#define UNIX_CONNECTING 2
#define UNIX_CONNECTED  3
#define UNIX_ACCEPTS    0x10000

/* "0000000000000000: 00000002 00000000 00010000 0001 01 12345 /run/x": pointer, references,
 * protocol, flags, type, state, inode and, where there is one, the name. */
int procfs_parse_unix(const char *line, size_t n, struct sock_record *ret_record)
{
	struct cursor c = {line, line + n};
	struct sock_record record = {.family = AF_UNIX};
	uint32_t references, protocol, flags, type, state;
	uint64_t pointer, inode;

	if (!take_hex_any(&c, &pointer) || !take_char(&c, ':') || !take_char(&c, ' ') ||
	    !take_hex(&c, 8, &references) || !take_char(&c, ' ') || !take_hex(&c, 8, &protocol) ||
	    !take_char(&c, ' ') || !take_hex(&c, 8, &flags) || !take_char(&c, ' ') ||
	    !take_hex(&c, 4, &type) || !take_char(&c, ' ') || !take_hex(&c, 2, &state) ||
	    !take_decimal(&c, &inode))
		return -EBADMSG;
	record.type = (uint8_t)type;
	record.inode = (uint32_t)inode;
	record.state = SOCK_CLOSE;
	if (flags & UNIX_ACCEPTS)
		record.state = SOCK_LISTEN;
	else if (state == UNIX_CONNECTED || state == UNIX_CONNECTING)
		record.state = SOCK_ESTABLISHED;
	*ret_record = record;
	return 0;
}

static int parse_columns(const char *line, size_t n, unsigned int columns, uint8_t family,
			 struct sock_record *ret_record)
{
	struct cursor c = {line, line + n};

	for (unsigned int i = 0; i < columns; i++)
		if (!take_column(&c))
			return -EBADMSG;
	*ret_record = (struct sock_record){.family = family};
	return 0;
}

/* sk, RefCnt, Type, Proto, Iface, R, Rmem, User, Inode. */
int procfs_parse_packet(const char *line, size_t n, struct sock_record *ret_record)
{
	return parse_columns(line, n, 9, AF_PACKET, ret_record);
}

/* sk, Eth, Pid, Groups, Rmem, Wmem, Dump, Locks, Drops, Inode. */
int procfs_parse_netlink(const char *line, size_t n, struct sock_record *ret_record)
{
	return parse_columns(line, n, 10, AF_NETLINK, ret_record);
}
