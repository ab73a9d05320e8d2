/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void PRINTF_LIKE(2, 3) add(char text[SERVICE_STATUS_MAX], const char *format, ...)
{
	size_t len = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + len, SERVICE_STATUS_MAX - len, format, args);
	va_end(args);
}

static void describe(const struct status *s, char text[SERVICE_STATUS_MAX])
{
	if (!s->has_begun)
		add(text, "Polling for the first time.");
	else
		add(text, "Serving %s.", s->path);
	if (s->source == POLL_SOURCE_PROCFS)
		add(text, " Sockets are read from /proc, which tells less.");
	for (unsigned int i = 0; i < LANE_END; i++)
		if (s->has_failed[i])
			add(text, " Polls of %s fail (%s).", lane_name(i),
			    poll_failure_name(s->reason[i]));
	if (s->keeps_old_config)
		add(text, " The last reload failed; the old configuration stays.");
}

void status_update(struct status *s)
{
	char text[SERVICE_STATUS_MAX] = "";

	describe(s, text);
	if (strcmp(text, s->sent) == 0)
		return;
	memcpy(s->sent, text, sizeof(text));
	service_status("%s", text);
}
