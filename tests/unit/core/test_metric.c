/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/metric.h"

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(metric);

static const char *value(unsigned int index)
{
	static const char *const values[] = {"a", "b", "c"};

	return values[index];
}

static const struct metric_label three = {"three", value, 3};
static const struct metric_label two = {"two", value, 2};

Test(metric, value_count)
{
	cr_assert_eq(metric_value_count(&(struct metric){.name = "none"}), 1);
	cr_assert_eq(metric_value_count(&(struct metric){.labels = {&three}}), 3);
	cr_assert_eq(metric_value_count(&(struct metric){.labels = {&three, &two}}), 6);
}

Test(metric, divisor)
{
	cr_assert_eq(metric_divisor(&(struct metric){.divisor = 0}), 1);
	cr_assert_eq(metric_divisor(&(struct metric){.divisor = 1}), 1);
	cr_assert_eq(metric_divisor(&(struct metric){.divisor = 1000000}), 1e6);
}

Test(metric, type_name)
{
	cr_assert_str_eq(metric_type_name(&(struct metric){.type = METRIC_COUNTER}), "counter");
	cr_assert_str_eq(metric_type_name(&(struct metric){.type = METRIC_GAUGE}), "gauge");
	cr_assert_str_eq(metric_type_name(&(struct metric){.type = METRIC_HISTOGRAM}), "histogram");
}

Test(metric, label_names)
{
	static const struct metric_text xy[] = {{"x", "1"}, {"y", NULL}, {.name = NULL}};
	static const struct metric_text *const y = xy + 1, *const none = xy + 2;
	static const struct {
		struct metric metric;
		const char *expected;
	} cases[] = {
		{{.scope = METRIC_LISTENER}, "address,port"},
		{{.scope = METRIC_CONNECTION}, "side,port"},
		{{.scope = METRIC_CLIENT}, "port"},
		{{.scope = METRIC_SELF}, ""},
		{{.scope = METRIC_CONNECTION, .labels = {&three}}, "side,port,three"},
		{{.scope = METRIC_SELF, .labels = {&three, &two}}, "three,two"},
		{{.scope = METRIC_LISTENER, .texts = none}, "address,port"},
		{{.scope = METRIC_LISTENER, .texts = y}, "address,port,y"},
		{{.scope = METRIC_SELF, .texts = xy}, "x,y"},
		{{.scope = METRIC_CLIENT, .texts = y, .labels = {&two}}, "port,y,two"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char names[64];

		metric_label_names(&cases[i].metric, names);
		cr_assert_str_eq(names, cases[i].expected);
	}
}
