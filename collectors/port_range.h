/* SPDX-License-Identifier: Apache-2.0 */
/* net.ipv4.ip_local_port_range of the daemon's network namespace. */
#pragma once

#include <stdint.h>

/* "32768\t60999\n". Pure. 0 or -EBADMSG. */
int port_range_parse(const char *text, uint16_t *ret_low, uint16_t *ret_high);
/* Reads PATH (/proc/sys/net/ipv4/ip_local_port_range). 0 or -errno. */
int port_range_read(const char *path, uint16_t *ret_low, uint16_t *ret_high);
