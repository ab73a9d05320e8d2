/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/event_pace.h"

#include "daemon/util/macros.h"
#include "daemon/util/units.h"

/* Connections a second (the manual and the configuration name it): at 10 µs of a closing task each,
 * two hundredths of a core. */
#define RATE_MAX  2000
#define RATE_CALM (RATE_MAX / 2)
/* A burst of a second is no reason. */
#define BUSY_MAX 3

#define CALM_MIN_NS (30 * NSEC_PER_SEC)
#define CALM_MAX_NS (600 * NSEC_PER_SEC)

void event_pace_init(struct event_pace *p)
{
	*p = (struct event_pace){.wanted = true, .needs_ns = CALM_MIN_NS};
}

static void give_up(struct event_pace *p)
{
	p->wanted = false;
	p->busy = 0;
	p->calm_ns = 0;
}

/* If it was in vain it takes twice as long the next time. */
static void take_up(struct event_pace *p)
{
	p->wanted = true;
	p->calm_ns = 0;
	p->needs_ns = MIN(2 * p->needs_ns, CALM_MAX_NS);
}

bool event_pace_observe(struct event_pace *p, uint64_t opened, uint64_t elapsed_ns)
{
	uint64_t rate;

	if (elapsed_ns == 0)
		return p->wanted;
	rate = (uint64_t)((double)opened * (double)NSEC_PER_SEC / (double)elapsed_ns);
	p->busy = rate > RATE_MAX ? p->busy + 1 : 0;
	p->calm_ns = rate < RATE_CALM ? p->calm_ns + elapsed_ns : 0;
	if (p->wanted && p->busy >= BUSY_MAX)
		give_up(p);
	else if (!p->wanted && p->calm_ns >= p->needs_ns)
		take_up(p);
	else if (p->wanted && p->calm_ns >= CALM_MAX_NS)
		p->needs_ns = CALM_MIN_NS;
	if (!p->wanted)
		p->busy = 0;
	return p->wanted;
}
