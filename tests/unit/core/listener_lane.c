/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/core/listener_lane.h"

#include <stdio.h>
#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/record_builder.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"

/* How far the realtime clock is ahead of the monotonic one. */
#define REALTIME_MS UINT64_C(1700000000000)

const char *lane_device_names[16];

static void name_device(uint32_t interface, char ret_name[IF_NAMESIZE])
{
	if (interface < ARRAY_SIZE(lane_device_names) && lane_device_names[interface])
		snprintf(ret_name, IF_NAMESIZE, "%s", lane_device_names[interface]);
	else
		snprintf(ret_name, IF_NAMESIZE, "dev%u", interface);
}

void lane_init(struct listener_lane *lane, uint32_t series_cap)
{
	int r;

	*lane = (struct listener_lane){
		.catalogue = core_catalogue(true),
		.now_ns = 1000 * NSEC_PER_SEC,
		.listen_drops = 1000000,
	};
	listener_table_init(&lane->table, lane->catalogue, 1, name_device);
	r = listener_table_configure(&lane->table, lane->catalogue, series_cap, LANE_PEAK_WINDOW_NS,
				     lane->now_ns);
	cr_assert_eq(r, 0);
	lane->table.ephemeral_low = LANE_EPHEMERAL_LOW;
	lane->table.ephemeral_high = LANE_EPHEMERAL_HIGH;
}

void lane_done(struct listener_lane *lane)
{
	listener_table_done(&lane->table);
	catalogue_unref(lane->catalogue);
}

void lane_fail(struct listener_lane *lane, const struct lane_row *rows, size_t count)
{
	lane->now_ns += LANE_INTERVAL_NS;
	listener_poll_begin(&lane->table);
	for (size_t i = 0; i < count; i++) {
		struct test_record r;
		int error;

		test_record_init(&r, SOCK_LISTEN, rows[i].local, "0.0.0.0:0");
		r.record.cookie = rows[i].cookie;
		r.record.uid = rows[i].uid;
		r.record.cgroup_id = rows[i].cgroup_id;
		if (rows[i].inode)
			r.record.inode = rows[i].inode;
		r.record.receive_queue = rows[i].length;
		r.record.send_queue = rows[i].limit;
		test_record_add_skmem(&r, rows[i].has_no_drops ? 8 : 9);
		r.skmem[SOCK_SKMEM_DROPS] = rows[i].drops;
		error = listener_poll_add(&lane->table, &r.record, lane->now_ns);
		cr_assert_eq(error, 0, "%s: %d", rows[i].local, error);
	}
}

void lane_poll(struct listener_lane *lane, const struct lane_row *rows, size_t count)
{
	struct listener_poll poll;

	lane_fail(lane, rows, count);
	poll = (struct listener_poll){
		.now_ns = lane->now_ns,
		.realtime_ms = lane_realtime_ms(lane),
		.interval_ns = LANE_INTERVAL_NS,
		.listen_drops = lane->is_blind ? NULL : &lane->listen_drops,
	};
	cr_assert_eq(listener_poll_commit(&lane->table, &poll), 0);
}

void lane_poll_for(struct listener_lane *lane, uint64_t duration_ns, const struct lane_row *rows,
		   size_t count)
{
	uint64_t end_ns = lane->now_ns + duration_ns;

	while (lane->now_ns < end_ns)
		lane_poll(lane, rows, count);
}

uint64_t lane_realtime_ms(const struct listener_lane *lane)
{
	return REALTIME_MS + lane->now_ns / NSEC_PER_MSEC;
}

const struct listener_series *lane_series(const struct listener_lane *lane, const char *address,
					  const char *port)
{
	const struct listener_series *found = NULL;

	for (uint32_t i = 0; i < lane->table.series_count; i++) {
		const struct listener_series *s = lane->table.series[i];

		if (strcmp(s->address, address) != 0 || strcmp(s->port, port) != 0)
			continue;
		cr_assert_null(found, "two series %s:%s", address, port);
		found = s;
	}
	return found;
}

const struct listener_values *lane_values(const struct listener_lane *lane, const char *address,
					  const char *port)
{
	const struct listener_series *s = lane_series(lane, address, port);

	cr_assert(s, "no series %s:%s", address, port);
	return &s->values;
}
