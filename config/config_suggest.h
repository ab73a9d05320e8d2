/* SPDX-License-Identifier: Apache-2.0 */
/* "did you mean poll.sockets?": the key that is nearest to one that is unknown. */
#pragma once

#include <stddef.h>

struct config_schema;

/* The path of the nearest key or section and, in RET_LEN, how much of it to show. NULL: none is
 * near. */
const char *config_suggest(const struct config_schema *schema, const char *path, size_t *ret_len);
