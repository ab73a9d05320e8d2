/* SPDX-License-Identifier: Apache-2.0 */
/* What the service manager hears from us (sd_notify(3)); without one, each call does nothing. */
#pragma once

#include "daemon/util/macros.h"

void service_ready(void);
/* With the monotonic time that systemd ≥ 253 wants beside RELOADING=1. */
void service_reloading(void);
void service_stopping(void);
/* One line for `systemctl status`. */
void service_status(const char *format, ...) PRINTF_LIKE(1, 2);
