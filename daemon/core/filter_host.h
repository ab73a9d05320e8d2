/* SPDX-License-Identifier: Apache-2.0 */
/* The operands of src, dst, sport and dport: "10.0.0.0/8:443", "[::1]", "*:http", ":443". */
#pragma once

#include "daemon/core/filter.h"

/* Fills family, address, prefix, has_port and port of a node, and makes it FILTER_ANY, FILTER_HOST
 * or FILTER_PORT. NULL, or what is wrong with the N bytes of TEXT. */
const char *filter_host_parse(const char *text, size_t n, const struct filter_world *world,
			      struct filter_node *node);
/* The same of a port alone, with a colon before it or without. */
const char *filter_port_parse(const char *text, size_t n, const struct filter_world *world,
			      struct filter_node *node);
