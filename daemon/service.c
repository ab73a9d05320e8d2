/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/service.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "daemon/io/clock.h"
#include "daemon/util/units.h"

/* That nobody listens, or that the manager has gone away, is no reason to stop. */
static void notify(const char *state)
{
	(void)sd_notify(0, state);
}

void service_ready(void)
{
	notify("READY=1");
}

void service_reloading(void)
{
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
			 clock_monotonic_ns() / NSEC_PER_USEC);
}

void service_stopping(void)
{
	notify("STOPPING=1");
}

void service_status(const char *format, ...)
{
	char status[SERVICE_STATUS_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(status, sizeof(status), format, arguments);
	va_end(arguments);
	status[strcspn(status, "\n")] = '\0';
	(void)sd_notifyf(0, "STATUS=%s", status);
}

void service_alive(void)
{
	notify("WATCHDOG=1");
}

uint64_t service_watchdog_ns(void)
{
	uint64_t period_us;

	if (sd_watchdog_enabled(0, &period_us) <= 0)
		return 0;
	return period_us * NSEC_PER_USEC;
}

static_assert(SERVICE_SOCKETS_FIRST == SD_LISTEN_FDS_START, "the manager's convention");

int service_sockets(void)
{
	return sd_listen_fds(1);
}
