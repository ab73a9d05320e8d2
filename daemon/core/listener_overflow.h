/* SPDX-License-Identifier: Apache-2.0 */
/* Which listeners of a table overflow: what its two lanes say of it, and what is to be told. */
#pragma once

#include "daemon/core/listener.h"

/* When the members of a good poll are known. */
void listener_overflow_poll(struct listener_table *t, const struct listener_poll *poll);
/* When a dump has counted L's queues. */
void listener_overflow_dump(const struct listener_table *t, const struct listener *l,
			    bool is_filtered);
/* The next one that there is news of, NULL: of none. Valid until any other call for T. */
const struct overflow *listener_overflow_next(struct listener_table *t, uint64_t now_ns,
					      enum overflow_news *ret_news);
/* L goes away. */
void listener_overflow_forget(struct listener_table *t, struct listener *l);
