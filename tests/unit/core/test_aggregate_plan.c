/* SPDX-License-Identifier: Apache-2.0 */
/* Which values a row of some shape has, and how they count. */
#include "daemon/core/aggregate_plan.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/record_builder.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"

TEST_SUITE(aggregate_plan);

/* All that may be true of a row. */
#define ALL_FACTS  ((1U << METRIC_WHEN_END) - 1)
#define FACT(name) (1U << METRIC_WHEN_##name)

/* One row and its plan, counted in cells of its own. */
struct counted {
	struct catalogue *catalogue;
	struct test_record row;
	struct aggregate_plan plan;
	uint64_t *cells;
};

static void init(struct counted *c, unsigned int state)
{
	c->catalogue = core_catalogue(true);
	c->cells = calloc(c->catalogue->groups[POLL_FAMILY_TCP].cells, sizeof(*c->cells));
	test_record_init(&c->row, state, "10.0.0.1:80", "10.0.0.2:5000");
}

static void done(struct counted *c)
{
	free(c->cells);
	catalogue_unref(c->catalogue);
}

static void count(struct counted *c, unsigned int facts)
{
	aggregate_plan_make(&c->plan, c->catalogue, POLL_FAMILY_TCP, &c->row.record);
	memset(c->cells, 0, c->catalogue->groups[POLL_FAMILY_TCP].cells * sizeof(*c->cells));
	aggregate_plan_run(&c->plan, &c->row.record, facts, 0, c->cells);
}

static uint64_t value(const struct counted *c, const char *name, unsigned int index)
{
	return core_cells(c->catalogue, c->cells, name)[index];
}

static uint64_t observations(const struct counted *c, const char *name)
{
	return core_observations(c->catalogue, c->cells, name);
}

static bool is_present(const struct counted *c, const char *name)
{
	return metric_set_has(&c->plan.present, core_metric(name));
}

Test(aggregate_plan, fits_rows_of_its_shape)
{
	static const struct {
		const char *name;
		unsigned int tcp_info, skmem;
		const char *algorithm;
		bool fits;
	} cases[] = {
		{"the same", 280, 9, "cubic", true},
		{"another algorithm", 280, 9, "bbr", true},
		{"no algorithm", 280, 9, NULL, false},
		{"an older tcp_info", 248, 9, "cubic", false},
		{"no tcp_info", 0, 9, "cubic", false},
		{"an older skmem", 280, 8, "cubic", false},
		{"no skmem", 280, 0, "cubic", false},
	};
	struct aggregate_plans plans = {0};
	const struct aggregate_plan *first;
	struct counted c;

	init(&c, SOCK_ESTABLISHED);
	test_record_add_tcp_info(&c.row, 280);
	test_record_add_skmem(&c.row, 9);
	c.row.record.algorithm = "cubic";
	first = aggregate_plans_get(&plans, c.catalogue, &c.row.record);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		test_record_add_tcp_info(&c.row, cases[i].tcp_info);
		test_record_add_skmem(&c.row, cases[i].skmem);
		c.row.record.algorithm = cases[i].algorithm;
		cr_assert_eq(aggregate_plans_get(&plans, c.catalogue, &c.row.record) == first,
			     cases[i].fits, "%s", cases[i].name);
	}
	aggregate_plans_clear(&plans);
	test_record_add_tcp_info(&c.row, 104);
	cr_assert_eq(aggregate_plans_get(&plans, c.catalogue, &c.row.record)->tcp_info_len, 104);
	done(&c);
}

