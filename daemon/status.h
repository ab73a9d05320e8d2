/* SPDX-License-Identifier: Apache-2.0 */
/* What `systemctl status` says that the daemon does now: sent when it has changed. */
#pragma once

#include <stdbool.h>

#include "daemon/core/poll.h"
#include "daemon/service.h"

struct status {
	const char *path;          /* of the metrics */
	bool has_begun;            /* both lanes have polled */
	bool keeps_old_config;     /* the last reload failed */
	bool has_failed[LANE_END]; /* the last poll, */
	enum poll_failure reason[LANE_END];
	enum poll_source source; /* of TCP */
	char sent[SERVICE_STATUS_MAX];
};

void status_update(struct status *s);
