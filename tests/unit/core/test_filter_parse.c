/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/core/filter.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(filter_parse);

static const struct filter_world world;

static void render(const struct filter *f, unsigned int at, char *ret_text)
{
	static const char *const compares[] = {"=", ">=", "<="};
	const struct filter_node *n = &f->nodes[at];

	cr_assert_lt(at, f->count);
	switch ((enum filter_kind)n->kind) {
	case FILTER_AND:
	case FILTER_OR:
		cr_assert(n->left < at && n->right < at);
		strcat(ret_text, "(");
		render(f, n->left, ret_text);
		strcat(ret_text, n->kind == FILTER_AND ? " & " : " | ");
		render(f, n->right, ret_text);
		strcat(ret_text, ")");
		break;
	case FILTER_NOT:
		cr_assert_lt(n->left, at);
		strcat(ret_text, "!");
		render(f, n->left, ret_text);
		break;
	case FILTER_ANY:
		strcat(ret_text, "any");
		break;
	case FILTER_HOST:
		sprintf(strchr(ret_text, '\0'), "%s%s", n->is_remote ? "dst" : "src",
			n->family == AF_INET ? "4" : "6");
		break;
	case FILTER_PORT:
		sprintf(strchr(ret_text, '\0'), "%s%s%u", n->is_remote ? "dport" : "sport",
			compares[n->compare], n->port);
		break;
	case FILTER_AUTOBOUND:
		strcat(ret_text, "auto");
		break;
	case FILTER_STATE:
		sprintf(strchr(ret_text, '\0'), "%x", n->states);
		break;
	case FILTER_DEVICE:
	case FILTER_CGROUP:
		sprintf(strchr(ret_text, '\0'), "%s:%s",
			n->kind == FILTER_DEVICE ? "dev" : "cgroup", f->names + n->name);
		break;
	}
}

static void assert_means(const char *text, const char *meaning)
{
	struct filter_error error;
	struct filter *f = NULL;
	char found[4096] = "";

	cr_assert_eq(filter_parse(text, &world, &error, &f), 0, "%s: %s", text, error.what);
	render(f, f->count - 1U, found);
	cr_assert_str_eq(found, meaning, "%s: %s", text, found);
	filter_free(f);
}

