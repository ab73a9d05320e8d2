/* SPDX-License-Identifier: Apache-2.0 */
/* What a family costs in cells and in series. */
#include "daemon/core/catalogue.h"

#include <string.h>

#include "daemon/core/self_values.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"
#include "tests/unit/core/hand_made.h"

TEST_SUITE(catalogue_series);

#define RATIO "sockstat_listener_accept_queue_fill_ratio"
#define RTT   "sockstat_tcp_rtt_seconds"

Test(catalogue_series, cells_and_series_of_a_family)
{
	struct catalogue *c = core_catalogue(true);
	static const struct {
		const char *name;
		unsigned int cells;
	} cases[] = {
		{"sockstat_listener_sockets", 1},
		{"sockstat_tcp_sockets", SOCK_STATE_END - 1},
		{"sockstat_tcp_memory_bytes", 5},
		{RTT, 14 + 3},
		{RATIO, 8 + 3},
		{"sockstat_tcp_congestion_algorithm_sockets", METRIC_ALGORITHMS_MAX + 1},
		{"sockstatd_poll_duration_seconds", 2 * SELF_DURATION_CELLS},
		{"sockstatd_poll_failures_total", LANE_END * (POLL_FAILURE_END - 1)},
		{"sockstatd_http_requests_total", SELF_ROUTE_END * SELF_STATUS_END},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned int metric = core_metric(cases[i].name);

		cr_assert_eq(catalogue_cells(c, metric), cases[i].cells, "%s", cases[i].name);
		cr_assert_eq(catalogue_series(c, metric), cases[i].cells, "%s", cases[i].name);
	}
	catalogue_unref(c);
}

/* Nothing absent, nothing 0, as many algorithms as may have names. */
static void fill_everything(struct hand_made *h)
{
	uint64_t *self = (uint64_t *)&h->self;

	for (size_t i = 0; i < sizeof(h->self) / sizeof(*self); i++)
		self[i] = 1;
	h->listener_items[0] = h->listener_items[HAND_MADE_SSH];
	h->listeners.count = 1;
	h->group_items[0] = h->group_items[HAND_MADE_CLIENT_443];
	for (unsigned int i = 0; i < POLL_FAMILY_PORTS; i++)
		h->sockets[i].count = 1;
	h->unix_listeners->count = 1;
	h->sockets[POLL_FAMILY_TCP].algorithms.count = METRIC_ALGORITHMS_MAX;
	for (unsigned int i = 0; i < METRIC_ALGORITHMS_MAX; i++)
		memcpy(h->sockets[POLL_FAMILY_TCP].algorithms.names[i],
		       (char[]){(char)('a' + i), 0}, 2);
}

static uint64_t count_scope(const struct hand_made *h, enum metric_scope scope)
{
	uint64_t count = 0;

	for (unsigned int i = 0; i < metric_count; i++)
		if (metrics[i].scope == scope)
			count += hand_made_count(h, metrics[i].name);
	return count;
}

static uint64_t count_groups(const struct hand_made *h, enum poll_family family)
{
	uint64_t count = 0;

	for (unsigned int i = 0; i < metric_count; i++)
		if (metric_is_of_groups(&metrics[i], family))
			count += hand_made_count(h, metrics[i].name);
	return count;
}

/* What limits.series is reckoned with is what a render yields at most. */
Test(catalogue_series, series_are_what_a_render_yields)
{
	for (int extended = 0; extended < 2; extended++) {
		struct hand_made h;

		hand_made_init(&h, core_catalogue(extended));
		fill_everything(&h);
		hand_made_render(&h);
		cr_assert_eq(h.catalogue->listener_series, count_scope(&h, METRIC_LISTENER));
		cr_assert_eq(h.catalogue->unix_series, count_scope(&h, METRIC_UNIX));
		cr_assert_eq(h.catalogue->self_series, count_scope(&h, METRIC_SELF));
		cr_assert_eq(h.catalogue->host_series, count_scope(&h, METRIC_HOST));
		for (unsigned int i = 0; i < POLL_FAMILY_PORTS; i++)
			cr_assert_eq(h.catalogue->groups[i].series, count_groups(&h, i));
		hand_made_done(&h);
	}
}

Test(catalogue_series, created_is_a_series)
{
	struct catalogue *c = core_catalogue(true);

	c->created = true;
	cr_assert_eq(catalogue_series(c, core_metric(RTT)), 14 + 3 + 1);
	cr_assert_eq(catalogue_series(c, core_metric("sockstatd_poll_duration_seconds")),
		     2 * (SELF_DURATION_CELLS + 1));
	cr_assert_eq(catalogue_series(c, core_metric("sockstatd_polls_total")), 2 * LANE_END);
	cr_assert_eq(catalogue_series(c, core_metric("sockstat_netstat_listen_drops_total")), 1);
	cr_assert_eq(catalogue_series(c, core_metric("sockstat_tcp_sockets")), SOCK_STATE_END - 1);
	cr_assert_eq(catalogue_cells(c, core_metric(RTT)), 14 + 3);
	catalogue_unref(c);
}

/* Native buckets are cells of what is about sockets and listeners, and no series. */
Test(catalogue_series, native)
{
	struct catalogue *c = core_catalogue_native(true), *plain = core_catalogue(true);
	unsigned int families = 0;

	for (unsigned int i = 0; i < metric_count; i++) {
		const struct native_buckets *native;

		if (!c->on[i] || metrics[i].type != METRIC_HISTOGRAM)
			continue;
		native = c->bounds[i]->native;
		cr_assert_eq(catalogue_series(c, i), catalogue_series(plain, i));
		cr_assert_eq(native != NULL, metrics[i].scope != METRIC_SELF, "%s",
			     metrics[i].name);
		cr_assert_eq(catalogue_same(c, plain, i), !native, "%s", metrics[i].name);
		if (!native)
			continue;
		families++;
		cr_assert_eq(catalogue_cells(c, i), catalogue_cells(plain, i) + 1 + native->count);
		cr_assert_geq(native->upper[native->count - 1],
			      metrics[i].width == 4 ? UINT32_MAX : UINT64_MAX, "%s",
			      metrics[i].name);
	}
	cr_assert_geq(families, 8);
	cr_assert_lt(c->groups[POLL_FAMILY_TCP].cells, UINT16_MAX);
	catalogue_unref(c);
	catalogue_unref(plain);
}
