/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/collectors/message_builder.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

struct nlmsghdr *message_last(struct message_builder *b)
{
	return (struct nlmsghdr *)(b->bytes + b->last);
}

void message_begin(struct message_builder *b, uint16_t type, uint32_t sequence, uint32_t port_id)
{
	const struct nlmsghdr header = {
		.nlmsg_type = type,
		.nlmsg_seq = sequence,
		.nlmsg_pid = port_id,
	};

	b->last = b->len;
	message_add(b, &header, sizeof(header));
}

void message_add(struct message_builder *b, const void *payload, size_t n)
{
	const size_t padded = NLMSG_ALIGN(n);

	/* Criterion takes most of a millisecond for an assertion that holds. */
	if (b->len + padded > sizeof(b->bytes))
		cr_assert_fail("the messages do not fit");
	memcpy(b->bytes + b->len, payload, n);
	memset(b->bytes + b->len + n, 0, padded - n);
	b->len += padded;
	message_last(b)->nlmsg_len = (uint32_t)(b->len - b->last);
}

void message_add_attribute(struct message_builder *b, uint16_t type, const void *payload, size_t n)
{
	const struct nlattr header = {
		.nla_len = (uint16_t)(NLA_HDRLEN + n),
		.nla_type = type,
	};

	message_add(b, &header, sizeof(header));
	message_add(b, payload, n);
}

void message_add_row(struct message_builder *b)
{
	const struct inet_diag_msg row = {
		.idiag_family = AF_INET,
		.idiag_state = 1,
		.id.idiag_sport = htons(80),
		.id.idiag_dport = htons(50000),
		.id.idiag_src = {htonl(0x0a000001)},
		.id.idiag_dst = {htonl(0x0a000002)},
	};

	message_add(b, &row, sizeof(row));
}

struct inet_diag_msg *message_row(struct message_builder *b)
{
	return NLMSG_DATA(message_last(b));
}
