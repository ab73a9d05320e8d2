/* SPDX-License-Identifier: Apache-2.0 */
/* A dump request to inet_diag, or to another handler of sock_diag, rendered to bytes. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "daemon/core/filter_bytecode.h"
#include "daemon/core/poll.h"

/* Bits of idiag_ext: 1 << (attribute − 1), include/uapi/linux/inet_diag.h. Ask only what is used.
 */
#define INETDIAG_EXT_INFO  0x02
#define INETDIAG_EXT_CONG  0x08
#define INETDIAG_EXT_SKMEM 0x40

#define INETDIAG_REQUEST_MAX (128 + FILTER_CODE_MAX)

struct inetdiag_request {
	enum poll_family of; /* which sockets */
	uint8_t family;      /* 0: TCP of both in one walk (TCPDIAG_GETSOCK); else sdiag_family */
	uint8_t extensions;  /* INETDIAG_EXT_…; of UNIX sockets UDIAG_SHOW_… */
	uint32_t states;     /* SOCK_STATE_BIT()s */
	const struct filter_request *filter; /* of IP sockets; NULL: all of them */
};

/* Returns the length. Every byte that is not asked for is zero (CVE-2024-42106 was such a pad). */
size_t inetdiag_request_render(const struct inetdiag_request *request, uint32_t sequence,
			       uint8_t ret_bytes[INETDIAG_REQUEST_MAX]);
