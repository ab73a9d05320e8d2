/* SPDX-License-Identifier: Apache-2.0 */
/* views and peers: lists of maps. */
#include "config/config_entries.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/prefix_trie.h"
#include "daemon/util/buf.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/config/config_expect.h"

TEST_SUITE(config_entries);

Test(config_entries, good)
{
	static const char text[] = "views:\n"
				   "  - name: https\n"
				   "    filter: 'sport = :443 or sport = :8443'\n"
				   "  - {filter: state established, name: eu-west.1/a}\n"
				   "peers:\n"
				   "- name: office\n"
				   "  prefixes: [10.0.0.0/8, \"fd00::/8\"]\n"
				   "- name: vpn\n"
				   "  prefixes:\n"
				   "  - 10.1.0.0/16\n";
	struct config *c = expect_config("good", text);
	const struct config_view *views = c->views.items;
	const struct config_peer *peers = c->peers.items;
	struct sock_address address = {{10, 1, 2, 3}};

	cr_assert_eq(c->views.count, 2);
	cr_assert_str_eq(views[0].name, "https");
	cr_assert_str_eq(views[0].filter.text, "sport = :443 or sport = :8443");
	cr_assert_not_null(views[0].filter.filter);
	cr_assert_str_eq(views[1].name, "eu-west.1/a");
	cr_assert_eq(c->peers.count, 2);
	cr_assert_str_eq(peers[1].name, "vpn");
	cr_assert_str_eq(peers[0].prefixes.items[1], "fd00::/8");
	cr_assert_eq(prefix_trie_find(c->peer_prefixes, AF_INET, &address), 2);
	address.bytes[1] = 2;
	cr_assert_eq(prefix_trie_find(c->peer_prefixes, AF_INET, &address), 1);
	address.bytes[0] = 11;
	cr_assert_eq(prefix_trie_find(c->peer_prefixes, AF_INET, &address), PREFIX_NONE);
	config_free(c);
}

Test(config_entries, none)
{
	struct config *c = expect_config("none", "views: []\npeers: []\n");

	cr_assert_eq(c->views.count, 0);
	cr_assert_null(c->peer_prefixes);
	config_free(c);
}

Test(config_entries, faults)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"views: a", "1:8: views: must be a list"},
		{"views: {name: a, filter: sport = 1}", "1:8: views: must be a list"},
		{"views:", "1:7: views: has no value"},
		{"views: [a, [b]]", "1:9: views: must be a list of maps\n"
				    "1:12: views: must be a list of maps"},
		{"views: [{name: a}]", "1:9: views.filter: is missing"},
		{"views: [{filter: sport = 1}]", "1:9: views.name: is missing"},
		{"views: [{}]", "1:9: views.name: is missing\n1:9: views.filter: is missing"},
		{"views:\n- name: a\n  filter: ''\n",
		 "3:12: views.filter: a predicate is missing here"},
		{"views:\n- name: a\n  filter: sport =\n  color: red\n",
		 "3:18: views.filter: a port is missing here\n4:3: views: unknown key"},
		{"views:\n- {name: a, filter: sport = 1}\n- {name: b, filter: sport = 1}\n"
		 "- {filter: sport = 2, name: a}\n",
		 "4:3: views: the name a is given twice"},
		{"views: [{name: a, name: b, filter: sport = 1}]",
		 "1:19: views.name: is given twice, first in line 1"},
		{"views: [{name: other, filter: sport = 1}]",
		 "1:16: views.name: must not be \"other\", which is what has no name"},
		{"views: [{name: 'a b', filter: sport = 1}]",
		 "1:16: views.name: must be letters, digits and _-.:/@+ only"},
		{"views: [{name: [a], filter: sport = 1}]",
		 "1:16: views.name: must be a single value, not a list"},
		{"views: [{[a]: b, name: a, filter: sport = 1}]",
		 "1:10: views: a key must be a name"},
		{"peers: [{name: a, prefixes: 10.0.0.0/8}]",
		 "1:29: peers.prefixes: must be a list"},
		{"peers: [{name: a, prefixes: []}]",
		 "1:29: peers.prefixes: must have at least one entry"},
		{"peers: [{name: a, prefixes: [10.0.0.1/8]}]",
		 "1:30: peers.prefixes: must have no bits set behind its length"},
		{"peers: [{name: a, prefixes: [10.0.0.0/8, 10.0.0.0/8]}]",
		 "1:9: peers: the prefix 10.0.0.0/8 is given twice"},
		{"peers:\n- {name: a, prefixes: [10.0.0.1]}\n"
		 "- {name: b, prefixes: [\"::ffff:10.0.0.1\"]}\n",
		 "3:3: peers: the prefix ::ffff:10.0.0.1 is given twice"},
		{"peers: [{name: a, prefixes: [\"::/0\"]}, {name: a, prefixes: [0.0.0.0/0]}]",
		 "1:40: peers: the name a is given twice"},
		/* What is wrong in itself is not compared with others. */
		{"views: [{name: a, filter: x y z}, {name: a, filter: sport = 1}]\n"
		 "peers: [{name: a}]\n",
		 "1:27: views.filter: this is none of src, dst, sport, dport, dev, cgroup, "
		 "autobound, state, exclude\n"
		 "2:9: peers.prefixes: is missing"},
		{"views: [{name: a, filter: sport = 1}]\nviews: [{name: a, filter: sport = 1}]\n",
		 "2:1: views: is given twice, first in line 1"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_errors(cases[i].text, cases[i].text, cases[i].expected);
}

