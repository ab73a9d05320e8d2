/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of one socket: what a source (netlink, /proc, a destroy event) says of it, in
 * host byte order, IPv4-mapped addresses folded to IPv4. It borrows its attributes from the bytes
 * it was parsed from and lives as long as they do. What the source did not say is NULL or absent
 * from `known`, never a zero that looks like a value.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* include/net/tcp_states.h; the kernel shows request sockets (12) as SYN_RECV. */
enum sock_state {
	SOCK_ESTABLISHED = 1,
	SOCK_SYN_SENT,
	SOCK_SYN_RECV,
	SOCK_FIN_WAIT1,
	SOCK_FIN_WAIT2,
	SOCK_TIME_WAIT,
	SOCK_CLOSE,
	SOCK_CLOSE_WAIT,
	SOCK_LAST_ACK,
	SOCK_LISTEN,
	SOCK_CLOSING,
	SOCK_STATE_END,
};

#define SOCK_STATE_BIT(state) (UINT32_C(1) << (state))
/* What we ask for: every state but CLOSE, and NEW_SYN_RECV (12), which some kernels want by name.
 */
#define SOCK_STATES_ALL \
	((SOCK_STATE_BIT(SOCK_STATE_END) - 2 - SOCK_STATE_BIT(SOCK_CLOSE)) | SOCK_STATE_BIT(12))

/* idiag_timer, inet_diag_msg in include/uapi/linux/inet_diag.h. */
enum sock_timer {
	SOCK_TIMER_OFF,
	SOCK_TIMER_RETRANSMIT,
	SOCK_TIMER_KEEPALIVE,
	SOCK_TIMER_TIME_WAIT,
	SOCK_TIMER_ZERO_WINDOW_PROBE,
	SOCK_TIMER_DELAYED_ACK,
	SOCK_TIMER_END,
};

/* Bits of sock_record.known. */
#define SOCK_KNOWS_V6ONLY        0x01
#define SOCK_KNOWS_RECEIVE_QUEUE 0x02
#define SOCK_KNOWS_SEND_QUEUE    0x04 /* LISTEN: the accept queue's limit */
#define SOCK_KNOWS_DROPS         0x08
#define SOCK_IS_DESTROYED        0x10 /* what state it had is not told */

/* Words of INET_DIAG_SKMEMINFO, include/uapi/linux/sock_diag.h: bytes, but for drops. */
enum sock_skmem {
	SOCK_SKMEM_RMEM_ALLOC,
	SOCK_SKMEM_RCVBUF,
	SOCK_SKMEM_WMEM_ALLOC,
	SOCK_SKMEM_SNDBUF,
	SOCK_SKMEM_FWD_ALLOC,
	SOCK_SKMEM_WMEM_QUEUED,
	SOCK_SKMEM_OPTMEM,
	SOCK_SKMEM_BACKLOG,
	SOCK_SKMEM_DROPS, /* since Linux 4.7 */
};

/* An IPv4 address lies in the first four bytes, the rest is 0. */
struct sock_address {
	uint8_t bytes[16];
};

struct sock_record {
	uint64_t cookie; /* unique since boot and for all namespaces; 0: /proc does not tell */
	struct sock_address local, remote;
	uint32_t interface; /* index of the device it is bound to, 0: none */
	uint16_t local_port, remote_port;
	uint8_t family; /* AF_INET or AF_INET6, after folding; or another of what is no IP socket */
	uint8_t type;   /* SOCK_STREAM … of what is no IP socket */
	uint8_t state;  /* enum sock_state */
	uint8_t timer;  /* enum sock_timer; SOCK_TIMER_END and above: one unknown to us */
	uint8_t retransmits;
	uint8_t known;          /* SOCK_KNOWS_… */
	uint8_t v6only;         /* IPV6_V6ONLY of a listener */
	uint8_t is_v4_in_v6;    /* an AF_INET6 socket whose addresses were folded */
	uint32_t timer_ms;      /* until it fires */
	uint32_t receive_queue; /* bytes; LISTEN: length of the accept queue */
	uint32_t send_queue;    /* bytes; LISTEN: limit of the accept queue */
	uint32_t drops;         /* where no skmem comes with it: since the socket was made */
	uint32_t uid;
	uint32_t inode;     /* 0: not yet accepted, orphan, or no full socket */
	uint64_t cgroup_id; /* of the socket's cgroup v2; 0: not told */
	union {
		uint16_t tcp_info_len; /* bytes the kernel sent, also beyond what we know */
		uint16_t name_len;
	};
	uint16_t skmem_len; /* the same */
	union {
		const uint8_t *tcp_info; /* raw struct tcp_info, aligned to 4; NULL: not sent */
		const char *name;        /* of a UNIX socket: sun_path; NULL: it has none */
	};
	const uint8_t *skmem;  /* raw words in host order, aligned to 4; NULL: not sent */
	const char *algorithm; /* congestion control, terminated; NULL: not sent */
};

/* "established" … "closing"; NULL for what is no state. */
const char *sock_state_name(unsigned int state);
bool sock_address_is_any(const struct sock_address *a);

static inline bool sock_address_equal(const struct sock_address *a, const struct sock_address *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* A u16 (u32, u64) at a byte offset of raw attribute bytes, whatever its alignment. The caller has
 * checked the length. */
static inline uint16_t sock_load_u16(const uint8_t *bytes, unsigned int offset)
{
	uint16_t n;

	memcpy(&n, bytes + offset, sizeof(n));
	return n;
}

static inline uint32_t sock_load_u32(const uint8_t *bytes, unsigned int offset)
{
	uint32_t n;

	memcpy(&n, bytes + offset, sizeof(n));
	return n;
}

static inline uint64_t sock_load_u64(const uint8_t *bytes, unsigned int offset)
{
	uint64_t n;

	memcpy(&n, bytes + offset, sizeof(n));
	return n;
}

/* The same of 8, 4, 2 or 1 bytes. */
static inline uint64_t sock_load(const uint8_t *bytes, unsigned int offset, unsigned int width)
{
	switch (width) {
	case 8:
		return sock_load_u64(bytes, offset);
	case 4:
		return sock_load_u32(bytes, offset);
	case 2:
		return sock_load_u16(bytes, offset);
	default:
		return bytes[offset];
	}
}
