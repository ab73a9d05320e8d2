/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/sock_groups.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"
#include "tests/unit/core/listener_lane.h"

TEST_SUITE(sock_groups);

#define ABSENT UINT64_MAX
#define PORTS  4

struct fixture {
	struct listener_lane lane;
	struct catalogue *catalogue;
	struct group_settings settings;
	struct sock_groups *groups;
	uint64_t now_ns;
};

static void fixture_init(struct fixture *f, enum poll_family family)
{
	static const uint16_t configured[] = {40001};

	*f = (struct fixture){.catalogue = core_catalogue(true), .now_ns = NSEC_PER_SEC};
	lane_init(&f->lane, 100);
	f->lane.table.ephemeral_low = LANE_EPHEMERAL_LOW;
	f->lane.table.ephemeral_high = LANE_EPHEMERAL_HIGH;
	f->settings = (struct group_settings){
		.family = family,
		.catalogue = f->catalogue,
		.ports = PORTS,
		.idle_ns = 3600 * NSEC_PER_SEC,
		.configured[GROUP_SERVER] = configured,
		.configured_count[GROUP_SERVER] = 1,
	};
	f->groups = sock_groups_new(&f->settings, 1);
	cr_assert(f->groups);
}

static void fixture_done(struct fixture *f)
{
	sock_groups_free(f->groups);
	lane_done(&f->lane);
	catalogue_unref(f->catalogue);
}

static void begin(struct fixture *f)
{
	const struct sock_groups_walk walk = {.budget = 1000, .tracked = 1000};

	f->now_ns += 5 * NSEC_PER_SEC;
	sock_groups_begin(f->groups, &walk);
}

/* From 127.0.0.1:LOCAL to 127.0.0.1:REMOTE; NUMBER is its cookie, of its queues and drops. */
static void add(struct fixture *f, uint8_t state, uint16_t local, uint16_t remote, uint32_t number)
{
	const uint32_t skmem[9] = {[SOCK_SKMEM_DROPS] = number};
	struct sock_record r = {
		.cookie = number,
		.family = AF_INET,
		.local_port = local,
		.remote_port = remote,
		.state = state,
		.inode = number,
		.known = SOCK_KNOWS_RECEIVE_QUEUE | SOCK_KNOWS_SEND_QUEUE,
		.receive_queue = 10 * number,
		.send_queue = 100 * number,
		.skmem = (const uint8_t *)skmem,
		.skmem_len = sizeof(skmem),
	};

	inet_pton(AF_INET, "127.0.0.1", r.local.bytes);
	inet_pton(AF_INET, "127.0.0.1", r.remote.bytes);
	cr_assert_eq(sock_groups_add(f->groups, &f->lane.table, &r), 0);
}

static void commit(struct fixture *f)
{
	sock_groups_commit(f->groups, f->now_ns, f->now_ns);
}

static uint64_t value(const struct fixture *f, const char *port, const char *family,
		      unsigned int index)
{
	const struct group_table *t = &f->groups->groups;
	uint64_t found = ABSENT;
	char label[16];

	for (uint32_t i = 0; i < t->count; i++) {
		group_port_label(t->items[i], label);
		if (!t->items[i]->is_shown || strcmp(label, port) != 0)
			continue;
		cr_assert_eq(found, ABSENT, "%s is there twice", port);
		found = core_cells(f->catalogue, t->items[i]->cells, family)[index];
	}
	return found;
}

static uint64_t udp(const struct fixture *f, const char *port, unsigned int index)
{
	return value(f, port, "sockstat_udp_sockets", index);
}

static uint64_t udp_drops(const struct fixture *f, const char *port)
{
	return value(f, port, "sockstat_udp_drops_total", 0);
}

Test(sock_groups, udp)
{
	struct fixture f;

	fixture_init(&f, POLL_FAMILY_UDP);
	begin(&f);
	add(&f, SOCK_ESTABLISHED, 53, 1000, 1);
	add(&f, SOCK_CLOSE, 53, 0, 2);
	add(&f, SOCK_CLOSE, 53, 0, 3);
	add(&f, SOCK_SYN_SENT, 53, 0, 4);
	commit(&f);
	cr_assert_eq(udp(&f, "53", 0), 1);
	cr_assert_eq(udp(&f, "53", 1), 2);
	cr_assert_eq(value(&f, "53", "sockstat_udp_receive_queue_bytes", 0), 100);
	cr_assert_eq(value(&f, "53", "sockstat_udp_send_queue_bytes", 0), 1000);
	cr_assert_eq(udp_drops(&f, "53"), 0);
	cr_assert_eq(udp(&f, "1000", 0), ABSENT, "the port is the local one");
	cr_assert(metric_set_has(&f.groups->present, core_metric("sockstat_udp_drops_total")));
	cr_assert_eq(f.groups->taken_ns, f.now_ns);
	begin(&f);
	add(&f, SOCK_CLOSE, 53, 0, 9);
	add(&f, SOCK_CLOSE, 54, 0, 8);
	commit(&f);
	cr_assert_eq(udp(&f, "53", 0), 0);
	cr_assert_eq(udp(&f, "53", 1), 1);
	cr_assert_eq(udp_drops(&f, "53"), 9);
	cr_assert_eq(udp_drops(&f, "54"), 8);
	fixture_done(&f);
}

