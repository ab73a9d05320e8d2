/* SPDX-License-Identifier: Apache-2.0 */
/* Netlink datagrams made by hand, to say what no kernel of ours says. */
#pragma once

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

struct message_builder {
	uint8_t bytes[4096] __attribute__((aligned(8)));
	size_t len;
	size_t last; /* where the last message begins */
};

struct nlmsghdr *message_last(struct message_builder *b);
void message_begin(struct message_builder *b, uint16_t type, uint32_t sequence, uint32_t port_id);
/* Bytes, with their padding. */
void message_add(struct message_builder *b, const void *payload, size_t n);
void message_add_attribute(struct message_builder *b, uint16_t type, const void *payload, size_t n);
/* An established IPv4 socket, 10.0.0.1:80 from 10.0.0.2:50000. */
void message_add_row(struct message_builder *b);
struct inet_diag_msg *message_row(struct message_builder *b);
