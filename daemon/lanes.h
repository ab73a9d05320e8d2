/* SPDX-License-Identifier: Apache-2.0 */
/* The two lanes: the walks of each, and what becomes of what they bring. */
#pragma once

#include "daemon/lane_poller.h"

/* What its functions are given is a struct polling. */
struct lane_definition {
	const struct lane_walk *walks;
	unsigned int walk_count;
	struct lane_ops ops;
};

extern const struct lane_definition listeners_lane, sockets_lane;
