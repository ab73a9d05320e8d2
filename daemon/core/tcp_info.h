/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the fields of struct tcp_info lie that our own code reads by name; all others are rows of
 * the metric table. The struct of include/uapi/linux/tcp.h only ever grows: a kernel that sends
 * less than an offset and its width has no such field.
 */
#pragma once

#include "daemon/core/sock.h"

#define TCP_INFO_LAST_DATA_SENT 44  /* u32, ms; set by the handshake as well */
#define TCP_INFO_LAST_DATA_RECV 52  /* u32, ms; set by the handshake as well */
#define TCP_INFO_LAST_ACK_RECV  56  /* u32, ms */
#define TCP_INFO_RTT            68  /* u32, µs */
#define TCP_INFO_BYTES_ACKED    120 /* u64 */
#define TCP_INFO_BYTES_RECEIVED 128 /* u64 */
#define TCP_INFO_SEGS_IN        140 /* u32 */
#define TCP_INFO_DATA_SEGS_OUT  156 /* u32 */
#define TCP_INFO_DELIVERED      192 /* u32 */
#define TCP_INFO_BYTES_SENT     200 /* u64, with retransmits */
#define TCP_INFO_BYTES_RETRANS  208 /* u64 */

static inline bool tcp_info_has(const struct sock_record *record, unsigned int offset,
				unsigned int width)
{
	return record->tcp_info_len >= offset + width;
}

/* The application's bytes that were acknowledged. bytes_acked counts the SYN of the side that
 * connected, and the FIN, which were never sent as bytes. The record has BYTES_RETRANS. */
static inline uint64_t tcp_info_acked_bytes(const uint8_t *tcp_info)
{
	uint64_t acked = sock_load_u64(tcp_info, TCP_INFO_BYTES_ACKED);
	uint64_t sent = sock_load_u64(tcp_info, TCP_INFO_BYTES_SENT) -
			sock_load_u64(tcp_info, TCP_INFO_BYTES_RETRANS);

	return acked < sent ? acked : sent;
}
