/* SPDX-License-Identifier: Apache-2.0 */
/* The parts with sockets: what the kernel did not give, and values that have no fixed names. */
#include "daemon/core/expose.h"

#include <string.h>

#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"
#include "tests/unit/core/hand_made.h"

TEST_SUITE(expose_sockets);

/* What netlink alone can tell is not there, and not 0, as long as the kernel never gave it. */
Test(expose_sockets, what_the_kernel_never_gave)
{
	struct hand_made h;
	struct snapshot_sockets *tcp = &h.sockets[POLL_FAMILY_TCP];

	hand_made_init(&h, core_catalogue(true));
	memset(&tcp->present, 0, sizeof(tcp->present));
	metric_set_add(&tcp->present, core_metric("sockstat_tcp_memory_bytes"));
	hand_made_render(&h);
	for (unsigned int i = 0; i < metric_count; i++) {
		const struct metric *m = &metrics[i];
		bool expected =
			!m->needs_netlink || strcmp(m->name, "sockstat_tcp_memory_bytes") == 0;

		if (metric_is_of_groups(m, POLL_FAMILY_TCP))
			cr_assert_eq(hand_made_count(&h, m->name) > 0, expected, "%s", m->name);
	}
	hand_made_done(&h);
}

/* Each family's part is as old as its own walk; of one that was never read nothing is there. */
Test(expose_sockets, families_apart)
{
	struct hand_made h;

	hand_made_init(&h, core_catalogue(true));
	h.sockets[POLL_FAMILY_UDP].age.taken_ns = 0;
	memset(&h.sockets[POLL_FAMILY_UDP].present, 0, sizeof(struct metric_set));
	h.sockets[POLL_FAMILY_MPTCP].age.is_from_procfs = true;
	hand_made_render(&h);
	cr_assert_gt(hand_made_count(&h, "sockstat_tcp_sockets"), 0);
	cr_assert_eq(hand_made_count(&h, "sockstat_udp_sockets"), 0);
	cr_assert_eq(hand_made_count(&h, "sockstat_udp_drops_total"), 0);
	cr_assert_eq(hand_made_count(&h, "sockstat_mptcp_sockets"), 0);
	hand_made_done(&h);
}

Test(expose_sockets, algorithms)
{
	static const char family[] = "sockstat_tcp_congestion_algorithm_sockets";
	struct hand_made h;
	struct snapshot_sockets *tcp = &h.sockets[POLL_FAMILY_TCP];
	uint64_t *cells;

	hand_made_init(&h, core_catalogue(true));
	cells = hand_made_cell(&h, HAND_MADE_CLIENT_443, family);
	cells[METRIC_ALGORITHMS_MAX] = 77;
	hand_made_render(&h);
	cr_assert_eq(hand_made_count(&h, family), 3 * HAND_MADE_TCP_GROUPS);
	cr_assert_eq(hand_made_value(&h, family, "side=client,port=443,algorithm=cubic"), 30);
	cr_assert_eq(hand_made_value(&h, family, "side=client,port=443,algorithm=bbr"), 31);
	cr_assert_eq(hand_made_value(&h, family, "side=client,port=443,algorithm=other"), 77);

	tcp->algorithms.has_others = false;
	hand_made_render(&h);
	cr_assert_eq(hand_made_count(&h, family), 2 * HAND_MADE_TCP_GROUPS);

	tcp->algorithms.count = 0;
	hand_made_render(&h);
	cr_assert_eq(hand_made_count(&h, family), 0);
	hand_made_done(&h);
}

Test(expose_sockets, as_many_algorithms_as_have_names)
{
	static const char family[] = "sockstat_tcp_congestion_algorithm_sockets";
	struct hand_made h;
	struct snapshot_sockets *tcp = &h.sockets[POLL_FAMILY_TCP];

	hand_made_init(&h, core_catalogue(true));
	tcp->algorithms.count = METRIC_ALGORITHMS_MAX;
	for (unsigned int i = 0; i < METRIC_ALGORITHMS_MAX; i++)
		memcpy(tcp->algorithms.names[i], (char[]){'a', (char)('a' + i), 0}, 3);
	hand_made_render(&h);
	cr_assert_eq(hand_made_count(&h, family),
		     (METRIC_ALGORITHMS_MAX + 1) * HAND_MADE_TCP_GROUPS);
	cr_assert_eq(hand_made_value(&h, family, "side=client,port=443,algorithm=ap"), 30 + 15);
	cr_assert_eq(hand_made_value(&h, family, "side=client,port=443,algorithm=other"), 30 + 16);
	hand_made_done(&h);
}

/* Labels of families with a side, where there are names for them; of a port as a whole none. */
Test(expose_sockets, views_and_peers)
{
	static const char *views[] = {"web", NULL}, *peers[] = {"a", "b\"", NULL};
	struct hand_made h;

	hand_made_init(&h, core_catalogue_with_names(true, views, peers));
	h.group_items[HAND_MADE_CLIENT_OTHER].class = (struct sock_class){1, 2};
	h.group_items[HAND_MADE_CLIENT_OTHER].is_port = false;
	h.group_items[HAND_MADE_CLIENT_443].is_shown = false;
	hand_made_render(&h);
	cr_assert_geq(hand_made_value(&h, "sockstat_tcp_sockets",
				      "side=server,port=22,view=other,peer=other,state=listen"),
		      0);
	cr_assert_geq(hand_made_value(&h, "sockstat_tcp_sockets",
				      "side=client,port=other,view=web,peer=b\",state=listen"),
		      0);
	cr_assert_eq(hand_made_count(&h, "sockstat_tcp_sockets"), 3 * 11, "one is hidden");
	cr_assert_eq(hand_made_count(&h, "sockstat_tcp_ephemeral_ports_used"), 1);
	cr_assert_geq(hand_made_value(&h, "sockstat_tcp_ephemeral_ports_used", "port=443"), 0);
	cr_assert_null(strstr(h.text.data, "udp_sockets{port=\"53\",view"));
	hand_made_done(&h);
}

Test(expose_sockets, views_alone)
{
	static const char *views[] = {"web", NULL};
	struct hand_made h;

	hand_made_init(&h, core_catalogue_with_names(true, views, NULL));
	hand_made_render(&h);
	cr_assert_not_null(strstr(h.text.data, "port=\"22\",view=\"other\",state="));
	cr_assert_null(strstr(h.text.data, "peer="));
	hand_made_done(&h);
}
