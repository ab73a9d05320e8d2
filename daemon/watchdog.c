/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/watchdog.h"

#include "daemon/http.h"
#include "daemon/io/clock.h"
#include "daemon/service.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"

/* The server's loop turns once a second when nobody asks. */
#define SILENCE_NS_MIN (3 * NSEC_PER_SEC)
/* sd_watchdog_enabled(3) wants half; with a quarter one may come late. */
#define TOLD_PER_PERIOD 4

static void tell(struct loop_timer *timer, uint64_t expirations)
{
	const struct watchdog *w = container_of(timer, struct watchdog, timer);

	(void)expirations;
	if (clock_monotonic_ns() - http_heartbeat_ns(w->http) <= w->silence_ns)
		service_alive();
}

int watchdog_init(struct watchdog *w, struct loop *loop, const struct http *http,
		  uint64_t period_ns)
{
	int r;

	w->http = http;
	w->silence_ns = MAX(period_ns / 2, SILENCE_NS_MIN);
	if (period_ns == 0)
		return 0;
	r = loop_timer_init(&w->timer, loop, tell);
	return r < 0 ? r : loop_timer_start(&w->timer, 0, MAX(period_ns / TOLD_PER_PERIOD, 1));
}

void watchdog_done(struct watchdog *w)
{
	loop_timer_done(&w->timer);
}
