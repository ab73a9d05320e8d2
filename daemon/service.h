/* SPDX-License-Identifier: Apache-2.0 */
/* What the service manager hears from us (sd_notify(3)); without one, each call does nothing. */
#pragma once

#include <stdint.h>

#include "daemon/util/macros.h"

/* What `systemctl status` shows of a status on one line. */
#define SERVICE_STATUS_MAX 256

void service_ready(void);
/* With the monotonic time that systemd ≥ 253 wants beside RELOADING=1. */
void service_reloading(void);
void service_stopping(void);
/* One line for `systemctl status`. */
void service_status(const char *format, ...) PRINTF_LIKE(1, 2);
/* A sign of life. */
void service_alive(void);
/* How long the manager waits for one before it ends us (WatchdogSec=); 0: it does not wait. */
uint64_t service_watchdog_ns(void);

/* The first of the sockets that the manager has passed. */
#define SERVICE_SOCKETS_FIRST 3
/* How many it has passed (sd_listen_fds(3)), or -errno. They stay open; whom we start does not have
 * them, and the environment no longer speaks of them. */
int service_sockets(void);
