/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of any bytes that are a label's value, said once more, without any escaping. */
#pragma once

#include "daemon/core/expose_text.h"

/* Each byte may become U+FFFD, which has three. */
#define LABEL_MODEL_MAX (3 * EXPOSE_LABEL_VALUE_MAX + 1)

/* What a reader of the exposition must find. */
void label_model(const char *value, char ret_value[LABEL_MODEL_MAX]);
