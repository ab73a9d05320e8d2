/* SPDX-License-Identifier: Apache-2.0 */
/* What holds of every row of the table, also of those to come. */
#include <string.h>

#include "daemon/core/listener_values.h"
#include "daemon/core/metric.h"
#include "daemon/core/self_values.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(metric_table);

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

Test(metric_table, names)
{
	for (unsigned int i = 0; i < metric_count; i++) {
		const char *name = metrics[i].name;

		cr_assert_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz_:"), strlen(name), "%s",
			     name);
		cr_assert_lt(strlen(name), 80, "%s", name);
		cr_assert(strncmp(name, "sockstat_", 9) == 0 ||
				  strncmp(name, "sockstatd_", 10) == 0 ||
				  strncmp(name, "process_", 8) == 0,
			  "%s", name);
		for (unsigned int j = 0; j < i; j++)
			cr_assert_str_neq(name, metrics[j].name);
	}
	cr_assert_leq(metric_count, METRIC_COUNT_MAX);
}

/* What is summed for ever, and nothing else, is a _total. */
Test(metric_table, counters_are_totals)
{
	for (unsigned int i = 0; i < metric_count; i++)
		cr_assert_eq(ends_with(metrics[i].name, "_total"),
			     metrics[i].type == METRIC_COUNTER, "%s", metrics[i].name);
}

/* Without that ending, as OpenMetrics names them, they are still apart. */
Test(metric_table, families_are_apart)
{
	for (unsigned int i = 0; i < metric_count; i++) {
		size_t len = metric_family_length(&metrics[i]);

		for (unsigned int j = 0; j < metric_count; j++)
			cr_assert(i == j || len != metric_family_length(&metrics[j]) ||
					  memcmp(metrics[i].name, metrics[j].name, len) != 0,
				  "%s and %s", metrics[i].name, metrics[j].name);
	}
}

/* Nor may a name look like the series of a histogram, or end in its type. */
Test(metric_table, endings_that_mean_something_else)
{
	static const char *const endings[] = {"_bucket",  "_count", "_sum",
					      "_counter", "_gauge", "_histogram"};

	for (unsigned int i = 0; i < metric_count; i++)
		for (size_t j = 0; j < ARRAY_SIZE(endings); j++)
			cr_assert_not(ends_with(metrics[i].name, endings[j]), "%s",
				      metrics[i].name);
}

/* Base units, in full. */
Test(metric_table, units)
{
	static const char *const abbreviations[] = {
		"s",       "ms",        "us",        "ns",           "sec",          "secs",
		"usec",    "msec",      "nsec",      "milliseconds", "microseconds", "nanoseconds",
		"minutes", "hours",     "b",         "kb",           "mb",           "kib",
		"mib",     "kilobytes", "megabytes", "bits",         "pct",          "percent",
		"num",     "avg",       "min_rtt_us"};

	for (unsigned int i = 0; i < metric_count; i++) {
		char name[128], *rest = name, *word;

		strcpy(name, metrics[i].name);
		while ((word = strsep(&rest, "_")))
			for (size_t j = 0; j < ARRAY_SIZE(abbreviations); j++)
				cr_assert_str_neq(word, abbreviations[j], "%s", metrics[i].name);
	}
}

/* A family with a divisor was not in base units; so its name says in which it is now. */
Test(metric_table, divisors)
{
	for (unsigned int i = 0; i < metric_count; i++) {
		const struct metric *m = &metrics[i];
		bool is_time = strstr(m->name, "_seconds") && !strstr(m->name, "_per_second");

		if (m->divisor)
			cr_assert(is_time || strstr(m->name, "_ratio"), "%s", m->name);
		else
			cr_assert_not(is_time, "%s", m->name);
	}
}

Test(metric_table, help)
{
	for (unsigned int i = 0; i < metric_count; i++) {
		const char *help = metrics[i].help;

		cr_assert_gt(strlen(help), 6, "%s", metrics[i].name);
		cr_assert_lt(strlen(help), 300, "%s", metrics[i].name);
		cr_assert_null(strpbrk(help, "\n\t\\"), "%s", metrics[i].name);
		cr_assert_eq(help[strlen(help) - 1], '.', "%s", metrics[i].name);
		cr_assert_null(strstr(help, "  "), "%s", metrics[i].name);
	}
}

