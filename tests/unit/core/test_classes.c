/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/classes.h"

#include <sys/socket.h>

#include "daemon/util/macros.h"
#include "tests/support/record_builder.h"
#include "tests/support/test_support.h"

TEST_SUITE(classes);

static struct filter *parse(const char *text)
{
	struct filter_error error;
	struct filter *f;

	cr_assert_eq(filter_parse(text, &(struct filter_world){0}, &error, &f), 0, "%s", text);
	return f;
}

static void add_prefix(struct prefix_trie *t, uint8_t family, uint8_t first, unsigned int bits,
		       uint16_t value)
{
	const struct sock_address address = {{first}};

	cr_assert_eq(prefix_trie_add(t, family, &address, bits, value), 0);
}

static struct sock_class find(const struct classes *c, unsigned int state, const char *local,
			      const char *remote)
{
	struct test_record r;

	test_record_init(&r, state, local, remote);
	return classes_find(c, &r.record);
}

Test(classes, none)
{
	struct classes c = {0};

	classes_init(&c);
	cr_assert_not(classes_exist(&c));
	cr_assert(c.are_fixed);
	cr_assert(class_is_other(find(&c, SOCK_ESTABLISHED, "10.0.0.1:80", "10.0.0.2:9")));
}

Test(classes, the_first_view_that_matches)
{
	static const struct {
		const char *local, *remote;
		unsigned int view;
	} cases[] = {
		{"10.0.0.1:80", "10.0.0.2:9", 1},
		{"10.0.0.1:81", "10.0.0.2:9", 2},
		{"10.0.0.1:82", "10.0.0.2:9", 0},
		{"[fd00::1]:80", "[fd00::2]:9", 1},
	};
	struct filter *first = parse("sport = 80"), *second = parse("sport <= 81");
	struct classes c = {.views = {first, second}, .view_count = 2};

	classes_init(&c);
	cr_assert(classes_exist(&c));
	cr_assert(c.are_fixed);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sock_class class =
			find(&c, SOCK_ESTABLISHED, cases[i].local, cases[i].remote);

		cr_assert_eq(class.view, cases[i].view, "%s", cases[i].local);
		cr_assert_eq(class.peer, 0);
	}
	filter_free(first);
	filter_free(second);
}

/* Who asks for the state may have to be asked again. */
Test(classes, that_change)
{
	static const struct {
		const char *text;
		bool are_fixed;
	} cases[] = {
		{"sport = 80 and dst 10.0.0.0/8", true},
		{"sport = 80 and not ( state established )", false},
		{"dev lo", true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct filter *fixed = parse("dport = 9"), *f = parse(cases[i].text);
		struct classes c = {.views = {fixed, f}, .view_count = 2};

		classes_init(&c);
		cr_assert_eq(c.are_fixed, cases[i].are_fixed, "%s", cases[i].text);
		filter_free(f);
		filter_free(fixed);
	}
}

/* A prefix of no bits is a peer to connect to, and none of a listener's. */
Test(classes, the_longest_prefix)
{
	static const struct {
		unsigned int state;
		const char *local, *remote;
		unsigned int peer;
	} cases[] = {
		{SOCK_ESTABLISHED, "10.0.0.1:80", "10.0.0.2:9", 2},
		{SOCK_TIME_WAIT, "10.0.0.1:80", "11.0.0.2:9", 1},
		{SOCK_LISTEN, "10.0.0.1:80", "0.0.0.0:0", 0},
		{SOCK_ESTABLISHED, "[fd00::1]:80", "[fd00::2]:9", 255},
		{SOCK_ESTABLISHED, "[fe80::1]:80", "[fe80::2]:9", 0},
	};
	struct prefix_trie trie;
	struct classes c = {.peers = &trie};

	cr_assert_eq(prefix_trie_init(&trie), 0);
	add_prefix(&trie, AF_INET, 0, 0, 1);
	add_prefix(&trie, AF_INET, 10, 8, 2);
	add_prefix(&trie, AF_INET6, 0xfd, 8, 255);
	classes_init(&c);
	cr_assert(classes_exist(&c));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sock_class class = find(&c, cases[i].state, cases[i].local, cases[i].remote);

		cr_assert_eq(class.peer, cases[i].peer, "%s", cases[i].remote);
		cr_assert_eq(class.view, 0);
	}
	prefix_trie_done(&trie);
}
