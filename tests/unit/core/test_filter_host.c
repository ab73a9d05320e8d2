/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/filter_host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(filter_host);

static int find_service(const void *userdata, const char *name, uint16_t *ret_port)
{
	(void)userdata;
	if (strcmp(name, "http") != 0)
		return -ENOENT;
	*ret_port = 80;
	return 0;
}

static const struct filter_world world = {.service = find_service};

static void render(const struct filter_node *n, char ret_text[96])
{
	char address[INET6_ADDRSTRLEN] = "";

	if (n->kind == FILTER_ANY) {
		strcpy(ret_text, "any");
		return;
	}
	if (n->kind == FILTER_PORT) {
		snprintf(ret_text, 96, "port %u", n->port);
		return;
	}
	cr_assert_eq(n->kind, FILTER_HOST);
	inet_ntop(n->family, n->address.bytes, address, sizeof(address));
	snprintf(ret_text, 96, "%s/%u", address, n->prefix);
	if (n->has_port)
		snprintf(ret_text + strlen(ret_text), 32, " port %u", n->port);
}

Test(filter_host, hosts)
{
	static const struct {
		const char *text, *meaning;
	} cases[] = {
		{"10.1.2.3", "10.1.2.3/32"},
		{"10.1.2.3/8", "10.1.2.3/8"},
		{"10.1.2.3/32:443", "10.1.2.3/32 port 443"},
		{"10.1.2.3:http", "10.1.2.3/32 port 80"},
		{"10.1.2.3:", "10.1.2.3/32"},
		{"10.1.2.3:*", "10.1.2.3/32"},
		{"[::1]", "::1/128"},
		{"[::1]:0", "::1/128 port 0"},
		{"[2001:db8::]/32", "2001:db8::/32"},
		{"[2001:db8::/32]", "2001:db8::/32"},
		{"[2001:db8::/32]:65535", "2001:db8::/32 port 65535"},
		{"[2001:db8::]/32:1", "2001:db8::/32 port 1"},
		{"2001:db8::/32", "2001:db8::/32"},
		{"2001:db8::/32:80", "2001:db8::/32 port 80"},
		{"*", "any"},
		{"*:", "any"},
		{"*:*", "any"},
		{":*", "any"},
		{"0.0.0.0/0", "0.0.0.0/0"},
		{"[::]/0", "::/0"},
		{"::/0", "::/0"},
		{"*:443", "port 443"},
		{":443", "port 443"},
		{":http", "port 80"},
		{"0.0.0.0/0:443", "0.0.0.0/0 port 443"},
		{"0.0.0.0", "0.0.0.0/32"},
		{"[::]", "::/128"},
	};
	char found[96];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct filter_node node = {0};
		const char *fault =
			filter_host_parse(cases[i].text, strlen(cases[i].text), &world, &node);

		cr_assert_null(fault, "%s: %s", cases[i].text, fault);
		render(&node, found);
		cr_assert_str_eq(found, cases[i].meaning, "%s: %s", cases[i].text, found);
	}
}

Test(filter_host, faults)
{
	static const struct {
		const char *text, *fault; /* which contains this */
	} cases[] = {
		{":", "neither"},
		{"::1", "brackets"},
		{"2001:db8::1", "brackets"},
		{"::1:443", "brackets"},
		{"[::1", "not closed"},
		{"[]", "no address"},
		{"[]:443", "no address"},
		{"[::1]443", "bracket"},
		{"[1]2.3.4.5", "bracket"},
		{"[::1%lo]", "numeric"},
		{"localhost", "names are not looked up"},
		{"localhost:80", "names are not looked up"},
		{"10.0.0", "numeric"},
		{"10.0.0.1/33", "0 to 32"},
		{"10.0.0.1/", "0 to 32"},
		{"10.0.0.1/-1", "0 to 32"},
		{"10.0.0.1/8/8", "0 to 32"},
		{"[::1]/129", "0 to 128"},
		{":65536", "65535"},
		{":99999999999999999999999", "65535"},
		{":ssh", "no service"},
		{":-1", "no service"},
		{":0x50", "no service"},
		{"10.0.0.1:80:80", "brackets"},
		{"*80", "numeric"},
		{"1.2.3.4/32:1:2", "brackets"},
		{":aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaa",
		 "too long"},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "a"
		 "aa",
		 "too long"},
		{"[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaa]",
		 "too long"},
		{"[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]/"
		 "aaaaaaaaaaaaaaaa",
		 "too long"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct filter_node node = {0};
		const char *fault =
			filter_host_parse(cases[i].text, strlen(cases[i].text), &world, &node);

		cr_assert(fault && strstr(fault, cases[i].fault), "%s: %s", cases[i].text, fault);
	}
}

Test(filter_host, ports)
{
	static const struct {
		const char *text;
		int port; /* −1: any; −2: a fault */
	} cases[] = {
		{"443", 443}, {":443", 443}, {"http", 80},  {":http", 80}, {"*", -1},   {":*", -1},
		{":", -2},    {"::1", -2},   {"70000", -2}, {"1.2", -2},   {"a:1", -2},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct filter_node node = {0};
		const char *fault =
			filter_port_parse(cases[i].text, strlen(cases[i].text), &world, &node);
		int found = fault ? -2 : node.kind == FILTER_ANY ? -1 : node.port;

		cr_assert_eq(found, cases[i].port, "%s: %d", cases[i].text, found);
	}
}
