/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/catalogue.h"

#include <string.h>

#include "daemon/core/self_values.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"

TEST_SUITE(catalogue);

#define RATIO  "sockstat_listener_accept_queue_fill_ratio"
#define RTT    "sockstat_tcp_rtt_seconds"
#define TIMERS "sockstat_tcp_timer_sockets"

static struct catalogue *new_catalogue(const struct catalogue_settings *settings)
{
	struct catalogue *c;

	cr_assert_eq(catalogue_new(settings, &c), 0);
	return c;
}

static bool is_on(const struct catalogue *c, const char *name)
{
	return c->on[core_metric(name)];
}

Test(catalogue, profiles)
{
	struct catalogue *core = core_catalogue(false), *extended = core_catalogue(true);

	for (unsigned int i = 0; i < metric_count; i++) {
		enum metric_profile profile = metrics[i].profile;

		cr_assert_eq(core->on[i], profile == METRIC_CORE, "%s", metrics[i].name);
		cr_assert_eq(extended->on[i], profile != METRIC_ONCE, "%s", metrics[i].name);
	}
	catalogue_unref(core);
	catalogue_unref(extended);
}

/* Which of five families a pattern reaches, in the order of the array below. */
static const char *const reached[] = {
	"sockstat_listener_info", RTT, TIMERS, "sockstatd_series", "process_threads",
};

static const struct pattern {
	const char *pattern;
	const char *reaches; /* one character for each, 1 or 0 */
} patterns[] = {
	{"*", "11111"},
	{"**", "11111"},
	{"", "00000"},
	{"sockstat_*", "11100"},
	{"sockstat*", "11110"},
	{"*_seconds", "01000"},
	{"*s", "01111"},
	{"*tcp*", "01100"},
	{"sockstat_*_sockets", "00100"},
	{"*sockets*sockets*", "00000"},
	{"s*t*d*", "01010"},
	{"*s_threads", "00001"},
	{"*_*_*_*", "01100"},
	{"sockstat_listener_info", "10000"},
	{"sockstat_listener_info*", "10000"},
	{"sockstat_listener_inf", "00000"},
	{"ockstat_listener_info", "00000"},
	{"sockstat_listener_infoo", "00000"},
	{"SOCKSTAT_*", "00000"},
	{"?ockstat_listener_info", "00000"},
	{"process_thread[s]", "00000"},
	{"*s*s*s*s*s*s*s*s*s*s*s*s*x", "00000"},
};

Test(catalogue, exclude)
{
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		struct catalogue_settings s = {
			.extended = true, .exclude = &patterns[i].pattern, .exclude_count = 1};
		struct catalogue *c = new_catalogue(&s);

		for (size_t j = 0; j < ARRAY_SIZE(reached); j++)
			cr_assert_eq(is_on(c, reached[j]), patterns[i].reaches[j] == '0',
				     "%s and %s", patterns[i].pattern, reached[j]);
		catalogue_unref(c);
	}
}

/* In the core profile the third of them, which is extended, is on by name only. */
Test(catalogue, include)
{
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		struct catalogue_settings s = {.include = &patterns[i].pattern, .include_count = 1};
		struct catalogue *c = new_catalogue(&s);

		for (size_t j = 0; j < ARRAY_SIZE(reached); j++)
			cr_assert_eq(is_on(c, reached[j]), j != 2 || patterns[i].reaches[j] == '1',
				     "%s and %s", patterns[i].pattern, reached[j]);
		cr_assert_not(is_on(c, "sockstat_listener_sk_drops_total"), "for --once only");
		catalogue_unref(c);
	}
}

Test(catalogue, several_patterns)
{
	static const char *const include[] = {"nothing", TIMERS, "*_orphan_*"};
	static const char *const exclude[] = {"nothing", "process_*", "*_orphan_*"};
	struct catalogue_settings s = {.include = include,
				       .include_count = ARRAY_SIZE(include),
				       .exclude = exclude,
				       .exclude_count = ARRAY_SIZE(exclude)};
	struct catalogue *c = new_catalogue(&s);

	cr_assert(is_on(c, TIMERS));
	cr_assert_not(is_on(c, "process_threads"));
	cr_assert_not(is_on(c, "sockstat_tcp_orphan_sockets"), "to exclude has the last word");
	cr_assert(is_on(c, RTT));
	catalogue_unref(c);
}