/* What older kernels do not send has no value; what newer ones add does no harm. */
Test(aggregate_plan, lengths_of_tcp_info)
{
	static const struct {
		unsigned int len;
		const char *has, *lacks;
	} cases[] = {
		{0, "sockstat_tcp_sockets", "sockstat_tcp_congestion_sockets"},
		{71, "sockstat_tcp_lost_segments", "sockstat_tcp_rtt_seconds"},
		{104, "sockstat_tcp_rtt_seconds", "sockstat_tcp_unsent_bytes"},
		{104, "sockstat_tcp_congestion_window_segments", "sockstat_tcp_min_rtt_seconds"},
		{147, "sockstat_tcp_rtt_variation_seconds", "sockstat_tcp_unsent_bytes"},
		{148, "sockstat_tcp_unsent_bytes", "sockstat_tcp_min_rtt_seconds"},
		{160, "sockstat_tcp_min_rtt_seconds",
		 "sockstat_tcp_delivery_rate_bytes_per_second"},
		{168, "sockstat_tcp_delivery_rate_bytes_per_second", NULL},
		{192, "sockstat_tcp_delivery_rate_bytes_per_second", NULL},
		{232, "sockstat_tcp_delivery_rate_bytes_per_second", NULL},
		{280, "sockstat_tcp_delivery_rate_bytes_per_second", NULL},
		{TEST_TCP_INFO_MAX, "sockstat_tcp_delivery_rate_bytes_per_second", NULL},
	};
	struct counted c;

	init(&c, SOCK_ESTABLISHED);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		test_record_add_tcp_info(&c.row, cases[i].len);
		if (cases[i].len == 0)
			c.row.record.tcp_info = NULL;
		count(&c, ALL_FACTS);
		cr_assert(is_present(&c, cases[i].has), "%u: no %s", cases[i].len, cases[i].has);
		cr_assert(!cases[i].lacks || !is_present(&c, cases[i].lacks), "%u: %s",
			  cases[i].len, cases[i].lacks);
	}
	done(&c);
}

/* Each row of the table, at its own edge. */
Test(aggregate_plan, edges_of_tcp_info)
{
	struct counted c;

	init(&c, SOCK_ESTABLISHED);
	for (unsigned int i = 0; i < metric_count; i++) {
		const struct metric *m = &metrics[i];

		if (m->base != METRIC_BASE_TCP_INFO)
			continue;
		test_record_add_tcp_info(&c.row, metric_source_end(m) - 1U);
		count(&c, ALL_FACTS);
		cr_assert_not(is_present(&c, m->name), "%s", m->name);
		test_record_add_tcp_info(&c.row, metric_source_end(m));
		count(&c, ALL_FACTS);
		cr_assert(is_present(&c, m->name), "%s", m->name);
	}
	done(&c);
}

/* Where each value lies, by struct tcp_info of include/uapi/linux/tcp.h. */
Test(aggregate_plan, values_of_tcp_info)
{
	static const struct {
		const char *name;
		unsigned int offset, width;
	} sums[] = {
		{"sockstat_tcp_unacked_segments", 24, 4},
		{"sockstat_tcp_lost_segments", 32, 4},
		{"sockstat_tcp_retransmitting_segments", 36, 4},
		{"sockstat_tcp_unsent_bytes", 144, 4},
	};
	struct counted c;

	init(&c, SOCK_ESTABLISHED);
	test_record_add_tcp_info(&c.row, 280);
	for (size_t i = 0; i < ARRAY_SIZE(sums); i++)
		test_record_set(&c.row, sums[i].offset, sums[i].width, UINT32_MAX - i);
	count(&c, FACT(ANY) | FACT(CONNECTION));
	for (size_t i = 0; i < ARRAY_SIZE(sums); i++)
		cr_assert_eq(value(&c, sums[i].name, 0), UINT32_MAX - i, "%s", sums[i].name);
	aggregate_plan_run(&c.plan, &c.row.record, FACT(CONNECTION), 0, c.cells);
	cr_assert_eq(value(&c, sums[0].name, 0), 2 * (uint64_t)UINT32_MAX, "a sum has 64 bits");
	done(&c);
}

