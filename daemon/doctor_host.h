/* SPDX-License-Identifier: Apache-2.0 */
/* What --doctor looks at beside the families of sockets. */
#pragma once

#include <stdio.h>

#include "config/config.h"
#include "daemon/core/catalogue.h"
#include "daemon/util/macros.h"

enum doctor_verdict {
	DOCTOR_OK,
	DOCTOR_NOTE, /* less than there could be, or close to a limit */
	DOCTOR_FAIL, /* the daemon could do nothing here */
};

struct doctor {
	FILE *out;
	const char *path, *procfs;
	const struct config *config;
	struct catalogue *catalogue;
	bool has_failed;
};

/* One line: what was found and, behind a semicolon, what to do. */
void doctor_say(struct doctor *d, enum doctor_verdict verdict, const char *topic,
		const char *format, ...) PRINTF_LIKE(4, 5);

/* Which attributes of TCP sockets this kernel sends; */
void doctor_check_attributes(struct doctor *d);
/* whether it tells of those that it destroys; */
void doctor_check_events(struct doctor *d);
/* which counters and limits of /proc are there; */
void doctor_check_files(struct doctor *d);
/* namespace, cgroups, capabilities; */
void doctor_check_place(struct doctor *d);
/* and what the configuration and the host allow. */
void doctor_check_limits(struct doctor *d);
