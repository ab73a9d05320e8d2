/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/token_bucket.h"

#include "daemon/util/macros.h"

bool token_bucket_take(struct token_bucket *b, uint64_t now_ns)
{
	uint64_t full_ns = MAX(b->full_ns, now_ns);

	if (b->interval_ns == 0)
		return true;
	/* So many intervals from being full it lacks as many tokens. */
	if (b->burst == 0 || (full_ns - now_ns + b->interval_ns - 1) / b->interval_ns >= b->burst)
		return false;
	b->full_ns = full_ns + b->interval_ns;
	return true;
}
