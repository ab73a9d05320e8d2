/* SPDX-License-Identifier: Apache-2.0 */
/* Listeners that netlink and /proc show by turns: who is who is told by the inode. */
#include <netinet/in.h>
#include <string.h>

#include "daemon/core/listener_poll.h"
#include "daemon/util/macros.h"
#include "tests/support/record_builder.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/listener_lane.h"

TEST_SUITE(listener_member);

/* What the kernel has. */
struct socket {
	const char *local;
	uint32_t inode;
	uint32_t interface;
	bool v6only;
	uint32_t length, drops;
};

static void add(struct listener_lane *lane, const struct socket *s, bool from_procfs)
{
	struct test_record r;

	test_record_init(&r, SOCK_LISTEN, s->local, strchr(s->local, '[') ? "[::]:0" : "0.0.0.0:0");
	r.record.inode = s->inode;
	r.record.receive_queue = s->length;
	r.record.known = SOCK_KNOWS_RECEIVE_QUEUE;
	r.record.cookie = 0;
	r.record.v6only = 0;
	if (!from_procfs) {
		r.record.cookie = 1000 + s->inode;
		r.record.interface = s->interface;
		r.record.v6only = s->v6only;
		r.record.send_queue = 10;
		r.record.known |= SOCK_KNOWS_SEND_QUEUE;
		test_record_add_skmem(&r, 9);
		r.skmem[SOCK_SKMEM_DROPS] = s->drops;
	}
	cr_assert_eq(listener_poll_add(&lane->table, &r.record, lane->now_ns), 0);
}

static void poll(struct listener_lane *lane, const struct socket *sockets, size_t count,
		 bool from_procfs)
{
	struct listener_poll p;

	lane->now_ns += LANE_INTERVAL_NS;
	listener_poll_begin(&lane->table);
	for (size_t i = 0; i < count; i++)
		add(lane, &sockets[i], from_procfs);
	p = (struct listener_poll){
		.now_ns = lane->now_ns,
		.interval_ns = LANE_INTERVAL_NS,
		.listen_drops = from_procfs ? NULL : &lane->listen_drops,
	};
	cr_assert_eq(listener_poll_commit(&lane->table, &p), 0);
}

#define NETLINK false
#define PROCFS  true

Test(listener_member, labels_stay_what_netlink_said)
{
	static const struct socket sockets[] = {
		{"[::]:80", 1, .v6only = true},
		{"[::]:81", 2},
		{"0.0.0.0:82", 3, .interface = 5},
		{"0.0.0.0:82", 4},
	};
	static const char *const addresses[][2] = {
		{"[::]", "80"}, {"*", "81"}, {"0.0.0.0%dev5", "82"}, {"0.0.0.0", "82"}};
	struct listener_lane lane;

	lane_init(&lane, 10);
	poll(&lane, sockets, ARRAY_SIZE(sockets), NETLINK);
	poll(&lane, sockets, ARRAY_SIZE(sockets), PROCFS);
	cr_assert_eq(lane.table.series_count, 4);
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
		cr_assert_eq(lane_values(&lane, addresses[i][0], addresses[i][1])->sockets, 1,
			     "%zu", i);
	cr_assert_eq(lane.table.index.count, 4);
	lane_done(&lane);
}

Test(listener_member, what_only_proc_has_seen)
{
	static const struct socket socket[] = {{"[::]:80", 1, .v6only = true}};
	struct listener_lane lane;

	lane_init(&lane, 10);
	poll(&lane, socket, 1, PROCFS);
	cr_assert_eq(lane_values(&lane, "*", "80")->sockets, 1);
	cr_assert_eq(lane_values(&lane, "*", "80")->limit, METRIC_ABSENT);
	poll(&lane, socket, 1, NETLINK);
	cr_assert_eq(lane_values(&lane, "[::]", "80")->sockets, 1);
	cr_assert_eq(lane_values(&lane, "*", "80")->sockets, 0, "it was never there");
	cr_assert_eq(lane.table.index.count, 1, "the same socket");
	poll(&lane, socket, 1, PROCFS);
	cr_assert_eq(lane_values(&lane, "[::]", "80")->sockets, 1);
	lane_done(&lane);
}