Test(aggregate_plan, samples)
{
	static const struct {
		const char *name, *family;
		unsigned int offset, width;
		uint64_t value;
		bool app_limited;
		uint64_t observations;
	} cases[] = {
		{"an RTT", "sockstat_tcp_rtt_seconds", 68, 4, 1, false, 1},
		{"no RTT yet", "sockstat_tcp_rtt_seconds", 68, 4, 0, false, 0},
		{"a variation of 0", "sockstat_tcp_rtt_variation_seconds", 72, 4, 0, false, 1},
		{"a window", "sockstat_tcp_congestion_window_segments", 80, 4, 10, false, 1},
		{"a minimum", "sockstat_tcp_min_rtt_seconds", 148, 4, 5, false, 1},
		{"no minimum yet", "sockstat_tcp_min_rtt_seconds", 148, 4, UINT32_MAX, false, 0},
		{"a rate", "sockstat_tcp_delivery_rate_bytes_per_second", 160, 8, 1000, false, 1},
		{"a large rate", "sockstat_tcp_delivery_rate_bytes_per_second", 160, 8,
		 UINT64_C(1) << 40, false, 1},
		{"no rate yet", "sockstat_tcp_delivery_rate_bytes_per_second", 160, 8, 0, false, 0},
		{"a rate of the application", "sockstat_tcp_delivery_rate_bytes_per_second", 160, 8,
		 1000, true, 0},
	};
	struct counted c;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		init(&c, SOCK_ESTABLISHED);
		test_record_add_tcp_info(&c.row, 280);
		test_record_set(&c.row, cases[i].offset, cases[i].width, cases[i].value);
		/* delivery_rate_app_limited: a bit-field, the first of its byte. */
		if (cases[i].app_limited)
			test_record_set(&c.row, 7, 1,
					__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 1 : 0x80);
		count(&c, FACT(ANY) | FACT(CONNECTION));
		cr_assert_eq(observations(&c, cases[i].family), 0, "%s: not active", cases[i].name);
		count(&c, FACT(ACTIVE));
		cr_assert_eq(observations(&c, cases[i].family), cases[i].observations, "%s",
			     cases[i].name);
		done(&c);
	}
}

/* The other bits of that byte are nobody's business. */
Test(aggregate_plan, fast_open_failure_is_not_app_limited)
{
	struct counted c;

	init(&c, SOCK_ESTABLISHED);
	test_record_add_tcp_info(&c.row, 280);
	test_record_set(&c.row, 160, 8, 1000);
	test_record_set(&c.row, 7, 1, __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 6 : 0x60);
	count(&c, FACT(ACTIVE));
	cr_assert_eq(observations(&c, "sockstat_tcp_delivery_rate_bytes_per_second"), 1);
	done(&c);
}

/* The words in the order of include/uapi/linux/sock_diag.h; the ninth came with Linux 4.7. */
Test(aggregate_plan, skmem)
{
	static const uint32_t words[] = {1, 20, 300, 4000, 50000, 600000, 7000000, 80000000, 9};
	static const uint64_t memory[] = {1, 600000, 50000, 7000000, 80000000};
	static const unsigned int lens[] = {8, 9, 12};
	struct counted c;

	init(&c, SOCK_ESTABLISHED);
	for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
		test_record_add_skmem(&c.row, lens[i]);
		memcpy(c.row.skmem, words, sizeof(words));
		count(&c, FACT(ANY) | FACT(CONNECTION));
		for (unsigned int j = 0; j < ARRAY_SIZE(memory); j++)
			cr_assert_eq(value(&c, "sockstat_tcp_memory_bytes", j), memory[j],
				     "%u words: %u", lens[i], j);
		cr_assert_eq(value(&c, "sockstat_tcp_buffer_limit_bytes", 0), 20);
		cr_assert_eq(value(&c, "sockstat_tcp_buffer_limit_bytes", 1), 4000);
		cr_assert_eq(value(&c, "sockstat_tcp_send_in_flight_memory_bytes", 0), 300);
	}
	test_record_add_skmem(&c.row, 0);
	count(&c, ALL_FACTS);
	cr_assert_not(is_present(&c, "sockstat_tcp_memory_bytes"));
	done(&c);
}

static uint64_t sum(const struct counted *c)
{
	uint64_t total = 0;

	for (unsigned int i = 0; i < c->catalogue->groups[POLL_FAMILY_TCP].cells; i++)
		total += c->cells[i];
	return total;
}

