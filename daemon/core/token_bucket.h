/* SPDX-License-Identifier: Apache-2.0 */
/* So many at once, and one more each interval. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct token_bucket {
	uint64_t interval_ns; /* 0: there is no limit */
	uint64_t burst;       /* 0, with an interval: nobody passes */
	uint64_t full_ns;     /* when it will hold all of its tokens again */
};

/* Takes a token, if there is one. NOW_NS never falls from call to call. */
bool token_bucket_take(struct token_bucket *b, uint64_t now_ns);
