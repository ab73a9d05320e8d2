/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/overflow.h"

#include "daemon/util/macros.h"

void overflow_begin(struct overflow *o, uint64_t now_ns, uint64_t realtime_ms, uint32_t dump)
{
	if (o->told != OVERFLOW_ENDED && o->began_ns) {
		/* Of the one before, not all has been told: this goes on with it. */
		o->is_on = true;
		return;
	}
	*o = (struct overflow){
		.listener = o->listener,
		.quiet_until_ns = o->quiet_until_ns,
		.began_ns = now_ns,
		.began_ms = realtime_ms,
		.dump = dump,
		.is_on = true,
	};
}

void overflow_observe(struct overflow *o, uint64_t now_ns, uint64_t realtime_ms)
{
	if (!o->is_on)
		return;
	if (o->now.is_full || o->now.is_hit)
		o->last_ns = now_ns;
	o->drops += o->now.drops;
	o->peak = MAX(o->peak, o->now.length);
	o->changed_ms = o->began_ms;
	if (now_ns - o->last_ns < OVERFLOW_CALM_NS)
		return;
	o->is_on = false;
	o->changed_ms = realtime_ms;
}

static bool is_complete(const struct overflow *o, uint64_t now_ns)
{
	return o->has_queues || !o->is_on || now_ns - o->began_ns >= OVERFLOW_QUEUES_NS;
}

enum overflow_news overflow_tell(struct overflow *o, uint64_t now_ns, bool has_place)
{
	if (o->told == OVERFLOW_BEGAN && !o->is_on)
		return o->told = OVERFLOW_ENDED;
	if (o->told != OVERFLOW_NONE || !has_place || now_ns < o->quiet_until_ns ||
	    !is_complete(o, now_ns))
		return OVERFLOW_NONE;
	o->quiet_until_ns = now_ns + OVERFLOW_PERIOD_NS;
	return o->told = OVERFLOW_BEGAN;
}

bool overflow_is_over(const struct overflow *o, uint64_t now_ns)
{
	return o->told == OVERFLOW_ENDED && !o->is_on && now_ns >= o->quiet_until_ns;
}
