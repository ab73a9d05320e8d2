/* SPDX-License-Identifier: Apache-2.0 */
/* Prefixes of addresses: "10.0.0.0/8", "fd00::/8", or an address alone. */
#pragma once

#include "daemon/core/sock.h"

struct config_prefix {
	struct sock_address address;
	uint8_t family; /* AF_INET or AF_INET6; of mapped addresses AF_INET, as records have it */
	unsigned int bits;
};

/* NULL, or what is wrong with it. */
const char *config_prefix_parse(const char *text, struct config_prefix *ret_prefix);
