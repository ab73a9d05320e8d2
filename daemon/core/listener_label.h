/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which series a listener has: those of its address and port; of its address and "ephemeral" while
 * its port is inside ip_local_port_range, not configured, and none there has lived for ten minutes;
 * or, beyond the cap, those of "other".
 */
#pragma once

#include "daemon/core/listener.h"

/* Gives each listener that has members its series. 0 or -ENOMEM. */
int listener_label_assign(struct listener_table *t, uint64_t now_ns);
/* L lets go of its series, which go with the last. */
void listener_label_release(struct listener_table *t, struct listener *l);
