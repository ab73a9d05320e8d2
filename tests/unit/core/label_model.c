/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/core/label_model.h"

#include <string.h>

#include "tests/support/utf8_model.h"

void label_model(const char *value, char ret_value[LABEL_MODEL_MAX])
{
	const char *end = value + strlen(value);
	const char *limit = value + EXPOSE_LABEL_VALUE_MAX;

	while (value < end) {
		size_t len = utf8_model_character(value, (size_t)(end - value));
		const char *from = len ? value : "\uFFFD";

		if (value + (len ? len : 1) > limit)
			break;
		value += len ? len : 1;
		len = len ? len : strlen("\uFFFD");
		memcpy(ret_value, from, len);
		ret_value += len;
	}
	*ret_value = '\0';
}
