/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells the service manager that both threads' loops turn, whether or not polls succeed: from the
 * collector's loop, as long as the server's has turned lately. It falls silent when either hangs.
 */
#pragma once

#include "daemon/io/loop.h"

struct http;

struct watchdog {
	struct loop_timer timer;
	const struct http *http;
	uint64_t silence_ns; /* of the server's loop, that is no hang yet */
};

#define WATCHDOG_INIT                     \
	{                                 \
		.timer = LOOP_OWNED_INIT, \
	}

/* PERIOD_NS: how long the manager waits; 0: nothing is told. HTTP runs. 0 or -errno. */
int watchdog_init(struct watchdog *w, struct loop *loop, const struct http *http,
		  uint64_t period_ns);
void watchdog_done(struct watchdog *w);
