/* SPDX-License-Identifier: Apache-2.0 */
/* An address to listen on, resolved without DNS. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>

struct config_address {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
	socklen_t len;
	bool dual_stack; /* ":17625": [::] that takes IPv4 too, or 0.0.0.0 where there is no IPv6 */
};

/* ":17625", "127.0.0.1:17625", "[::1]:17625", "[fe80::1%eth0]:17625"; port 0 is for the kernel to
 * choose. 0 or -EINVAL. */
int config_address_parse(const char *text, struct config_address *ret_address);

/* In network byte order. */
in_port_t config_address_port(const struct config_address *a);
/* Whether both are the same host, port and reach. */
bool config_address_equal(const struct config_address *a, const struct config_address *b);
/* Whether some connection could belong to either: then the kernel refuses the second. */
bool config_address_overlap(const struct config_address *a, const struct config_address *b);