Test(filter_parse, predicates)
{
	static const struct {
		const char *text, *meaning;
	} cases[] = {
		{"src 127.0.0.1", "src4"},
		{"src = 127.0.0.1", "src4"},
		{"src eq [::1]", "src6"},
		{"dst != 10.0.0.0/8", "!dst4"},
		{"dst ne *:443", "!dport=443"},
		{"src :443", "sport=443"},
		{"src *", "any"},
		{"sport = :443", "sport=443"},
		{"sport :443", "sport=443"},
		{"sport 443", "sport=443"},
		{"SPORT EQ 443", "sport=443"},
		{"dport != 1", "!dport=1"},
		{"dport < 1", "!dport>=1"},
		{"dport > 1", "!dport<=1"},
		{"dport <= 1", "dport<=1"},
		{"dport >= 1", "dport>=1"},
		{"dport lt 1", "!dport>=1"},
		{"dport gt 1", "!dport<=1"},
		{"dport le 1", "dport<=1"},
		{"dport geq 1", "dport>=1"},
		{"sport = *", "any"},
		{"sport != :*", "!any"},
		{"autobound", "auto"},
		{"dev eth0", "dev:eth0"},
		{"dev != lo", "!dev:lo"},
		{"dev eth0 dev eth1", "(dev:eth0 & dev:eth1)"},
		{"cgroup /a.slice/b@1.service", "cgroup:/a.slice/b@1.service"},
		{"cgroup = /", "cgroup:/"},
		{"cgroup != /a", "!cgroup:/a"},
		{"(dev a)(cgroup /b)", "(dev:a & cgroup:/b)"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_means(cases[i].text, cases[i].meaning);
}

/* As scan_state() of ss has them, and those that stand side by side. */
Test(filter_parse, states)
{
	static const struct {
		const char *text, *meaning;
	} cases[] = {
		{"state established", "2"},
		{"state ESTABLISHED", "2"},
		{"state syn-sent", "4"},
		{"state syn_recv", "8"},
		{"state syn-rcv", "8"},
		{"state fin-wait-1", "10"},
		{"state fin_wait2", "20"},
		{"state time-wait", "40"},
		{"state close", "80"},
		{"state closed", "80"},
		{"state unconnected", "80"},
		{"state close-wait", "100"},
		{"state last-ack", "200"},
		{"state listening", "400"},
		{"state listen", "400"},
		{"state closing", "800"},
		{"state all", "ffe"},
		{"state connected", "b7e"},
		{"state synchronized", "b7a"},
		{"state bucket", "48"},
		{"state big", "fb6"},
		{"exclude established", "ffc"},
		{"excl bucket", "fb6"},
		{"state established state closing", "802"},
		{"state connected exclude established exclude syn-sent", "b78"},
		{"exclude established state established", "ffe"},
		{"state established ( dport = :443 or sport = :443 )",
		 "(2 & (dport=443 | sport=443))"},
		{"state established dport = :443 or sport = :443", "(2 & (dport=443 | sport=443))"},
		{"state established and dport = :443", "(2 & dport=443)"},
		{"state established or dport = :443", "(2 | dport=443)"},
		{"dport = :443 state established state closing", "(dport=443 & 802)"},
		{"not state established", "!2"},
		{"(state established) state closing", "(2 & 800)"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_means(cases[i].text, cases[i].meaning);
}

Test(filter_parse, structure)
{
	static const struct {
		const char *text, *meaning;
	} cases[] = {
		{"sport 1 and sport 2 and sport 3", "((sport=1 & sport=2) & sport=3)"},
		{"sport 1 sport 2 && sport 3 & sport 4",
		 "(((sport=1 & sport=2) & sport=3) & sport=4)"},
		{"sport 1 or sport 2 || sport 3 | sport 4",
		 "(((sport=1 | sport=2) | sport=3) | sport=4)"},
		{"sport 1 or (sport 2 and sport 3)", "(sport=1 | (sport=2 & sport=3))"},
		{"(sport 1 or sport 2) and sport 3", "((sport=1 | sport=2) & sport=3)"},
		{"(sport 1 or sport 2) sport 3", "((sport=1 | sport=2) & sport=3)"},
		{"not sport 1 and sport 2", "(!sport=1 & sport=2)"},
		{"!sport=1 sport=2", "(!sport=1 & sport=2)"},
		{"not not sport 1", "!!sport=1"},
		{"! ( sport 1 or sport 2 )", "!(sport=1 | sport=2)"},
		{"((((sport 1))))", "sport=1"},
		{"sport = :1or dport=2", NULL},
		{"\tsport\n=\r1 ", "sport=1"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (cases[i].meaning)
			assert_means(cases[i].text, cases[i].meaning);
}

static void assert_fault(const char *text, unsigned int at, unsigned int len, const char *what)
{
	struct filter_error error = {0};
	struct filter *f = NULL;

	cr_assert_eq(filter_parse(text, &world, &error, &f), -EINVAL, "%s", text);
	cr_assert_null(f);
	cr_assert(strstr(error.what, what), "%s: %s", text, error.what);
	cr_assert_eq(error.at, at, "%s: %u", text, error.at);
	cr_assert_eq(error.len, len, "%s: %u", text, error.len);
}

Test(filter_parse, faults)
{
	static const struct {
		const char *text, *what;
		unsigned int at, len;
	} cases[] = {
		{"", "missing", 0, 0},
		{"  ", "missing", 2, 0},
		{"()", "missing", 1, 1},
		{"sport", "a port is missing", 5, 0},
		{"sport =", "a port is missing", 7, 0},
		{"sport = )", "a port is missing", 8, 1},
		{"sport = and", "a port is missing", 8, 3},
		{"src", "an address or a port", 3, 0},
		{"src < 10.0.0.1", "= and !=", 4, 1},
		{"dev >= lo", "= and !=", 4, 2},
		{"sport < *", "= and !=", 6, 1},
		{"sport = :70000", "65535", 8, 6},
		{"sport = :nonesuch", "service", 8, 9},
		{"dst example.org", "names are not looked up", 4, 11},
		{"dev abcdefghijklmnop", "15", 4, 16},
		{"cgroup a", "'/'", 7, 1},
		{"fwmark = 1", "CAP_NET_ADMIN", 0, 6},
		{"port = 1", "none of src", 0, 4},
		{"state", "state is missing", 5, 0},
		{"state foo", "'foo' is no state", 6, 3},
		{"exclude (", "state is missing", 8, 1},
		{"(sport 1", "not closed", 0, 1},
		{"sport 1 and (sport 2", "not closed", 12, 1},
		{"sport 1)", "nothing was opened", 7, 1},
		{"and sport 1", "missing", 0, 3},
		{"sport 1 and", "missing", 11, 0},
		{"sport 1 or or sport 2", "missing", 11, 2},
		{"not", "missing", 3, 0},
		{"sport 1 or sport 2 and dport 9", "parentheses", 19, 3},
		{"sport 1 and sport 2 or dport 9", "parentheses", 20, 2},
		{"sport 1 sport 2 || dport 9", "parentheses", 16, 2},
		{"sport 1 or sport 2 dport 9", "parentheses", 19, 5},
		{"(sport 1 & sport 2 | dport 9)", "parentheses", 19, 1},
		{"state established and sport 1 or dport 2", "parentheses", 30, 2},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_fault(cases[i].text, cases[i].at, cases[i].len, cases[i].what);
}

/* PREFIX, and what is repeated. */
static char *repeat(const char *prefix, const char *piece, unsigned int count)
{
	char *text = calloc(1, strlen(prefix) + strlen(piece) * count + 1);

	cr_assert(text);
	strcpy(text, prefix);
	for (char *at = text + strlen(text); count > 0; count--)
		at = stpcpy(at, piece);
	return text;
}

/* However it is made, a filter is bounded: in its text, its nodes, its depth. */
Test(filter_parse, bounds)
{
	struct filter_error error;
	struct filter *f;
	char *text;

	text = repeat("", "!", 63);
	text = realloc(text, 128);
	assert_means(strcat(text, "autobound"),
		     "!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!auto");
	free(text);
	text = repeat("", "(", 65);
	assert_fault(text, 64, 1, "too deeply");
	free(text);
	text = repeat("", " ", FILTER_TEXT_MAX + 1);
	cr_assert_eq(filter_parse(text, &world, &error, &f), -EINVAL);
	cr_assert(strstr(error.what, "4096"));
	free(text);
	text = repeat("autobound", " src *", 511);
	cr_assert_eq(filter_parse(text, &world, &error, &f), 0, "%s", error.what);
	cr_assert_eq(f->count, FILTER_NODES_MAX - 1);
	filter_free(f);
	free(text);
	text = repeat("autobound", " src *", 512);
	cr_assert_eq(filter_parse(text, &world, &error, &f), -EINVAL);
	cr_assert(strstr(error.what, "more than"), "%s", error.what);
	free(text);
	text = repeat("dev a", " dev abc", 400);
	cr_assert_eq(filter_parse(text, &world, &error, &f), 0, "%s", error.what);
	cr_assert_str_eq(f->names + f->nodes[f->count - 2].name, "abc");
	filter_free(f);
	free(text);
}
