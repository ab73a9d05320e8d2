/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/prefix_trie.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(prefix_trie);

static uint8_t parse(const char *text, struct sock_address *ret_address)
{
	uint8_t family = strchr(text, ':') ? AF_INET6 : AF_INET;

	memset(ret_address, 0, sizeof(*ret_address));
	cr_assert_eq(inet_pton(family, text, ret_address->bytes), 1, "%s", text);
	return family;
}

static int add(struct prefix_trie *t, const char *text, unsigned int bits, uint16_t value)
{
	struct sock_address a;
	uint8_t family = parse(text, &a);

	return prefix_trie_add(t, family, &a, bits, value);
}

static unsigned int find(const struct prefix_trie *t, const char *text)
{
	struct sock_address a;
	uint8_t family = parse(text, &a);

	return prefix_trie_find(t, family, &a);
}

Test(prefix_trie, the_longest_decides)
{
	static const struct {
		const char *text;
		unsigned int value;
	} cases[] = {
		{"10.0.0.1", 1},          {"10.1.0.1", 2},     {"10.1.2.1", 3},
		{"10.1.2.3", 4},          {"11.0.0.1", 0},     {"192.168.0.1", 5},
		{"192.169.0.1", 0},       {"10.1.2.2", 3},     {"::1", PREFIX_NONE},
		{"2001:db8::1", 6},       {"2001:db8:1::", 7}, {"2001:db9::", PREFIX_NONE},
		{"2001:db8:1:ffff::", 7},
	};
	struct prefix_trie t;

	cr_assert_eq(prefix_trie_init(&t), 0);
	cr_assert_eq(find(&t, "10.0.0.1"), PREFIX_NONE);
	cr_assert_eq(add(&t, "10.1.2.3", 32, 4), 0);
	cr_assert_eq(add(&t, "10.0.0.0", 8, 1), 0);
	cr_assert_eq(add(&t, "10.1.2.99", 24, 3), 0);
	cr_assert_eq(add(&t, "10.1.0.0", 16, 2), 0);
	cr_assert_eq(add(&t, "192.168.0.0", 16, 5), 0);
	cr_assert_eq(add(&t, "255.0.0.0", 0, 0), 0);
	cr_assert_eq(add(&t, "2001:db8:1::", 48, 7), 0);
	cr_assert_eq(add(&t, "2001:db8::", 32, 6), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_assert_eq(find(&t, cases[i].text), cases[i].value, "%s: %u", cases[i].text,
			     find(&t, cases[i].text));
	cr_assert_eq(add(&t, "10.1.2.0", 24, 9), -EEXIST);
	cr_assert_eq(add(&t, "1.2.3.4", 0, 9), -EEXIST);
	prefix_trie_done(&t);
}

struct model {
	struct sock_address address;
	uint8_t family, bits;
};

static bool is_in(const struct model *m, uint8_t family, const struct sock_address *a)
{
	for (unsigned int i = 0; i < m->bits; i++)
		if ((a->bytes[i / 8] ^ m->address.bytes[i / 8]) >> (7 - i % 8) & 1)
			return false;
	return m->family == family;
}

/* Few different bytes, so that prefixes share much. */
static uint8_t random_address(struct sock_address *ret_address)
{
	uint8_t family = random() % 2 ? AF_INET : AF_INET6;

	memset(ret_address, 0, sizeof(*ret_address));
	for (unsigned int i = 0; i < (family == AF_INET ? 4 : 16); i++)
		ret_address->bytes[i] = (uint8_t)(random() % 3 ? 0 : random() % 4 * 85);
	return family;
}

/* Against a list in which each prefix is tried. */
Test(prefix_trie, random)
{
	enum { PREFIXES = 300 };
	struct model model[PREFIXES];
	struct sock_address a;
	struct prefix_trie t;
	unsigned int count = 0;

	srandom(11);
	cr_assert_eq(prefix_trie_init(&t), 0);
	while (count < PREFIXES) {
		struct model *m = &model[count];
		bool is_known = false;

		m->family = random_address(&m->address);
		m->bits = (uint8_t)(random() % (m->family == AF_INET ? 33 : 129));
		for (unsigned int i = 0; i < count; i++)
			is_known |= model[i].bits == m->bits &&
				    is_in(&model[i], m->family, &m->address);
		cr_assert_eq(prefix_trie_add(&t, m->family, &m->address, m->bits, (uint16_t)count),
			     is_known ? -EEXIST : 0);
		count += !is_known;
	}
	cr_assert_leq(t.count, 2 + 2 * PREFIXES);
	for (unsigned int i = 0; i < 100000; i++) {
		uint8_t family = random_address(&a);
		int best = -1;

		for (unsigned int j = 0; j < count; j++)
			if (is_in(&model[j], family, &a) &&
			    (best < 0 || model[j].bits > model[best].bits))
				best = (int)j;
		cr_assert_eq(prefix_trie_find(&t, family, &a),
			     best < 0 ? PREFIX_NONE : (unsigned int)best);
	}
	prefix_trie_done(&t);
}
