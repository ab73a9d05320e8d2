/* SPDX-License-Identifier: Apache-2.0 */
/* An entry as one line: valid UTF-8 in logfmt, or one object in JSON. */
#pragma once

#include <stddef.h>

#include "daemon/io/log.h"

/* What a pipe takes in one piece (PIPE_BUF), so that the entries of several writers never mix. */
#define LOG_LINE_BYTES 4096

/* With its line feed, not terminated; its length. Too long fields are cut, and those that have no
 * room left out. FIELDS is logfmt, not NULL. */
size_t log_line_render(const struct log_entry *e, bool json, char ret_text[LOG_LINE_BYTES]);