Test(sock_groups, labels_of_udp)
{
	struct fixture f;

	fixture_init(&f, POLL_FAMILY_UDP);
	/* A listener of TCP that has settled is none of UDP. */
	lane_poll_for(&f.lane, LISTENER_SETTLED_NS + NSEC_PER_SEC,
		      LANE_ROWS({.local = "0.0.0.0:40002", .cookie = 1}));
	cr_assert(listener_table_is_settled(&f.lane.table, 40002));
	begin(&f);
	for (uint16_t port = 40000; port < 40003; port++)
		add(&f, SOCK_CLOSE, port, 0, port);
	for (uint16_t port = 1; port <= PORTS + 3; port++)
		add(&f, SOCK_CLOSE, port, 0, port);
	commit(&f);
	cr_assert_eq(udp(&f, "40001", 1), 1);
	cr_assert_eq(udp(&f, "ephemeral", 1), 2);
	cr_assert_eq(udp(&f, "1", 1), 1);
	cr_assert_eq(udp(&f, "other", 1), 3);
	cr_assert_eq(f.groups->groups.folds.by_ports, 3);
	fixture_done(&f);
}

/* What a walk that failed has seen dropped is counted by the next, and its gauges are forgotten. */
Test(sock_groups, a_walk_that_fails)
{
	struct fixture f;

	fixture_init(&f, POLL_FAMILY_UDP);
	begin(&f);
	commit(&f);
	begin(&f);
	add(&f, SOCK_CLOSE, 53, 0, 5);
	begin(&f);
	add(&f, SOCK_CLOSE, 53, 0, 5);
	commit(&f);
	cr_assert_eq(udp(&f, "53", 1), 1);
	cr_assert_eq(udp_drops(&f, "53"), 5);
	fixture_done(&f);
}

/* Where drops are switched off nobody is followed; what was counted stays when they are on again.
 */
Test(sock_groups, reload)
{
	static const char *const pattern[] = {"sockstat_udp_drops_total"};
	const struct catalogue_settings off = {
		.counts = true, .exclude = pattern, .exclude_count = 1};
	struct catalogue *without;
	struct group_settings settings;
	struct fixture f;

	fixture_init(&f, POLL_FAMILY_UDP);
	begin(&f);
	commit(&f);
	begin(&f);
	add(&f, SOCK_CLOSE, 53, 0, 5);
	commit(&f);
	cr_assert_eq(f.groups->drops.index.count, 1);
	cr_assert_eq(catalogue_new(&off, &without), 0);
	settings = f.settings;
	settings.catalogue = without;
	cr_assert_eq(group_table_prepare(&f.groups->groups, &settings), 0);
	sock_groups_apply(f.groups, &settings);
	cr_assert_eq(f.groups->drops.index.count, 0, "also where the family is not read any more");
	cr_assert_eq(group_table_prepare(&f.groups->groups, &f.settings), 0);
	sock_groups_apply(f.groups, &f.settings);
	begin(&f);
	add(&f, SOCK_CLOSE, 53, 0, 5);
	add(&f, SOCK_CLOSE, 53, 0, 6);
	commit(&f);
	cr_assert_eq(udp_drops(&f, "53"), 0, "a counter that was off begins anew");
	cr_assert_eq(udp(&f, "53", 1), 2);
	catalogue_unref(without);
	fixture_done(&f);
}

/* The side is as for TCP. */
Test(sock_groups, mptcp)
{
	static const char family[] = "sockstat_mptcp_sockets";
	struct fixture f;

	fixture_init(&f, POLL_FAMILY_MPTCP);
	LANE_POLL(&f.lane, {.local = "127.0.0.1:443", .cookie = 1});
	begin(&f);
	add(&f, SOCK_LISTEN, 443, 0, 1);
	add(&f, SOCK_ESTABLISHED, 443, 50000, 2);
	add(&f, SOCK_CLOSE_WAIT, 443, 50001, 3);
	add(&f, SOCK_ESTABLISHED, 50000, 80, 4);
	commit(&f);
	cr_assert_eq(value(&f, "443", family, SOCK_LISTEN - 1), 1);
	cr_assert_eq(value(&f, "443", family, SOCK_ESTABLISHED - 1), 1);
	cr_assert_eq(value(&f, "443", family, SOCK_CLOSE_WAIT - 1), 1);
	cr_assert_eq(value(&f, "443", family, SOCK_CLOSING - 1), 0);
	cr_assert_eq(value(&f, "80", family, SOCK_ESTABLISHED - 1), 1);
	cr_assert_eq(f.groups->drops_metric, -1);
	fixture_done(&f);
}
