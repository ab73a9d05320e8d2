/* SPDX-License-Identifier: Apache-2.0 */
/* Each allocation of the configuration fails in turn: -ENOMEM, and nothing leaks, hangs or crashes.
 */
#include "config/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/web_config.h"
#include "daemon/util/macros.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/test_support.h"

TEST_SUITE(config_memory);

/* Enough to catch a loop; each case needs some hundreds. */
#define ALLOCATIONS_MAX 100000

typedef int (*attempt_fn)(const void *input);

static int attempt_parse(const void *input)
{
	struct config_errors errors;
	struct config *c = NULL;
	int r;

	r = config_parse(input, strlen(input), &errors, &c);
	config_free(c);
	return r;
}

static int attempt_web(const void *input)
{
	struct config_errors errors;
	struct web_config *w = NULL;
	int r;

	r = web_config_parse(input, strlen(input), &errors, &w);
	web_config_free(w);
	return r;
}

static int attempt_setters(const void *input)
{
	char first[] = "127.0.0.1:1", second[] = "[::1]:2";
	char *addresses[] = {first, second};
	struct config *c = config_new();
	int r;

	if (!c)
		return -ENOMEM;
	r = config_set_listen_addresses(c, addresses, ARRAY_SIZE(addresses));
	if (r == 0)
		r = config_set_telemetry_path(c, input);
	config_free(c);
	return r;
}

static int attempt_load(const void *input)
{
	struct config_errors errors;
	struct config *c = NULL;
	int r;

	r = config_load(input, &errors, &c);
	config_free(c);
	return r;
}

static int attempt_render(const void *input)
{
	struct config *c = config_new();
	struct buf text = BUF_INIT;
	int r;

	(void)input;
	if (!c)
		return -ENOMEM;
	config_render(c, &text);
	r = text.error;
	buf_done(&text);
	config_free(c);
	return r;
}

/* Runs it with no allocation failing, then the first, the second, … until one is not reached. */
static void torture(const char *name, attempt_fn attempt, const void *input, int expected)
{
	struct fail_alloc_result result;
	size_t n;
	int r;

	r = attempt(input);
	cr_assert_eq(r, expected, "%s: %d", name, r);
	for (n = 1; n < ALLOCATIONS_MAX; n++) {
		fail_alloc_start(n);
		r = attempt(input);
		result = fail_alloc_stop();
		cr_assert_eq(result.not_freed, 0, "%s: %zu: %ld leaked", name, n, result.not_freed);
		if (result.allocations < n)
			break;
		cr_assert_eq(r, -ENOMEM, "%s: allocation %zu: %d", name, n, r);
	}
	cr_assert_eq(r, expected, "%s: %d", name, r);
	cr_assert_gt(n, 10, "%s: only %zu allocations", name, n);
}

static bool is_possible(void)
{
	if (!fail_alloc_is_possible())
		printf("SKIPPED: the sanitizer has malloc() for itself\n");
	return fail_alloc_is_possible();
}

Test(config_memory, parse, .timeout = 60)
{
	static const struct {
		const char *name, *text;
		int expected;
	} cases[] = {
		{"empty", "", 0},
		{"lists",
		 "web: {listen_addresses: [\":1\", \":2\"], telemetry_path: /t}\n"
		 "metrics: {include: [a, b], exclude: [c]}\n"
		 "ports:\n  server: [1, 2, 3]\n  client:\n  - 4\n  - 5\n",
		 0},
		{"errors", "poll: {sockets: 2m, x: [{y: [z]}], &a b: !c d, *e : \"f\\x41\"}",
		 -EINVAL},
		{"maps",
		 "views: [{name: a, filter: sport = 1}, {name: b, filter: dport = 2}]\n"
		 "peers: [{name: c, prefixes: [10.0.0.0/8, \"::1\"]}, {name: d, prefixes: "
		 "[\"::/0\"]}]\n",
		 0},
		{"maps with faults",
		 "views: [{name: a, filter: x}, {name: b}, 1]\n"
		 "peers: [{name: c, prefixes: [1.1.1.1]}, {name: d, prefixes: [1.1.1.1]}]\n",
		 -EINVAL},
		{"order", "poll: {sockets: 2m}", -EINVAL},
		{"block scalars and multi-line", "a: |\n  b\n  c\nd: >\n  e\n\"f\n  g\": 'h''i'\n",
		 -EINVAL},
		{"deep", "[[[[[[[[[[[[[[[[[[[[[[[[", -EINVAL},
		{"syntax error", "poll: {sockets: [}", -EINVAL},
		{"documents", "a: 1\n---\nb: 2\n", -EINVAL},
		{"invalid UTF-8", "a: \xff", -EINVAL},
	};

	if (!is_possible())
		return;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		torture(cases[i].name, attempt_parse, cases[i].text, cases[i].expected);
}

Test(config_memory, load)
{
	char path[] = "/tmp/sockstatd-test-XXXXXX";
	int fd;

	if (!is_possible())
		return;
	fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, "ports: {server: [1]}\n", 21), 21);
	close(fd);
	torture("load", attempt_load, path, 0);
	unlink(path);
}

Test(config_memory, setters)
{
	if (is_possible())
		torture("setters", attempt_setters, "/path", 0);
}

Test(config_memory, render)
{
	if (is_possible())
		torture("render", attempt_render, NULL, 0);
}

Test(config_memory, web)
{
	static const char text[] =
		"tls_server_config:\n  cert_file: a\n  key: |\n    b\n"
		"  client_auth_type: RequireAnyClientCert\n  client_allowed_sans: [a, b]\n"
		"http_server_config: {headers: {X-Frame-Options: deny}}\n"
		"basic_auth_users:\n"
		"  a: $2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi\n"
		"  b: $2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi\n";

	if (!is_possible())
		return;
	torture("web", attempt_web, text, 0);
	torture("web with faults", attempt_web, "basic_auth_users: {a: b, a: c, [d]: e}\n",
		-EINVAL);
}
