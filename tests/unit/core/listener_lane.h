/* SPDX-License-Identifier: Apache-2.0 */
/* A table of listeners whose clock goes on by one interval at each poll of the fast lane. */
#pragma once

#include "daemon/core/listener_poll.h"
#include "daemon/util/units.h"

#define LANE_INTERVAL_NS    (100 * NSEC_PER_MSEC)
#define LANE_PEAK_WINDOW_NS (120 * NSEC_PER_SEC)
/* ip_local_port_range */
#define LANE_EPHEMERAL_LOW  32768
#define LANE_EPHEMERAL_HIGH 60999

struct lane_row {
	const char *local;
	uint64_t cookie;
	uint32_t length, limit, drops;
	bool has_no_drops; /* before Linux 4.7 */
	uint32_t inode;    /* 0: any */
	uint32_t uid;
	uint64_t cgroup_id; /* 0: not told */
};

struct listener_lane {
	struct listener_table table;
	struct catalogue *catalogue;
	uint64_t now_ns;
	uint64_t listen_drops;
	bool is_blind; /* ListenDrops cannot be read */
};

/* Devices are named "dev7" by their index, but for those that a test names: */
extern const char *lane_device_names[16];

void lane_init(struct listener_lane *lane, uint32_t series_cap);
void lane_done(struct listener_lane *lane);
/* A good poll; the rows of the array are all there is. */
void lane_poll(struct listener_lane *lane, const struct lane_row *rows, size_t count);
/* One that shows these rows and then fails. */
void lane_fail(struct listener_lane *lane, const struct lane_row *rows, size_t count);
/* Good polls with the same rows for a while. */
void lane_poll_for(struct listener_lane *lane, uint64_t duration_ns, const struct lane_row *rows,
		   size_t count);

#define LANE_ROWS(...)                          \
	(const struct lane_row[]){__VA_ARGS__}, \
		sizeof((const struct lane_row[]){__VA_ARGS__}) / sizeof(struct lane_row)
#define LANE_POLL(lane, ...) lane_poll(lane, LANE_ROWS(__VA_ARGS__))
#define LANE_FAIL(lane, ...) lane_fail(lane, LANE_ROWS(__VA_ARGS__))
#define LANE_POLL_NONE(lane) lane_poll(lane, NULL, 0)

/* Nanoseconds of the realtime clock at the last poll, in the unit of the values. */
uint64_t lane_realtime_ms(const struct listener_lane *lane);

/* The series with exactly these labels, NULL if there are none; fails the test if two have them. */
const struct listener_series *lane_series(const struct listener_lane *lane, const char *address,
					  const char *port);
/* The values of a series that must be there. */
const struct listener_values *lane_values(const struct listener_lane *lane, const char *address,
					  const char *port);