/* In the order of enum metric_scope, so that a scope's families are one block of the text. */
Test(metric_table, scopes_are_neighbours)
{
	for (unsigned int i = 1; i < metric_count; i++)
		cr_assert_geq(metrics[i].scope, metrics[i - 1].scope, "%s", metrics[i].name);
	cr_assert_eq(metrics[0].scope, METRIC_LISTENER);
	cr_assert_eq(metrics[metric_count - 1].scope, METRIC_SELF);
}

/* expose_self() counts on it. */
Test(metric_table, last_row_counts_the_others)
{
	cr_assert_str_eq(metrics[metric_count - 1].name, "sockstatd_series");
}

/* What rows show of sockets lies in a source, and inside it; what is computed elsewhere does not.
 */
Test(metric_table, sources)
{
	static const unsigned int sizes[] = {
		[METRIC_BASE_NONE] = 0,
		[METRIC_BASE_RECORD] = sizeof(struct sock_record),
		[METRIC_BASE_TCP_INFO] = 280,
		[METRIC_BASE_SKMEM] = 4 * (SOCK_SKMEM_DROPS + 1),
	};

	for (unsigned int i = 0; i < metric_count; i++) {
		const struct metric *m = &metrics[i];
		unsigned int count = m->offsets ? m->labels[0]->count : 1;

		if (m->base == METRIC_BASE_NONE) {
			cr_assert_eq(m->width, 0, "%s", m->name);
			continue;
		}
		cr_assert(m->scope == METRIC_CONNECTION || m->scope == METRIC_PORT, "%s", m->name);
		cr_assert(m->width == 1 || m->width == 4 || m->width == 8 ||
				  (m->width == 2 && m->combine == METRIC_DELTA),
			  "%s", m->name);
		for (unsigned int j = 0; j < count; j++) {
			unsigned int offset = m->offsets ? m->offsets[j] : m->offset;

			cr_assert_leq(offset + m->width, sizes[m->base], "%s", m->name);
			if (m->base == METRIC_BASE_SKMEM)
				cr_assert_eq(offset % 4, 0, "%s", m->name);
		}
		cr_assert_eq(m->needs_netlink,
			     m->base != METRIC_BASE_RECORD || m->family == POLL_FAMILY_MPTCP, "%s",
			     m->name);
	}
}

/* The values that code fills are whole words of its structs. */
Test(metric_table, values_of_listeners_and_of_the_daemon)
{
	for (unsigned int i = 0; i < metric_count; i++) {
		const struct metric *m = &metrics[i];
		unsigned int values =
			m->buckets == METRIC_BUCKETS_DURATION ? SELF_DURATION_CELLS : 1;
		size_t size = m->scope == METRIC_SELF ? sizeof(struct self_values)
						      : sizeof(struct listener_values);

		if (m->scope != METRIC_SELF && m->scope != METRIC_LISTENER)
			continue;
		cr_assert_eq(m->offset % sizeof(uint64_t), 0, "%s", m->name);
		cr_assert_leq(m->offset + metric_value_count(m) * values * sizeof(uint64_t), size,
			      "%s", m->name);
		for (unsigned int j = 0; j < i; j++)
			if (metrics[j].scope == m->scope && m->type != METRIC_HISTOGRAM)
				cr_assert_neq(metrics[j].offset, m->offset, "%s and %s", m->name,
					      metrics[j].name);
	}
}

