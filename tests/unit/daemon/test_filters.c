/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/filters.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(filters);

static struct config *parse(const char *text)
{
	struct config_errors errors;
	struct config *c = NULL;

	cr_assert_eq(config_parse(text, strlen(text), &errors, &c), 0, "%s", errors.items[0].what);
	return c;
}

Test(filters, none)
{
	struct config *c = parse("");
	struct filters *f = filters_new(c);

	filters_resolve(f, 32768, 60999);
	cr_assert_null(filters_of_sockets(f));
	cr_assert_null(filters_request(f));
	filters_refused(f);
	cr_assert_not(f->without_code, "it was not for a filter");
	filters_free(f);
	config_free(c);
}

Test(filters, another_configuration)
{
	struct config *a = parse("socket_filter: sport = :1");
	struct config *same = parse("socket_filter: sport = :1\nlistener_filter: sport = :2");
	struct config *b = parse("socket_filter: sport = :2");
	struct filters *f = filters_new(a);

	cr_assert_not(filters_configure(f, same));
	cr_assert_eq(filters_of_sockets(f), same->socket_filter.filter);
	cr_assert(filters_configure(f, b));
	filters_resolve(f, 1, 0);
	cr_assert_eq(filters_request(f)->local_port, 2);
	filters_free(f);
	config_free(a);
	config_free(same);
	config_free(b);
}

/* A kernel that refuses bytecode is asked without, and the rest is matched here. */
Test(filters, refused)
{
	struct config *c = parse("socket_filter: sport = :1 and src 127.0.0.1");
	struct filters *f = filters_new(c);

	filters_resolve(f, 32768, 60999);
	cr_assert_gt(filters_request(f)->code_len, 0);
	cr_assert(filters_request(f)->is_whole);
	filters_refused(f);
	filters_resolve(f, 32768, 60999);
	cr_assert_eq(filters_request(f)->code_len, 0);
	cr_assert_eq(filters_request(f)->local_port, 1);
	cr_assert_not(filters_request(f)->is_whole);
	filters_free(f);
	config_free(c);
}

/* What --config.check prints. */
Test(filters, print)
{
	static const struct {
		const char *config, *text;
	} cases[] = {
		{"", ""},
		{"listener_filter: sport = :22",
		 "listener_filter: matched here, as all listeners are read\n"},
		{"socket_filter: state established",
		 "socket_filter: the kernel applies state established, which is all of it\n"},
		{"socket_filter: exclude connected dport = :80 and src 127.0.0.1",
		 "socket_filter: the kernel applies state close,listen dport 80 16 bytes of "
		 "bytecode, "
		 "which is all of it\n"},
		{"socket_filter: autobound",
		 "socket_filter: the kernel applies 16 bytes of bytecode, which is all of it\n"},
		{"socket_filter: dev lo or state established",
		 "socket_filter: the kernel applies nothing; the rest is matched here\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct config *c = parse(cases[i].config);
		char *text = NULL;
		size_t len;
		FILE *out = open_memstream(&text, &len);

		filters_print(c, "/proc", out);
		fclose(out);
		cr_assert_str_eq(text, cases[i].text, "%s: %s", cases[i].config, text);
		free(text);
		config_free(c);
	}
}