/* An inode that was given again is another socket. */
Test(listener_member, another_with_the_same_inode)
{
	struct socket socket[] = {{"[::]:80", 1, .v6only = true}};
	struct listener_lane lane;

	lane_init(&lane, 10);
	poll(&lane, socket, 1, NETLINK);
	socket[0].local = "127.0.0.1:81";
	poll(&lane, socket, 1, PROCFS);
	cr_assert_eq(lane_values(&lane, "127.0.0.1", "81")->sockets, 1);
	cr_assert_eq(lane_values(&lane, "[::]", "80")->sockets, 0);
	lane_done(&lane);
}

/* Drops that fell while /proc was read are counted when netlink is back, once. */
Test(listener_member, drops_during_the_fallback)
{
	struct socket socket[] = {{"0.0.0.0:80", 1, .length = 11, .drops = 70}};
	struct listener_lane lane;

	lane_init(&lane, 10);
	poll(&lane, socket, 1, NETLINK);
	poll(&lane, socket, 1, NETLINK);
	cr_assert_eq(lane_values(&lane, "0.0.0.0", "80")->drops, 0, "the baseline");
	socket[0].drops += 5;
	lane.listen_drops += 5;
	poll(&lane, socket, 1, PROCFS);
	poll(&lane, socket, 1, PROCFS);
	cr_assert_eq(lane_values(&lane, "0.0.0.0", "80")->drops, 0);
	poll(&lane, socket, 1, NETLINK);
	cr_assert_eq(lane_values(&lane, "0.0.0.0", "80")->drops, 5);
	poll(&lane, socket, 1, NETLINK);
	cr_assert_eq(lane_values(&lane, "0.0.0.0", "80")->drops, 5);
	cr_assert_eq(lane_values(&lane, "0.0.0.0", "80")->stray_drops, 0);
	lane_done(&lane);
}

/* Of a listener that was there before the daemon, which began on /proc, the first drops that
 * netlink tells are the baseline; one that was born meanwhile had them all while we ran. */
Test(listener_member, drops_before_the_daemon)
{
	struct socket sockets[] = {{"0.0.0.0:80", 1, .length = 11, .drops = 70},
				   {"0.0.0.0:81", 2, .length = 11, .drops = 3}};
	struct listener_lane lane;

	lane_init(&lane, 10);
	poll(&lane, sockets, 1, PROCFS);
	poll(&lane, sockets, 2, PROCFS);
	poll(&lane, sockets, 2, NETLINK);
	poll(&lane, sockets, 2, NETLINK);
	cr_assert_eq(lane_values(&lane, "0.0.0.0", "80")->drops, 0);
	cr_assert_eq(lane_values(&lane, "0.0.0.0", "80")->stray_drops, 0);
	cr_assert_eq(lane_values(&lane, "0.0.0.0", "81")->drops +
			     lane_values(&lane, "0.0.0.0", "81")->stray_drops,
		     0, "before ListenDrops were known nothing could be split");
	lane_done(&lane);
}

/* Without a limit nobody can say how full a queue is. */
Test(listener_member, fullness_needs_the_limit)
{
	static const struct socket socket[] = {{"0.0.0.0:80", 1, .length = 11}};
	struct listener_lane lane;

	lane_init(&lane, 10);
	poll(&lane, socket, 1, PROCFS);
	poll(&lane, socket, 1, PROCFS);
	cr_assert_eq(lane_values(&lane, "0.0.0.0", "80")->full_ns, 0);
	cr_assert_eq(lane_values(&lane, "0.0.0.0", "80")->length, 11);
	cr_assert_eq(lane_values(&lane, "0.0.0.0", "80")->peak, 11);
	poll(&lane, socket, 1, NETLINK);
	cr_assert_gt(lane_values(&lane, "0.0.0.0", "80")->full_ns, 0);
	lane_done(&lane);
}

/* Sockets that the kernel holds have no inode, and cannot be told apart: each is one all the same.
 */
Test(listener_member, without_inodes)
{
	static const struct socket sockets[] = {{"0.0.0.0:80", 0, .length = 1},
						{"0.0.0.0:80", 0, .length = 2},
						{"0.0.0.0:81", 0, .length = 4}};
	struct listener_lane lane;

	lane_init(&lane, 10);
	for (int i = 0; i < 3; i++) {
		poll(&lane, sockets, ARRAY_SIZE(sockets), PROCFS);
		cr_assert_eq(lane_values(&lane, "0.0.0.0", "80")->sockets, 2);
		cr_assert_eq(lane_values(&lane, "0.0.0.0", "80")->length, 3);
		cr_assert_eq(lane_values(&lane, "0.0.0.0", "81")->sockets, 1);
		cr_assert_eq(lane.table.index.count, 3);
	}
	lane_done(&lane);
}