static void add_list(struct buf *text, const char *key, unsigned int count, const char *before,
		     const char *after)
{
	buf_add_format(text, "%s:\n", key);
	for (unsigned int i = 0; i < count; i++) {
		buf_add_format(text, "- name: n%u\n  ", i);
		buf_add_format(text, "%s10.0.%u.%u%s", before, i / 256, i % 256, after);
		buf_add_char(text, '\n');
	}
}

Test(config_entries, as_many_as_there_may_be)
{
	struct buf text = BUF_INIT;
	struct config *c;
	char expected[64];

	add_list(&text, "views", CONFIG_VIEWS_MAX, "filter: dst ", "");
	add_list(&text, "peers", CONFIG_PEERS_MAX, "prefixes: [", "]");
	buf_add_char(&text, '\0');
	c = expect_config("all", text.data);
	cr_assert_eq(c->views.count, CONFIG_VIEWS_MAX);
	cr_assert_eq(c->peers.count, CONFIG_PEERS_MAX);
	config_free(c);

	text.len = 0;
	add_list(&text, "views", CONFIG_VIEWS_MAX + 2, "filter: dst ", "");
	buf_add_char(&text, '\0');
	snprintf(expected, sizeof(expected),
		 "%u:3: views: the list must not have more than 512 "
		 "entries",
		 2 * CONFIG_VIEWS_MAX + 2);
	expect_errors("views", text.data, expected);

	text.len = 0;
	add_list(&text, "peers", CONFIG_PEERS_MAX + 1, "prefixes: [", "]");
	buf_add_char(&text, '\0');
	snprintf(expected, sizeof(expected),
		 "%u:3: peers: the list must not have more than 255 "
		 "entries",
		 2 * CONFIG_PEERS_MAX + 2);
	expect_errors("peers", text.data, expected);
	buf_done(&text);
}

Test(config_entries, rendered_and_read_again)
{
	static const char text[] = "views:\n"
				   "  - name: \"https\"\n"
				   "    filter: \"( sport = :443 ) or dport = :443\"\n"
				   "peers:\n"
				   "  - name: \"office\"\n"
				   "    prefixes: [\"10.0.0.0/8\", \"fd00::/8\"]\n";
	struct config *c = expect_config("given", text), *again;
	struct buf found = BUF_INIT;

	config_render(c, &found);
	buf_add_char(&found, '\0');
	cr_assert_not_null(strstr(found.data, text), "%s", found.data);
	again = expect_config("again", found.data);
	cr_assert(is_same_config(c, again));
	config_free(again);
	config_free(c);
	buf_done(&found);
}
