/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/record_builder.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/test_support.h"

static uint8_t parse_family(const char *text, struct sock_address *ret_address)
{
	memset(ret_address, 0, sizeof(*ret_address));
	if (strcmp(text, "*") == 0)
		return AF_INET6;
	if (inet_pton(AF_INET, text, ret_address->bytes) == 1)
		return AF_INET;
	cr_assert_eq(inet_pton(AF_INET6, text, ret_address->bytes), 1, "no address: %s", text);
	return AF_INET6;
}

/* "[", address, "]", "%" device, ":" port, cut at each of these. */
static uint8_t parse_end(const char *end, struct sock_address *ret_address, uint16_t *ret_port,
			 uint32_t *ret_interface)
{
	char text[80];
	char *port, *device;

	strncpy(text, end, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	port = strrchr(text, ':');
	cr_assert(port, "no port: %s", end);
	*port = '\0';
	device = strchr(text, '%');
	if (device)
		*device = '\0';
	text[strcspn(text, "]")] = '\0';
	*ret_port = (uint16_t)atoi(port + 1);
	*ret_interface = device ? (uint32_t)atoi(device + 1) : 0;
	return parse_family(text[0] == '[' ? text + 1 : text, ret_address);
}

void test_record_init(struct test_record *r, unsigned int state, const char *local,
		      const char *remote)
{
	static uint32_t inode;
	struct sock_record *record = &r->record;
	uint32_t device;

	memset(r, 0, sizeof(*r));
	record->state = (uint8_t)state;
	record->family = parse_end(local, &record->local, &record->local_port, &record->interface);
	parse_end(remote, &record->remote, &record->remote_port, &device);
	record->inode = ++inode;
	record->cookie = record->inode;
	record->known = SOCK_KNOWS_RECEIVE_QUEUE | SOCK_KNOWS_SEND_QUEUE;
	record->v6only = state == SOCK_LISTEN && local[0] == '[';
	if (record->family == AF_INET6)
		record->known |= SOCK_KNOWS_V6ONLY;
}

void test_record_add_tcp_info(struct test_record *r, unsigned int len)
{
	cr_assert_leq(len, sizeof(r->tcp_info));
	r->record.tcp_info = r->tcp_info;
	r->record.tcp_info_len = (uint16_t)len;
}

void test_record_add_skmem(struct test_record *r, unsigned int count)
{
	cr_assert_leq(count, sizeof(r->skmem) / sizeof(r->skmem[0]));
	r->record.skmem = (const uint8_t *)r->skmem;
	r->record.skmem_len = (uint16_t)(count * sizeof(r->skmem[0]));
}

void test_record_set(struct test_record *r, unsigned int offset, unsigned int width, uint64_t value)
{
	uint8_t byte = (uint8_t)value;
	uint32_t word = (uint32_t)value;

	cr_assert_leq(offset + width, sizeof(r->tcp_info));
	switch (width) {
	case 1:
		r->tcp_info[offset] = byte;
		break;
	case 4:
		memcpy(r->tcp_info + offset, &word, sizeof(word));
		break;
	case 8:
		memcpy(r->tcp_info + offset, &value, sizeof(value));
		break;
	default:
		cr_assert_fail("a width of %u", width);
	}
}