/* What --once can know: gauges of the sockets, the kernel's drops, and who says so. */
Test(catalogue, once)
{
	static const char *const unknown[] = {
		"sockstat_listener_accept_queue_peak",
		"sockstat_unix_listener_accept_queue_peak",
		"sockstat_listener_accept_queue_peak_ratio",
		"sockstat_listener_last_drop_timestamp_seconds",
	};
	struct catalogue_settings s = {.once = true, .extended = true};
	struct catalogue *c = new_catalogue(&s);

	for (unsigned int i = 0; i < metric_count; i++) {
		const struct metric *m = &metrics[i];
		bool expected = m->scope == METRIC_HOST ||
				(m->type == METRIC_GAUGE && m->scope != METRIC_SELF);

		for (size_t j = 0; j < ARRAY_SIZE(unknown); j++)
			expected = expected && strcmp(m->name, unknown[j]) != 0;
		expected = expected || strcmp(m->name, "sockstatd_build_info") == 0 ||
			   strcmp(m->name, "sockstat_listener_sk_drops_total") == 0;
		cr_assert_eq(c->on[i], expected, "%s", m->name);
	}
	catalogue_unref(c);
}

Test(catalogue, once_follows_the_profile)
{
	static const char *const pattern[] = {"sockstat_listener_sk_*"};
	struct catalogue_settings s = {.once = true, .exclude = pattern, .exclude_count = 1};
	struct catalogue *c = new_catalogue(&s);

	cr_assert_not(is_on(c, TIMERS));
	cr_assert(is_on(c, "sockstat_tcp_sockets"));
	cr_assert_not(is_on(c, "sockstat_listener_sk_drops_total"));
	catalogue_unref(c);
}

static bool is_of_listeners(const struct metric *m)
{
	return m->scope == METRIC_LISTENER && m->type == METRIC_HISTOGRAM;
}

/* Marks the cells of all families of listeners (POLL_FAMILY_END), or of a family's groups: none
 * twice, none left over. */
static void assert_cells(const struct catalogue *c, enum poll_family family)
{
	bool of_listeners = family == POLL_FAMILY_END;
	unsigned int count = of_listeners ? c->listener_cells : c->groups[family].cells;
	const char *owners[4096] = {NULL};

	cr_assert_lt(count, ARRAY_SIZE(owners));
	for (unsigned int i = 0; i < metric_count; i++) {
		const struct metric *m = &metrics[i];

		if (!c->on[i] ||
		    !(of_listeners ? is_of_listeners(m) : metric_is_of_groups(m, family)))
			continue;
		for (unsigned int j = 0; j < catalogue_cells(c, i); j++) {
			unsigned int at = c->cell[i] + j;

			cr_assert_lt(at, count, "%s", m->name);
			cr_assert_null(owners[at], "%s and %s", m->name, owners[at]);
			owners[at] = m->name;
		}
	}
	for (unsigned int i = 0; i < count; i++)
		cr_assert(owners[i] || (!of_listeners && i == c->groups[family].spare_cell),
			  "cell %u is nobody's", i);
}

static void assert_all_cells(const struct catalogue *c)
{
	assert_cells(c, POLL_FAMILY_END);
	for (unsigned int i = 0; i < POLL_FAMILY_PORTS; i++)
		assert_cells(c, i);
}

Test(catalogue, cells_do_not_overlap)
{
	static const char *const include[] = {RATIO, "*rtt*"};
	static const struct catalogue_settings settings[] = {
		{0},
		{.extended = true},
		{.once = true, .extended = true},
		{.include = include, .include_count = ARRAY_SIZE(include)},
		{.exclude = include, .exclude_count = ARRAY_SIZE(include), .extended = true},
	};
	struct catalogue *c;

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		c = new_catalogue(&settings[i]);
		assert_all_cells(c);
		catalogue_unref(c);
	}
	c = core_catalogue(true);
	assert_all_cells(c);
	catalogue_unref(c);
}

