/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/net/sockstat and sockstat6: sockstat_seq_show(), sockstat6_seq_show(). Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Finds KEY ("inuse") in the line LINE ("TCP:") of the text. 0; -ENOENT: not there; -EBADMSG: no
 * number. */
int sockstat_parse(const char *text, size_t n, const char *line, const char *key,
		   uint64_t *ret_value);