Test(metric_table, combinations)
{
	for (unsigned int i = 0; i < metric_count; i++) {
		const struct metric *m = &metrics[i];
		bool of_rows = m->scope == METRIC_CONNECTION || m->scope == METRIC_PORT;

		cr_assert_eq(m->combine == METRIC_COUNT_BY,
			     m->base != METRIC_BASE_NONE && m->labels[0] && !m->offsets, "%s",
			     m->name);
		cr_assert_eq(m->type == METRIC_HISTOGRAM, m->buckets != METRIC_BUCKETS_NONE, "%s",
			     m->name);
		if (of_rows)
			cr_assert_eq(m->combine == METRIC_OBSERVE, m->type == METRIC_HISTOGRAM,
				     "%s", m->name);
		if (m->combine == METRIC_OBSERVE)
			cr_assert(m->when == METRIC_WHEN_ACTIVE || m->when == METRIC_WHEN_CLOSED,
				  "%s", m->name);
		if (of_rows)
			cr_assert_eq(metric_accrues(m) && m->type != METRIC_HISTOGRAM,
				     m->type == METRIC_COUNTER, "%s", m->name);
		cr_assert_eq(m->derive != METRIC_DERIVE_NOTHING,
			     strcmp(m->name, "sockstat_tcp_acked_bytes_total") == 0, "%s", m->name);
		cr_assert_eq(of_rows, m->combine != METRIC_AS_IT_IS, "%s", m->name);
		cr_assert(!m->slow || m->scope == METRIC_LISTENER, "%s", m->name);
	}
}

static void assert_label(const struct metric *m, const struct metric_label *label)
{
	cr_assert_eq(strspn(label->name, "abcdefghijklmnopqrstuvwxyz_"), strlen(label->name), "%s",
		     m->name);
	cr_assert(label->count > 0 && label->count <= UINT8_MAX, "%s", m->name);
	for (unsigned int i = 0; label->value && i < label->count; i++) {
		const char *value = label->value(i);

		cr_assert(value && *value, "%s, %s %u", m->name, label->name, i);
		cr_assert_null(strpbrk(value, "\"\\\n,= "), "%s: %s", m->name, value);
		for (unsigned int j = 0; j < i; j++)
			cr_assert_str_neq(value, label->value(j), "%s", m->name);
	}
}

Test(metric_table, labels)
{
	for (unsigned int i = 0; i < metric_count; i++) {
		const struct metric *m = &metrics[i];

		for (size_t j = 0; j < ARRAY_SIZE(m->labels); j++)
			if (m->labels[j])
				assert_label(m, m->labels[j]);
		cr_assert(!m->labels[1] || m->labels[0], "%s", m->name);
		/* The walk writes a constant last, metric_label_names() names it first. */
		cr_assert(!m->texts || !m->labels[0], "%s", m->name);
		if (m->combine == METRIC_COUNT_NAME)
			cr_assert_null(m->labels[0]->value, "%s", m->name);
	}
}

/* The value of each state, timer and so on has the label with its name. */
Test(metric_table, values_that_are_counted)
{
	static const struct {
		const char *family;
		unsigned int value;
		const char *label;
	} cases[] = {
		{"sockstat_tcp_sockets", SOCK_ESTABLISHED, "established"},
		{"sockstat_tcp_sockets", SOCK_LISTEN, "listen"},
		{"sockstat_tcp_sockets", SOCK_CLOSING, "closing"},
		{"sockstat_tcp_timer_sockets", SOCK_TIMER_RETRANSMIT, "retransmit"},
		{"sockstat_tcp_timer_sockets", SOCK_TIMER_KEEPALIVE, "keepalive"},
		{"sockstat_tcp_timer_sockets", SOCK_TIMER_TIME_WAIT, "time_wait"},
		{"sockstat_tcp_timer_sockets", SOCK_TIMER_ZERO_WINDOW_PROBE, "zero_window_probe"},
		{"sockstat_tcp_timer_sockets", SOCK_TIMER_DELAYED_ACK, "delayed_ack"},
		/* enum tcp_ca_state, include/uapi/linux/tcp.h */
		{"sockstat_tcp_congestion_sockets", 0, "open"},
		{"sockstat_tcp_congestion_sockets", 1, "disorder"},
		{"sockstat_tcp_congestion_sockets", 2, "cwr"},
		{"sockstat_tcp_congestion_sockets", 3, "recovery"},
		{"sockstat_tcp_congestion_sockets", 4, "loss"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct metric *m = metrics;

		while (strcmp(m->name, cases[i].family) != 0)
			m++;
		cr_assert_lt(cases[i].value - m->count_base, m->labels[0]->count);
		cr_assert_str_eq(m->labels[0]->value(cases[i].value - m->count_base),
				 cases[i].label);
	}
}