/* A family is watched as long as a metric wants it. */
Test(catalogue, watches)
{
	static const char *const udp[] = {"sockstat_udp_*"};
	static const struct catalogue_settings settings[] = {
		{0},
		{.extended = true},
		{.exclude = udp, .exclude_count = 1},
		{.is_off[POLL_FAMILY_UDP] = true},
	};
	static const bool has_udp[] = {true, true, false, false};

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		struct catalogue *c = new_catalogue(&settings[i]);

		cr_assert(catalogue_watches(c, POLL_FAMILY_TCP));
		cr_assert(catalogue_watches(c, POLL_FAMILY_UNIX));
		cr_assert_eq(catalogue_watches(c, POLL_FAMILY_UDP), has_udp[i], "%zu", i);
		cr_assert_eq(catalogue_watches(c, POLL_FAMILY_MPTCP), settings[i].extended, "%zu",
			     i);
		catalogue_unref(c);
	}
}

Test(catalogue, same)
{
	static const double few[] = {0.001, 1}, others[] = {0.001, 2};
	struct catalogue *a = core_catalogue_with_rtt(true, few, 2);
	struct catalogue *b = core_catalogue_with_rtt(true, few, 2);
	struct catalogue *other = core_catalogue_with_rtt(true, others, 2);
	struct catalogue *shorter = core_catalogue_with_rtt(true, few, 1);
	struct catalogue *core = core_catalogue_with_rtt(false, few, 2);
	unsigned int rtt = core_metric(RTT), timers = core_metric(TIMERS);

	cr_assert(catalogue_same(a, b, rtt));
	cr_assert(catalogue_same(a, core, rtt));
	cr_assert_not(catalogue_same(a, other, rtt));
	cr_assert_not(catalogue_same(a, shorter, rtt));
	cr_assert_not(catalogue_same(shorter, a, rtt));
	cr_assert(catalogue_same(a, other, core_metric(RATIO)));
	cr_assert(catalogue_same(a, other, timers));
	cr_assert_not(catalogue_same(a, core, timers));
	cr_assert_not(catalogue_same(core, a, timers));
	cr_assert_not(catalogue_same(core, core, timers));
	catalogue_unref(a);
	catalogue_unref(b);
	catalogue_unref(other);
	catalogue_unref(shorter);
	catalogue_unref(core);
}

/* As a family's unit differs, so do its bounds, but not what le says. */
Test(catalogue, bounds)
{
	struct catalogue *c = core_catalogue(true);
	const struct histogram_bounds *rtt = c->bounds[core_metric(RTT)];
	const struct histogram_bounds *duration =
		c->bounds[core_metric("sockstatd_loop_busy_seconds")];

	cr_assert_eq(rtt->upper[0], 50, "microseconds");
	cr_assert_eq(rtt->le[0], 0.00005);
	cr_assert_eq(duration->upper[0], 10000, "nanoseconds");
	cr_assert_eq(duration->count, SELF_DURATION_BOUNDS);
	cr_assert_null(c->bounds[core_metric(TIMERS)]);
	catalogue_unref(c);
}

Test(catalogue, references)
{
	struct catalogue *c = core_catalogue(false);

	cr_assert_eq(catalogue_ref(c), c);
	catalogue_unref(c);
	cr_assert(is_on(c, RTT));
	catalogue_unref(c);
	catalogue_unref(NULL);
}

/* Counts that a reload carries over began when they did; those that it begins anew, then. */
Test(catalogue, since_when)
{
	static const double other[] = {1, 2};
	struct catalogue *first = core_catalogue(false);
	struct catalogue *more = core_catalogue(true);
	struct catalogue *bounds = core_catalogue_with_rtt(true, other, ARRAY_SIZE(other));
	unsigned int rtt = core_metric(RTT), ratio = core_metric(RATIO);
	unsigned int polls = core_metric("sockstatd_polls_total");

	catalogue_begin(first, NULL, 1000);
	cr_assert_eq(first->since_ms[rtt], 1000);
	catalogue_begin(more, first, 2000);
	cr_assert_eq(more->since_ms[rtt], 1000);
	cr_assert_eq(more->since_ms[ratio], 2000, "it was off before");
	catalogue_begin(bounds, more, 3000);
	cr_assert_eq(bounds->since_ms[rtt], 3000);
	cr_assert_eq(bounds->since_ms[ratio], 2000);
	cr_assert_eq(bounds->since_ms[polls], 1000);
	catalogue_unref(first);
	catalogue_unref(more);
	catalogue_unref(bounds);
}
