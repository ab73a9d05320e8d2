/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the daemon listens: on the sockets that the service manager has passed (systemd.socket(5)),
 * if there are any, else on the addresses of the configuration.
 */
#pragma once

#include <stdbool.h>

struct config;
struct http_listeners;

struct listening {
	unsigned int passed; /* how many */
};

#define LISTENING_FAULT_MAX 160

/* Looks what was passed; NEEDED: that must be something. 0, or -errno and said in the log. */
int listening_init(struct listening *l, bool needed);
/* What to listen on under CONFIG; what CURRENT (may be NULL) has is shared. 0, or -errno, said in
 * the log and in RET_FAULT. */
int listening_open(const struct listening *l, const struct config *config,
		   struct http_listeners *current, struct http_listeners **ret_listeners,
		   char ret_fault[LISTENING_FAULT_MAX]);
/* Says in the log where that is. */
void listening_say(const struct listening *l, const struct config *config);
