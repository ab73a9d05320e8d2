/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_yaml.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "daemon/util/buf.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/config/config_expect.h"

TEST_SUITE(config_yaml);

/* Events on one line: the text of a scalar, "~" null, "!" refused, brackets; "." the end of all. */
static void read_events(const char *text, struct config_errors *errors, struct buf *out)
{
	static const char *const names[] = {
		[CONFIG_EVENT_NULL] = "~",       [CONFIG_EVENT_REFUSED] = "!",
		[CONFIG_EVENT_LIST_START] = "[", [CONFIG_EVENT_LIST_END] = "]",
		[CONFIG_EVENT_MAP_START] = "{",  [CONFIG_EVENT_MAP_END] = "}",
	};
	struct config_event e = {0};
	struct config_yaml y;

	cr_assert_eq(config_yaml_init(&y, text, strlen(text), errors), 0);
	while (config_yaml_next(&y, &e) == 0) {
		if (e.type == CONFIG_EVENT_END)
			break;
		buf_add_format(out, "%u:%u%s ", e.at.line, e.at.column,
			       e.type == CONFIG_EVENT_SCALAR ? e.text : names[e.type]);
	}
	if (e.type == CONFIG_EVENT_END)
		buf_add_char(out, '.');
	config_yaml_done(&y);
	buf_add_char(out, '\0');
}

Test(config_yaml, events)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"", "."},
		{"# only a comment\n", "."},
		{"---\n...\n", "2:1~ ."},
		{"x", "1:1x ."},
		{"a: 1\nb:\n  - c\n", "1:1{ 1:1a 1:41 2:1b 3:3[ 3:5c 4:1] 4:1} ."},
		{"{a: [1, 2]}", "1:1{ 1:2a 1:5[ 1:61 1:92 1:10] 1:11} ."},
		{"a:\nb: ~\nc: null\n", "1:1{ 1:1a 1:3~ 2:1b 2:4~ 3:1c 3:4~ 4:1} ."},
		{"a: ''\nb: \"null\"\n", "1:1{ 1:1a 1:4 2:1b 2:4null 3:1} ."},
		{"\xc3\xa4: 1", "1:1{ 1:1\xc3\xa4 1:41 2:1} ."},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct config_errors errors = {0};
		struct buf found = BUF_INIT;

		read_events(cases[i].text, &errors, &found);
		cr_assert_str_eq(found.data, cases[i].expected, "%s: %s", cases[i].text,
				 found.data);
		cr_assert_eq(errors.total, 0, "%s", cases[i].text);
		buf_done(&found);
	}
}

