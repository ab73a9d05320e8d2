/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/options.h"

#include <errno.h>
#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(options);

#define ARGS_MAX 5

/* Splits a copy of TEXT at its spaces and parses it. */
static int parse(const char *text, struct options *o, char error[256])
{
	static char copy[256];
	static char name[] = "sockstatd";
	char *argv[ARGS_MAX + 2] = {name};
	int argc = 1;

	strcpy(copy, text);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	return options_parse(o, argc, argv, error);
}

Test(options, good)
{
	struct options o;
	char error[256];

	cr_assert_eq(parse("", &o, error), 0);
	cr_assert_eq(o.log_level, LOG_LEVEL_INFO);
	cr_assert_null(o.config_file);

	cr_assert_eq(parse("--config.file=/etc/x --web.listen-address :1 -web.listen-address=:2",
			   &o, error),
		     -EINVAL, "one dash");
	cr_assert_eq(parse("--config.file=/etc/x --web.listen-address :1 "
			   "--web.listen-address=:2",
			   &o, error),
		     0, "%s", error);
	cr_assert_str_eq(o.config_file, "/etc/x");
	cr_assert_eq(o.listen_address_count, 2);
	cr_assert_str_eq(o.listen_addresses[0], ":1");
	cr_assert_str_eq(o.listen_addresses[1], ":2");

	cr_assert_eq(
		parse("--log.level=debug --log.format=json --once --output.textfile=/x", &o, error),
		0);
	cr_assert_eq(o.log_level, LOG_LEVEL_DEBUG);
	cr_assert_eq(o.log_format, LOG_FORMAT_JSON);
	cr_assert(o.once);
	cr_assert_eq(parse("-h", &o, error), 0);
	cr_assert(o.help);
}

Test(options, bad)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{"--nothing", "unknown flag '--nothing'"},
		{"--", "unknown flag '--'"},
		{"file", "unexpected argument 'file'"},
		{"--once=1", "--once takes no value"},
		{"--config.file", "--config.file needs a value"},
		{"--config.file=", "--config.file needs a value"},
		{"--log.level=loud", "--log.level: 'loud' is not debug, info, warn or error"},
		{"--log.format=xml", "--log.format: 'xml' is not logfmt or json"},
		{"--output.textfile=/x", "--output.textfile needs --once"},
	};
	struct options o;
	char error[256];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cr_assert_eq(parse(cases[i].text, &o, error), -EINVAL, "%s", cases[i].text);
		cr_assert_str_eq(error, cases[i].error, "%s: %s", cases[i].text, error);
	}
}
