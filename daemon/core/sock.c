/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/sock.h"

#include <stddef.h>

const char *sock_state_name(unsigned int state)
{
	static const char *const names[SOCK_STATE_END] = {
		[SOCK_ESTABLISHED] = "established",
		[SOCK_SYN_SENT] = "syn_sent",
		[SOCK_SYN_RECV] = "syn_recv",
		[SOCK_FIN_WAIT1] = "fin_wait1",
		[SOCK_FIN_WAIT2] = "fin_wait2",
		[SOCK_TIME_WAIT] = "time_wait",
		[SOCK_CLOSE] = "close",
		[SOCK_CLOSE_WAIT] = "close_wait",
		[SOCK_LAST_ACK] = "last_ack",
		[SOCK_LISTEN] = "listen",
		[SOCK_CLOSING] = "closing",
	};

	return state < SOCK_STATE_END ? names[state] : NULL;
}

bool sock_address_is_any(const struct sock_address *a)
{
	static const struct sock_address any;

	return sock_address_equal(a, &any);
}
