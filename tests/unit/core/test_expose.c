/* SPDX-License-Identifier: Apache-2.0 */
/* Which families and samples there are; each test changes one thing in the snapshot made by hand.
 */
#include "daemon/core/expose.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/expose_text.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"
#include "tests/unit/core/hand_made.h"

TEST_SUITE(expose);

/* Every family that is not for --once is there. */
static void init(struct hand_made *h)
{
	hand_made_init(h, core_catalogue(true));
	h->self.process_max_fds = 1024;
	h->self.process_virtual_max_bytes = UINT64_C(1) << 40;
}

/* Of which families a scope's are shown, by their type; the info, whose value is 1, apart. */
static void assert_shown(struct hand_made *h, bool slow, enum metric_scope scope, bool gauges)
{
	for (unsigned int i = 0; i < metric_count; i++) {
		const struct metric *m = &metrics[i];
		bool expected = m->type != METRIC_GAUGE || gauges || m->texts;

		if (m->scope == scope && m->slow == slow && h->catalogue->on[i])
			cr_assert_eq(hand_made_count(h, m->name) > 0, expected, "%s", m->name);
	}
}

Test(expose, fresh)
{
	static const struct {
		const char *name;
		uint64_t taken_ns, stale_after_ns, now_ns;
		bool fresh;
	} cases[] = {
		{"never taken", 0, 30, 10, false},
		{"just taken", 100, 30, 100, true},
		{"old", 100, 30, 129, true},
		{"as old as may be", 100, 30, 130, true},
		{"taken after the clock was read", 100, 30, 99, true},
		{"too old", 100, 30, 131, false},
		{"far too old", 100, 30, UINT64_MAX, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct snapshot_age age = {cases[i].taken_ns, cases[i].stale_after_ns};

		cr_assert_eq(expose_is_fresh(&age, cases[i].now_ns), cases[i].fresh, "%s",
			     cases[i].name);
	}
}

Test(expose, everything_is_there)
{
	struct hand_made h;

	init(&h);
	hand_made_render(&h);
	for (unsigned int i = 0; i < metric_count; i++)
		cr_assert_eq(hand_made_count(&h, metrics[i].name) > 0,
			     metrics[i].profile != METRIC_ONCE, "%s", metrics[i].name);
	hand_made_done(&h);
}

/* What was switched off, and only that, is not there. */
Test(expose, families_that_are_off)
{
	struct hand_made h;

	hand_made_init(&h, core_catalogue(false));
	hand_made_render(&h);
	for (unsigned int i = 0; i < metric_count; i++)
		if (metrics[i].profile != METRIC_CORE)
			cr_assert_eq(hand_made_count(&h, metrics[i].name), 0, "%s",
				     metrics[i].name);
	hand_made_done(&h);
}

/* What was written and what is said to have been written: three numbers, all alike. */
Test(expose, series_are_counted)
{
	for (unsigned int stale = 0; stale < 8; stale++) {
		struct hand_made h;
		uint64_t series;

		init(&h);
		h.listeners.age.taken_ns *= !(stale & 1);
		h.listeners.slow_age.taken_ns *= !(stale & 2);
		h.sockets[POLL_FAMILY_TCP].age.taken_ns *= !(stale & 4);
		series = hand_made_render(&h);
		cr_assert_eq(series, h.exposition.series_count, "stale: %u", stale);
		cr_assert_eq((uint64_t)hand_made_value(&h, "sockstatd_series", ""), series,
			     "stale: %u", stale);
		hand_made_done(&h);
	}
}

/* No listener, no port, no poll yet: the daemon still speaks of itself, and no head is alone. */
Test(expose, nothing_to_show)
{
	struct hand_made h;

	init(&h);
	h.listeners.count = 0;
	h.unix_listeners->count = 0;
	for (unsigned int i = 0; i < POLL_FAMILY_PORTS; i++)
		h.sockets[i].count = 0;
	for (unsigned int i = 0; i < h.catalogue->host_cells; i++)
		h.host->cells[i] = METRIC_ABSENT;
	hand_made_render(&h);
	for (unsigned int i = 0; i < metric_count; i++)
		cr_assert_eq(hand_made_count(&h, metrics[i].name) > 0,
			     metrics[i].scope == METRIC_SELF, "%s", metrics[i].name);
	hand_made_done(&h);
}

/* Memory that runs out is the buffer's to say; nothing is written through NULL. */
Test(expose, sticky_error)
{
	struct hand_made h;
	struct buf b = BUF_INIT;

	init(&h);
	b.error = -ENOMEM;
	expose_listeners(&b, &expose_text, &h.listeners, h.now_ns);
	expose_sockets(&b, &expose_text, &h.sockets[POLL_FAMILY_TCP], true);
	expose_self(&b, &expose_text, h.catalogue, &h.self, 0);
	cr_assert_eq(b.error, -ENOMEM);
	cr_assert_eq(b.len, 0);
	hand_made_done(&h);
}

/* +Inf is the count, in each histogram; the walk never mixes up whose cells are whose. */
Test(expose, histograms_are_whole)
{
	struct hand_made h;

	init(&h);
	hand_made_render(&h);
	cr_assert_eq(exposition_broken_histogram(&h.exposition), h.exposition.series_count);
	cr_assert_eq(hand_made_value(&h, "sockstat_tcp_rtt_seconds_sum", "side=client,port=443"),
		     0.03);
	cr_assert_eq(hand_made_value(&h, "sockstatd_poll_duration_seconds_count", "lane=sockets"),
		     720);
	hand_made_done(&h);
}

Test(expose, gauges_of_a_stale_fast_lane_vanish)
{
	struct hand_made h;

	init(&h);
	h.listeners.age.taken_ns = h.now_ns - h.listeners.age.stale_after_ns - 1;
	hand_made_render(&h);
	assert_shown(&h, false, METRIC_LISTENER, false);
	assert_shown(&h, true, METRIC_LISTENER, true);
	assert_shown(&h, false, METRIC_CONNECTION, true);
	assert_shown(&h, false, METRIC_SELF, true);
	cr_assert_eq(hand_made_count(&h, "sockstat_listener_info"), HAND_MADE_LISTENERS);
	hand_made_done(&h);
}

Test(expose, gauges_of_a_stale_slow_lane_vanish)
{
	struct hand_made h;

	init(&h);
	h.listeners.slow_age.taken_ns = h.now_ns - h.listeners.age.stale_after_ns - 1;
	for (unsigned int i = 0; i < POLL_FAMILY_PORTS; i++)
		h.sockets[i].age = h.listeners.slow_age;
	hand_made_render(&h);
	assert_shown(&h, false, METRIC_LISTENER, true);
	assert_shown(&h, true, METRIC_LISTENER, false);
	assert_shown(&h, false, METRIC_CONNECTION, false);
	assert_shown(&h, false, METRIC_CLIENT, false);
	assert_shown(&h, false, METRIC_PORT, false);
	cr_assert_gt(hand_made_count(&h, "sockstat_tcp_rtt_seconds"), 0);
	hand_made_done(&h);
}

/* The kernel's counters stay, its gauges go. */
Test(expose, gauges_of_a_stale_host_vanish)
{
	struct hand_made h;

	init(&h);
	h.host->age.taken_ns = h.now_ns - h.host->age.stale_after_ns - 1;
	hand_made_render(&h);
	assert_shown(&h, false, METRIC_HOST, false);
	cr_assert_eq(hand_made_count(&h, "sockstat_netstat_listen_drops_total"), 1);
	hand_made_done(&h);
}

/* What /proc cannot tell is not there, whatever was known before; the rest is. */
Test(expose, on_procfs)
{
	struct hand_made h;

	init(&h);
	h.listeners.age.is_from_procfs = true;
	h.listeners.slow_age.is_from_procfs = true;
	h.unix_listeners->age.is_from_procfs = true;
	for (unsigned int i = 0; i < POLL_FAMILY_PORTS; i++)
		h.sockets[i].age.is_from_procfs = true;
	hand_made_render(&h);
	for (unsigned int i = 0; i < metric_count; i++)
		cr_assert_eq(hand_made_count(&h, metrics[i].name) > 0,
			     h.catalogue->on[i] && !metrics[i].needs_netlink, "%s",
			     metrics[i].name);
	hand_made_done(&h);
}

/* Before the first good poll of the sockets lane, listeners have no values of it. */
Test(expose, slow_lane_that_never_polled)
{
	struct hand_made h;

	init(&h);
	h.listeners.slow_age.taken_ns = 0;
	hand_made_render(&h);
	assert_shown(&h, false, METRIC_LISTENER, true);
	assert_shown(&h, true, METRIC_LISTENER, false);
	hand_made_done(&h);
}

/* The one thing that is not there is not exported; its family is, while others have a value. */
Test(expose, absent_values)
{
	struct hand_made h;

	init(&h);
	h.listener_items[HAND_MADE_OTHER].values.length = METRIC_ABSENT;
	hand_made_render(&h);
	cr_assert_eq(hand_made_count(&h, "sockstat_listener_accept_queue_length"), 1);
	cr_assert_eq(hand_made_value(&h, "sockstat_listener_accept_queue_length", "port=22"), 3);
	cr_assert_eq(hand_made_count(&h, "sockstat_listener_sockets"), HAND_MADE_LISTENERS);

	h.listener_items[HAND_MADE_SSH].values.length = METRIC_ABSENT;
	hand_made_render(&h);
	cr_assert_eq(hand_made_count(&h, "sockstat_listener_accept_queue_length"), 0);

	h.listener_items[HAND_MADE_SSH].values.length = 0;
	hand_made_render(&h);
	cr_assert_eq(hand_made_value(&h, "sockstat_listener_accept_queue_length", "port=22"), 0);
	hand_made_done(&h);
}

/* Of the daemon, too, whose labelled values may be absent one by one. */
Test(expose, absent_values_of_the_daemon)
{
	struct hand_made h;

	init(&h);
	h.self.poll_last_success_ms[LANE_SOCKETS] = METRIC_ABSENT;
	h.self.process_max_fds = METRIC_ABSENT;
	hand_made_render(&h);
	cr_assert_eq(hand_made_count(&h, "sockstatd_poll_last_success_timestamp_seconds"), 1);
	cr_assert_eq(hand_made_count(&h, "process_max_fds"), 0);
	hand_made_done(&h);
}

/* Of all paths and codes, those that happened; of other families, zero too. */
Test(expose, zeros_that_are_hidden)
{
	struct hand_made h;

	init(&h);
	hand_made_render(&h);
	cr_assert_eq(hand_made_count(&h, "sockstatd_http_requests_total"), 4);
	cr_assert_eq(hand_made_value(&h, "sockstatd_http_requests_total", "path=other,code=405"),
		     2);
	cr_assert_eq(hand_made_count(&h, "sockstatd_folded_groups"), SELF_FOLD_END);
	memset(h.self.http_requests, 0, sizeof(h.self.http_requests));
	hand_made_render(&h);
	cr_assert_eq(hand_made_count(&h, "sockstatd_http_requests_total"), 0);
	hand_made_done(&h);
}

/* Only where the destination is the port, and without the side, which would always be "client". */
Test(expose, families_of_clients)
{
	static const char family[] = "sockstat_tcp_ephemeral_ports_used";
	const struct exposition_series *s;
	struct hand_made h;

	init(&h);
	hand_made_render(&h);
	cr_assert_eq(hand_made_count(&h, family), 2);
	cr_assert_eq(hand_made_value(&h, family, "port=443"), 30);
	cr_assert_eq(hand_made_value(&h, family, "port=other"), 40);
	s = &h.exposition.series[exposition_find(&h.exposition, family)->first];
	cr_assert_eq(s->label_count, 1);
	hand_made_done(&h);
}

/* The labels that the manual and --list-metrics promise, and le, in this order. */
Test(expose, label_names)
{
	struct hand_made h;

	init(&h);
	hand_made_render(&h);
	for (uint32_t i = 0; i < h.exposition.family_count; i++) {
		const struct exposition_family *f = &h.exposition.families[i];
		char expected[64 + 3], names[256] = "";

		metric_label_names(&metrics[core_metric(f->name)], expected);
		if (strcmp(f->type, "histogram") == 0)
			strcat(expected, *expected ? ",le" : "le");
		for (unsigned int j = 0; j < h.exposition.series[f->first].label_count; j++) {
			strcat(names, j ? "," : "");
			strcat(names, h.exposition.series[f->first].labels[j].name);
		}
		/* A family has no constant beside labels of its own, whose order would differ. */
		cr_assert_str_eq(names, expected, "%s", f->name);
	}
	hand_made_done(&h);
}

#define BORN_MS UINT64_C(1700000000000)

/* The value of the line that begins so; 0: there is none. */
static double line_value(const struct buf *text, const char *line)
{
	const char *found = memmem(text->data, text->len, line, strlen(line));

	return found ? strtod(found + strlen(line), NULL) : 0;
}

/* A group's counts began with it, or when a reload changed what is counted; a listener's counters
 * with it; the daemon's with the process. Of the kernel's own counters it is not known. */
Test(expose, created)
{
	static const struct {
		const char *line;
		double expected;
	} cases[] = {
		{"\nsockstat_tcp_sent_bytes_created{side=\"server\",port=\"22\"} ", 1700000001},
		{"\nsockstat_tcp_rtt_seconds_created{side=\"server\",port=\"22\"} ", 1700000005},
		{"\nsockstat_tcp_rtt_seconds_created{side=\"client\",port=\"443\"} ", 1700000009},
		{"\nsockstat_listener_drops_created{address=\"0.0.0.0\",port=\"22\"} ", 1700000002},
		{"\nsockstat_listener_accept_queue_fill_ratio_created{address=\"0.0.0.0\","
		 "port=\"22\"} ",
		 1700000003},
		{"\nsockstatd_polls_created{lane=\"sockets\"} ", 1699990000.01},
		{"\nsockstat_netstat_listen_drops_created ", 0},
		{"\nsockstat_tcp_sockets_created", 0},
	};

	for (int asked = 0; asked < 2; asked++) {
		struct hand_made h;
		uint64_t series, plain;

		init(&h);
		h.catalogue->created = asked;
		h.catalogue->since_ms[core_metric("sockstat_tcp_rtt_seconds")] = BORN_MS + 5000;
		h.catalogue->since_ms[core_metric("sockstat_listener_drops_total")] =
			BORN_MS + 5000;
		h.catalogue->since_ms[core_metric("sockstat_listener_accept_queue_fill_ratio")] =
			BORN_MS + 3000;
		h.group_items[HAND_MADE_SERVER_22].born_ms = BORN_MS + 1000;
		h.group_items[HAND_MADE_CLIENT_443].born_ms = BORN_MS + 9000;
		h.listener_items[HAND_MADE_SSH].born_ms = BORN_MS + 2000;
		plain = hand_made_render(&h);
		buf_clear(&h.text);
		series = hand_made_render_as(&h, &expose_openmetrics);
		for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
			cr_assert_eq(line_value(&h.text, cases[i].line),
				     asked ? cases[i].expected : 0, "%s", cases[i].line);
		cr_assert_eq(series > plain, asked, "each is a series");
		hand_made_done(&h);
	}
}
