/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/sock.h"

#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(sock);

/* Numbers and names of the C library's <netinet/tcp.h>, names as the interface spells them. */
static const struct {
	unsigned int state;
	const char *name;
} states[] = {
	{TCP_ESTABLISHED, "established"},
	{TCP_SYN_SENT, "syn_sent"},
	{TCP_SYN_RECV, "syn_recv"},
	{TCP_FIN_WAIT1, "fin_wait1"},
	{TCP_FIN_WAIT2, "fin_wait2"},
	{TCP_TIME_WAIT, "time_wait"},
	{TCP_CLOSE, "close"},
	{TCP_CLOSE_WAIT, "close_wait"},
	{TCP_LAST_ACK, "last_ack"},
	{TCP_LISTEN, "listen"},
	{TCP_CLOSING, "closing"},
};

Test(sock, state_names)
{
	cr_assert_eq(ARRAY_SIZE(states), SOCK_STATE_END - 1);
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		cr_assert_str_eq(sock_state_name(states[i].state), states[i].name);
	cr_assert_null(sock_state_name(0));
	cr_assert_null(sock_state_name(SOCK_STATE_END));
	cr_assert_null(sock_state_name(UINT32_MAX));
}

/* All but CLOSE, and NEW_SYN_RECV. */
Test(sock, states_that_are_asked_for)
{
	for (unsigned int state = 0; state < 32; state++) {
		bool wanted = (sock_state_name(state) && state != TCP_CLOSE) || state == 12;

		cr_assert_eq((SOCK_STATES_ALL & SOCK_STATE_BIT(state)) != 0, wanted, "state %u",
			     state);
	}
}

Test(sock, skmem_words)
{
	static const struct {
		unsigned int ours, kernel;
	} words[] = {
		{SOCK_SKMEM_RMEM_ALLOC, SK_MEMINFO_RMEM_ALLOC},
		{SOCK_SKMEM_RCVBUF, SK_MEMINFO_RCVBUF},
		{SOCK_SKMEM_WMEM_ALLOC, SK_MEMINFO_WMEM_ALLOC},
		{SOCK_SKMEM_SNDBUF, SK_MEMINFO_SNDBUF},
		{SOCK_SKMEM_FWD_ALLOC, SK_MEMINFO_FWD_ALLOC},
		{SOCK_SKMEM_WMEM_QUEUED, SK_MEMINFO_WMEM_QUEUED},
		{SOCK_SKMEM_OPTMEM, SK_MEMINFO_OPTMEM},
		{SOCK_SKMEM_BACKLOG, SK_MEMINFO_BACKLOG},
		{SOCK_SKMEM_DROPS, SK_MEMINFO_DROPS},
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		cr_assert_eq(words[i].ours, words[i].kernel, "word %zu", i);
	cr_assert_eq(ARRAY_SIZE(words), SK_MEMINFO_VARS);
}

/* Each byte counts. */
Test(sock, addresses)
{
	struct sock_address a = {0}, b = {0};

	cr_assert(sock_address_is_any(&a));
	cr_assert(sock_address_equal(&a, &b));
	for (size_t i = 0; i < sizeof(a.bytes); i++) {
		a.bytes[i] = 1;
		cr_assert_not(sock_address_is_any(&a), "byte %zu", i);
		cr_assert_not(sock_address_equal(&a, &b), "byte %zu", i);
		b.bytes[i] = 1;
		cr_assert(sock_address_equal(&a, &b), "byte %zu", i);
		a.bytes[i] = 0;
		b.bytes[i] = 0;
	}
}

Test(sock, loads_at_any_offset)
{
	uint8_t bytes[32];

	for (unsigned int i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + 1);
	for (unsigned int offset = 0; offset + 8 <= sizeof(bytes); offset++) {
		uint32_t word;
		uint64_t both;

		memcpy(&word, bytes + offset, sizeof(word));
		memcpy(&both, bytes + offset, sizeof(both));
		cr_assert_eq(sock_load_u32(bytes, offset), word, "offset %u", offset);
		cr_assert_eq(sock_load_u64(bytes, offset), both, "offset %u", offset);
	}
}
