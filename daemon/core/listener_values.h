/* SPDX-License-Identifier: Apache-2.0 */
/* What is exported of one listener, as the metric table addresses it. METRIC_ABSENT: no value. */
#pragma once

#include <stdint.h>

struct listener_values {
	uint64_t info; /* always 1 */
	uint64_t sockets;
	uint64_t length, limit; /* connections, summed over members */
	uint64_t peak;
	uint64_t peak_ratio_nano; /* length / (limit + 1) of one member, in 1e-9 */
	uint64_t full_ns;
	uint64_t drops, stray_drops; /* connection attempts */
	uint64_t sk_drops;           /* as the kernel has them, summed over present members */
	uint64_t last_drop_ms;       /* realtime */
	/* From the sockets lane. */
	uint64_t syn_queue, syn_queue_retransmitting;
	uint64_t unaccepted_oldest_ms;
	uint64_t unaccepted_closed, unaccepted_reset;
};