/* "established" is the first of the states, and so on; what is none of them is nowhere. */
Test(aggregate_plan, counts_by_value)
{
	struct counted c;

	for (unsigned int state = 0; state < 16; state++) {
		init(&c, state);
		count(&c, FACT(ANY));
		for (unsigned int i = 0; i < SOCK_STATE_END - 1; i++)
			cr_assert_eq(value(&c, "sockstat_tcp_sockets", i), i + 1 == state,
				     "state %u", state);
		cr_assert_eq(sum(&c), state > 0 && state < SOCK_STATE_END, "state %u", state);
		done(&c);
	}
	for (unsigned int timer = 0; timer < 8; timer++) {
		init(&c, SOCK_ESTABLISHED);
		c.row.record.timer = (uint8_t)timer;
		count(&c, FACT(ANY));
		for (unsigned int i = 0; i < SOCK_TIMER_END - 1; i++)
			cr_assert_eq(value(&c, "sockstat_tcp_timer_sockets", i), i + 1 == timer,
				     "timer %u", timer);
		done(&c);
	}
	for (unsigned int ca_state = 0; ca_state < 8; ca_state++) {
		init(&c, SOCK_ESTABLISHED);
		test_record_add_tcp_info(&c.row, 280);
		test_record_set(&c.row, 1, 1, ca_state);
		count(&c, FACT(CONNECTION));
		for (unsigned int i = 0; i < 5; i++)
			cr_assert_eq(value(&c, "sockstat_tcp_congestion_sockets", i), i == ca_state,
				     "congestion state %u", ca_state);
		done(&c);
	}
}

/* A value that counts some rows only does not count the others. */
Test(aggregate_plan, facts)
{
	struct counted c;

	init(&c, SOCK_LISTEN);
	test_record_add_tcp_info(&c.row, 280);
	test_record_add_skmem(&c.row, 9);
	c.row.record.receive_queue = 5;
	c.row.record.send_queue = 6;
	c.row.skmem[SOCK_SKMEM_RMEM_ALLOC] = 7;
	c.row.record.algorithm = "cubic";
	count(&c, FACT(ANY));
	cr_assert_eq(value(&c, "sockstat_tcp_receive_queue_bytes", 0), 0);
	cr_assert_eq(value(&c, "sockstat_tcp_send_queue_bytes", 0), 0);
	cr_assert_eq(value(&c, "sockstat_tcp_congestion_sockets", 0), 0);
	cr_assert_eq(value(&c, "sockstat_tcp_congestion_algorithm_sockets", 0), 0);
	cr_assert_eq(value(&c, "sockstat_tcp_memory_bytes", 0), 7);
	count(&c, FACT(CONNECTION));
	cr_assert_eq(value(&c, "sockstat_tcp_receive_queue_bytes", 0), 5);
	cr_assert_eq(value(&c, "sockstat_tcp_send_queue_bytes", 0), 6);
	cr_assert_eq(value(&c, "sockstat_tcp_congestion_algorithm_sockets", 0), 1);
	cr_assert_eq(value(&c, "sockstat_tcp_memory_bytes", 0), 0);
	cr_assert_eq(value(&c, "sockstat_tcp_orphan_sockets", 0), 0);
	count(&c, FACT(ORPHAN));
	cr_assert_eq(value(&c, "sockstat_tcp_orphan_sockets", 0), 1);
	done(&c);
}

/* What the catalogue has off is not even a step. */
Test(aggregate_plan, core_profile)
{
	struct catalogue *core = core_catalogue(false);
	struct counted c;

	init(&c, SOCK_ESTABLISHED);
	test_record_add_tcp_info(&c.row, 280);
	test_record_add_skmem(&c.row, 9);
	c.row.record.algorithm = "cubic";
	aggregate_plan_make(&c.plan, core, POLL_FAMILY_TCP, &c.row.record);
	cr_assert_not(is_present(&c, "sockstat_tcp_timer_sockets"));
	cr_assert_not(is_present(&c, "sockstat_tcp_congestion_algorithm_sockets"));
	cr_assert(is_present(&c, "sockstat_tcp_rtt_seconds"));
	cr_assert_not(c.plan.counts_algorithms);
	/* state, two queues, five words of memory, RTT, window; opened, closed, unreported */
	cr_assert_eq(c.plan.count, 13);
	catalogue_unref(core);
	done(&c);
}
