/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "config/config_bind.h"
#include "config/config_schema.h"
#include "config/config_value.h"
#include "config/config_yaml.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(config_bind_pairs);

struct colours {
	struct config_pairs pairs;
};

static const char *check_short(const char *text, const struct config_strings *others)
{
	(void)others;
	return strlen(text) > 5 ? "is too long" : NULL;
}

static const struct config_key keys[] = {
	{
		.path = "colours",
		.type = CONFIG_TYPE_PAIRS,
		.check = check_short,
		.check_name = check_short,
		.most = 3,
	},
};

static const struct config_schema schema = {keys, ARRAY_SIZE(keys), NULL};

static void bind_text(const char *text, struct colours *colours, struct buf *out)
{
	struct config_errors errors = {0};
	struct config_yaml yaml;

	cr_assert_eq(config_yaml_init(&yaml, text, strlen(text), &errors), 0);
	cr_assert_eq(config_bind(&yaml, &schema, colours), 0, "%s", text);
	config_yaml_done(&yaml);
	for (size_t i = 0; i < errors.count; i++)
		buf_add_format(out, "%u:%u %s %s|", errors.items[i].line, errors.items[i].column,
			       errors.items[i].key, errors.items[i].what);
	for (size_t i = 0; i < colours->pairs.count; i++)
		buf_add_format(out, "%s=%s ", colours->pairs.items[i].name,
			       colours->pairs.items[i].value);
	buf_add_char(out, '\0');
}

Test(config_bind_pairs, binds)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"colours: {a: red, \"b c\": '1'}", "a=red b c=1 "},
		{"colours: {}", ""},
		{"colours:", ""},
		{"colours: {1: '', 0: x}", "1= 0=x "},
		{"colours: red", "1:10 colours must be a map|"},
		{"colours: [red]", "1:10 colours must be a map|"},
		{"colours: {a: red, a: blue}",
		 "1:19 colours.a is given twice, first in line 1|a=red "},
		{"colours: {lengthy: red}", "1:11 colours.lengthy is too long|"},
		{"colours: {[a]: red, b: red}", "1:11 colours a key must be a name|b=red "},
		{"colours: {a: b, c: d, e: f, g: h}",
		 "1:29 colours.g is one too many|a=b c=d e=f "},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct colours colours = {0};
		struct buf found = BUF_INIT;

		bind_text(cases[i].text, &colours, &found);
		cr_assert_str_eq(found.data, cases[i].expected, "%s: %s", cases[i].text,
				 found.data);
		buf_done(&found);
		config_value_clear(&keys[0], &colours);
		config_value_clear(&keys[0], &colours);
	}
}

/* The values are as those of any key. */
Test(config_bind_pairs, refuses_values)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"colours: {a: lengthy}", "1:14 colours.a is too long|"},
		{"colours: {a: }", "1:14 colours.a has no value|"},
		{"colours: {a: {b: c}}", "1:14 colours.a must be a single value, not a map|"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct colours colours = {0};
		struct buf found = BUF_INIT;

		bind_text(cases[i].text, &colours, &found);
		cr_assert_eq(strncmp(found.data, cases[i].expected, strlen(cases[i].expected)), 0,
			     "%s: %s", cases[i].text, found.data);
		buf_done(&found);
		config_value_clear(&keys[0], &colours);
	}
}
