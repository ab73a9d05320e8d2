/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the value of a label: what is written reads back, strictly. */
#include "daemon/core/expose_text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/util/cleanup.h"
#include "tests/unit/core/exposition.h"
#include "tests/unit/core/label_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *value)
{
	static const struct metric m = {"metric", "Help.", METRIC_GAUGE};
	const struct expose_series labels = {2, {{"a", value}, {"b", "behind"}}};
	struct exposition e = EXPOSITION_INIT;
	char expected[LABEL_MODEL_MAX];
	struct buf out = BUF_INIT;

	expose_text.family(&out, &m);
	expose_text.value(&out, &m, &labels, 1);
	assert(out.error == 0);
	assert(exposition_parse(&e, out.data, out.len) == 0);
	assert(e.series_count == 1 && e.series[0].label_count == 2);
	label_model(value, expected);
	assert(strcmp(e.series[0].labels[0].value, expected) == 0);
	assert(strcmp(e.series[0].labels[1].value, "behind") == 0);
	exposition_done(&e);
	buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_free_ char *value = malloc(size + 1);

	assert(value);
	if (size > 0)
		memcpy(value, data, size);
	value[size] = '\0';
	check(value);
	return 0;
}