/* What is refused does not end the run, if what follows can be read. */
Test(config_yaml, refused_and_read_on)
{
	static const struct {
		const char *text, *expected;
		size_t total;
	} cases[] = {
		{"[&a 1, *a, 2]", "1:1[ 1:21 1:8! 1:122 1:13] .", 2},
		{"&m {a: !!int 1}", "1:1{ 1:5a 1:81 1:15} .", 2},
		{"!t [!u a]", "1:1[ 1:5a 1:9] .", 2},
		{"&x !y z", "1:1z .", 2},
		{"[\"a\\0b\", c]", "1:1[ 1:2! 1:10c 1:11] .", 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct config_errors errors = {0};
		struct buf found = BUF_INIT;

		read_events(cases[i].text, &errors, &found);
		cr_assert_str_eq(found.data, cases[i].expected, "%s: %s", cases[i].text,
				 found.data);
		cr_assert_eq(errors.total, cases[i].total, "%s: %zu", cases[i].text, errors.total);
		buf_done(&found);
	}
}

Test(config_yaml, skip)
{
	static const char text[] = "[[1, {a: [2]}, [[]]], 3]";
	struct config_errors errors = {0};
	struct config_event e;
	struct config_yaml y;

	cr_assert_eq(config_yaml_init(&y, text, strlen(text), &errors), 0);
	cr_assert_eq(config_yaml_next(&y, &e), 0);
	cr_assert_eq(config_yaml_next(&y, &e), 0);
	cr_assert_eq(e.type, CONFIG_EVENT_LIST_START);
	cr_assert_eq(config_yaml_skip(&y, &e), 0);
	cr_assert_eq(config_yaml_next(&y, &e), 0);
	cr_assert_str_eq(e.text, "3");
	cr_assert_eq(config_yaml_skip(&y, &e), 0);
	cr_assert_eq(config_yaml_next(&y, &e), 0);
	cr_assert_eq(e.type, CONFIG_EVENT_LIST_END);
	config_yaml_done(&y);
}

struct refusal {
	const char *name, *text, *expected;
};

static void expect_refusals(const struct refusal *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		expect_errors(cases[i].name, cases[i].text, cases[i].expected);
}

Test(config_yaml, features_refused)
{
	static const struct refusal cases[] = {
		{"anchor", "peak_window: &a 2m\n", "1:14: anchors (&name) are not supported"},
		{"alias", "web:\n  telemetry_path: *a\n",
		 "2:19: aliases (*name) are not supported"},
		{"alias as a key", "*a : 1\n", "1:1: aliases (*name) are not supported"},
		{"tag", "peak_window: !!str 2m\n", "1:14: tags (!name) are not supported"},
		{"tag of another language", "peak_window: !!python/object:os.system 2m\n",
		 "1:14: tags (!name) are not supported"},
		{"the tag that says nothing", "peak_window: ! 2m\n",
		 "1:14: tags (!name) are not supported"},
		{"merge key", "poll: {<<: *a}\n",
		 "1:8: poll.<<: unknown key\n1:12: aliases (*name) are not supported"},
		{"second document", "peak_window: 2m\n---\npeak_window: 3m\n",
		 "2:1: a second document is not supported"},
		{"text behind the document", "peak_window: 2m\n...\nx",
		 "3:1: did not find expected <document start>"},
		{"directive", "%YAML 1.1\n---\n",
		 "1:1: directives (%YAML, %TAG) are not supported"},
		{"directive after a break of YAML's own", "# \xe2\x80\xa8%TAG ! x\n---\n",
		 "1:4: directives (%YAML, %TAG) are not supported"},
	};

	expect_refusals(cases, ARRAY_SIZE(cases));
}

Test(config_yaml, encodings_refused)
{
	static const struct refusal cases[] = {
		{"UTF-8 with a byte order mark", "\xef\xbb\xbfpeak_window: 2m\n",
		 "1:1: begins with a byte order mark; must be UTF-8 without one"},
		{"UTF-16, little endian",
		 "\xff\xfe"
		 "a",
		 "1:1: is UTF-16; must be UTF-8"},
		{"UTF-16, big endian",
		 "\xfe\xff"
		 "a",
		 "1:1: is UTF-16; must be UTF-8"},
		{"invalid UTF-8", "# \xc3\xa4\n# \xc3\xa4\xff\n",
		 "2:4: invalid leading UTF-8 octet"},
		{"incomplete UTF-8", "# \xe2\x80", "1:3: incomplete UTF-8 octet sequence"},
		{"control character", "# a\n# \x1b[31m\n",
		 "2:3: control characters are not allowed"},
		{"NUL by escape", "web: {telemetry_path: \"/a\\0b\"}\n",
		 "1:23: must not hold a NUL character"},
	};

	expect_refusals(cases, ARRAY_SIZE(cases));
}

Test(config_yaml, syntax_refused)
{
	static const struct refusal cases[] = {
		{"open double quote", "web:\n  telemetry_path: \"/metrics\n\n# end\n",
		 "2:19: the quote is never closed"},
		{"open single quote", "web:\n  telemetry_path: '/metrics\n---\n",
		 "2:19: the quote is never closed"},
		{"bad escape", "web:\n  telemetry_path: \"\\q\"\n",
		 "2:20: found unknown escape character while parsing a quoted scalar"},
		{"open list", "ports:\n  server: [22,\n  23\n",
		 "4:1: did not find expected ',' or ']' while parsing a flow sequence that begins "
		 "in line 2"},
		{"tab", "poll:\n\tsockets: 5s\n",
		 "2:1: found character that cannot start any token while scanning for the next "
		 "token"},
		{"two colons", "peak_window: 2m: 3\n",
		 "1:16: mapping values are not allowed in this context"},
	};

	expect_refusals(cases, ARRAY_SIZE(cases));
}

Test(config_yaml, nul)
{
	static const char text[] = "poll:\n  sockets: 5\0s\n";

	expect_errors_n("NUL", text, sizeof(text) - 1, "2:13: control characters are not allowed");
}

/* A syntax error ends the run; what was found before it is kept. */
Test(config_yaml, errors_before_a_syntax_error)
{
	expect_errors("before", "peak_window: 2\npoll: {sockets: [}\n",
		      "1:14: peak_window: must be a duration from 1s to 1h\n"
		      "2:17: poll.sockets: must be a single value, not a list\n"
		      "2:18: did not find expected node content while parsing a flow node");
}

static char *repeat(const char *text, size_t times, size_t *ret_len)
{
	size_t n = strlen(text);
	char *all = malloc(n * times + 1);

	cr_assert(all);
	for (size_t i = 0; i < times; i++)
		memcpy(all + i * n, text, n);
	all[n * times] = '\0';
	*ret_len = n * times;
	return all;
}

/* libyaml alone would take seconds to hours for some of these. */
Test(config_yaml, size_and_depth_are_bounded, .timeout = 10)
{
	static const struct {
		const char *name, *text;
		size_t times;
		const char *expected;
	} cases[] = {
		{"flow lists", "[", 200000, "1:1: must be a map of keys\n1:17: nests too deep"},
		{"flow maps", "{", 1000000, "1:2: a key must be a name\n1:17: nests too deep"},
		{"block lists", "- ", 100000, "1:1: must be a map of keys\n1:33: nests too deep"},
		{"complex keys", "? ", 100000, "1:3: a key must be a name\n1:33: nests too deep"},
		{"directives", "%TAG !a! b\n", 90000,
		 "1:1: directives (%YAML, %TAG) are not supported"},
		{"too large", "#", 1024 * 1024 + 1, "0:0: must not be larger than 1 MiB"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t n;
		char *text = repeat(cases[i].text, cases[i].times, &n);

		expect_errors_n(cases[i].name, text, n, cases[i].expected);
		free(text);
	}
}

Test(config_yaml, depth_16_is_allowed)
{
	struct config_errors errors = {0};
	struct buf found = BUF_INIT;

	read_events("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]", &errors, &found);
	cr_assert_eq(errors.total, 0);
	read_events("[[], [], [], [], [], [], [], {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}]",
		    &errors, &found);
	cr_assert_eq(errors.total, 0);
	read_events("[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", &errors, &found);
	cr_assert_eq(errors.total, 1);
	buf_done(&found);
}

Test(config_yaml, scalars_are_bounded)
{
	static const size_t lens[] = {CONFIG_YAML_SCALAR_MAX, CONFIG_YAML_SCALAR_MAX + 1};

	for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
		struct config_errors errors = {0};
		struct buf found = BUF_INIT;
		size_t n;
		char *text = repeat("a", lens[i], &n);

		read_events(text, &errors, &found);
		cr_assert_eq(errors.total, i, "%zu", lens[i]);
		buf_done(&found);
		free(text);
	}
}

/* The list has the stream, the document and itself before its first entry. */
Test(config_yaml, events_are_bounded)
{
	size_t n;
	char *entries = repeat("- a\n", CONFIG_YAML_EVENTS_MAX, &n);
	struct config_errors errors = {0};
	struct buf found = BUF_INIT;

	read_events(entries, &errors, &found);
	cr_assert_eq(errors.total, 1);
	cr_assert_str_eq(errors.items[0].what, "the file has too many values");
	cr_assert_eq(errors.items[0].line, CONFIG_YAML_EVENTS_MAX - 2);
	buf_done(&found);
	free(entries);
}
