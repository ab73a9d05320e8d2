/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/delta_plan.h"

#include <string.h>

#include "daemon/core/tcp_info.h"
#include "daemon/core/track.h"
#include "daemon/util/macros.h"
#include "tests/support/record_builder.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"

TEST_SUITE(delta_plan);

#define CELLS 4096

struct fixture {
	struct catalogue *catalogue;
	struct test_record row;
	struct delta_plan plan;
	uint8_t values[TRACK_VALUE_BYTES];
	uint64_t cells[CELLS];
};

static void init(struct fixture *f, bool extended, unsigned int tcp_info_len)
{
	memset(f, 0, sizeof(*f));
	f->catalogue = core_catalogue(extended);
	cr_assert_lt(f->catalogue->groups[POLL_FAMILY_TCP].cells, CELLS);
	test_record_init(&f->row, SOCK_ESTABLISHED, "10.0.0.1:40000", "10.0.0.2:80");
	test_record_add_tcp_info(&f->row, tcp_info_len);
	test_record_add_skmem(&f->row, 9);
	delta_plan_make(&f->plan, f->catalogue, &f->row.record);
}

static void done(struct fixture *f)
{
	catalogue_unref(f->catalogue);
}

/* What a family counted since the last call. */
static uint64_t grown(struct fixture *f, const char *family)
{
	uint64_t *cell = (uint64_t *)core_cells(f->catalogue, f->cells, family);
	uint64_t value = *cell;

	*cell = 0;
	return value;
}

static void set(struct fixture *f, const struct metric *m, uint64_t value)
{
	uint16_t half = (uint16_t)value;

	if (m->base == METRIC_BASE_SKMEM)
		f->row.skmem[m->offset / 4] = (uint32_t)value;
	else if (m->width == 2)
		memcpy(f->row.tcp_info + m->offset, &half, sizeof(half));
	else
		test_record_set(&f->row, m->offset, m->width, value);
}

static void run(struct fixture *f)
{
	delta_plan_run(&f->plan, &f->row.record, f->values, f->cells);
}

/* Each followed value by itself: it grows, stays, wraps around where it is narrow, and falls. */
Test(delta_plan, growth)
{
	struct fixture f;

	for (unsigned int i = 0; i < metric_count; i++) {
		const struct metric *m = &metrics[i];
		uint64_t largest = m->width == 2   ? UINT16_MAX
				   : m->width == 4 ? UINT32_MAX
						   : UINT64_MAX;

		if (m->combine != METRIC_DELTA || m->derive != METRIC_DERIVE_NOTHING)
			continue;
		init(&f, true, 280);
		set(&f, m, 1000);
		run(&f);
		cr_assert_eq(grown(&f, m->name), 1000, "%s", m->name);
		run(&f);
		cr_assert_eq(grown(&f, m->name), 0, "%s", m->name);
		set(&f, m, 900);
		run(&f);
		cr_assert_eq(grown(&f, m->name), 0, "%s", m->name);
		set(&f, m, largest / 2);
		run(&f);
		grown(&f, m->name);
		set(&f, m, largest - 4);
		run(&f);
		cr_assert_eq(grown(&f, m->name), largest - 4 - largest / 2, "%s", m->name);
		set(&f, m, 5);
		run(&f);
		cr_assert_eq(grown(&f, m->name), m->width < 8 ? 10 : 0, "%s", m->name);
		done(&f);
	}
}

Test(delta_plan, baseline)
{
	struct fixture f;

	init(&f, true, 280);
	for (unsigned int i = 0; i < metric_count; i++)
		if (metrics[i].combine == METRIC_DELTA)
			set(&f, &metrics[i], 5000);
	delta_plan_take(&f.plan, &f.row.record, f.values);
	run(&f);
	for (unsigned int i = 0; i < metric_count; i++)
		if (metrics[i].combine == METRIC_DELTA)
			cr_assert_eq(grown(&f, metrics[i].name), 0, "%s", metrics[i].name);
	done(&f);
}

/* What is off is followed all the same, and counted nowhere. */
Test(delta_plan, a_family_that_is_off)
{
	struct catalogue *extended = core_catalogue(true);
	struct fixture f;

	init(&f, false, 280);
	test_record_set(&f.row, TCP_INFO_BYTES_RETRANS, 8, 77);
	test_record_set(&f.row, TCP_INFO_BYTES_SENT, 8, 100);
	run(&f);
	cr_assert_eq(grown(&f, "sockstat_tcp_sent_bytes_total"), 100);
	f.cells[f.catalogue->groups[POLL_FAMILY_TCP].spare_cell] = 0;
	for (unsigned int i = 0; i < CELLS; i++)
		cr_assert_eq(f.cells[i], 0, "cell %u", i);
	done(&f);
	f.catalogue = extended;
	delta_plan_make(&f.plan, extended, &f.row.record);
	test_record_set(&f.row, TCP_INFO_BYTES_RETRANS, 8, 80);
	run(&f);
	cr_assert_eq(grown(&f, "sockstat_tcp_retransmitted_bytes_total"), 3);
	done(&f);
}

Test(delta_plan, presence)
{
	struct fixture f;

	for (unsigned int i = 0; i < metric_count; i++) {
		const struct metric *m = &metrics[i];

		if (!metric_is_followed(m) || m->base != METRIC_BASE_TCP_INFO)
			continue;
		init(&f, true, metric_source_end(m));
		cr_assert(delta_plan_has(&f.plan, f.catalogue->slot[i]), "%s", m->name);
		done(&f);
		init(&f, true, metric_source_end(m) - 1);
		cr_assert_not(delta_plan_has(&f.plan, f.catalogue->slot[i]), "%s", m->name);
		done(&f);
	}
}

/* One slot for each value, none over another, all inside a record, and the same in any catalogue.
 */
Test(delta_plan, slots)
{
	struct catalogue *a = core_catalogue(true), *b = core_catalogue(false);
	unsigned int owners[TRACK_VALUE_BYTES] = {0};

	for (unsigned int i = 0; i < metric_count; i++) {
		const struct metric *m = &metrics[i];
		unsigned int key = (unsigned int)m->base << 20 | (unsigned int)m->derive << 16 |
				   (m->offset + 1U);

		if (!metric_is_followed(m))
			continue;
		cr_assert_eq(a->slot[i], b->slot[i], "%s", m->name);
		for (unsigned int j = 0; j < (m->width == 8 ? 8 : 4); j++) {
			unsigned int at = a->slot[i] + j;

			cr_assert_lt(at, TRACK_VALUE_BYTES, "%s", m->name);
			cr_assert(owners[at] == 0 || owners[at] == key, "%s", m->name);
			owners[at] = key;
		}
	}
	cr_assert_eq(catalogue_slot(a, TCP_INFO_BYTES_SENT),
		     a->slot[core_metric("sockstat_tcp_sent_bytes_total")]);
	cr_assert_eq(catalogue_slot(a, 0), TRACK_VALUE_BYTES);
	catalogue_unref(a);
	catalogue_unref(b);
}

/* Each pulse alone is news; what only changes with one of them is not. */
Test(delta_plan, news)
{
	struct fixture f;
	unsigned int pulses = 0;

	init(&f, true, 280);
	run(&f);
	cr_assert_not(delta_plan_is_news(&f.plan, &f.row.record, f.values));
	for (unsigned int i = 0; i < metric_count; i++) {
		if (!metrics[i].is_pulse)
			continue;
		pulses++;
		set(&f, &metrics[i], 1);
		cr_assert(delta_plan_is_news(&f.plan, &f.row.record, f.values), "%s",
			  metrics[i].name);
		run(&f);
		cr_assert_not(delta_plan_is_news(&f.plan, &f.row.record, f.values), "%s",
			      metrics[i].name);
	}
	cr_assert_eq(pulses, 4);
	done(&f);
	init(&f, true, 104);
	f.row.record.skmem_len = 32;
	delta_plan_make(&f.plan, f.catalogue, &f.row.record);
	cr_assert(delta_plan_is_news(&f.plan, &f.row.record, f.values), "a kernel without any");
	done(&f);
}

Test(delta_plan, replay)
{
	uint8_t info[280] = {0};
	struct fixture f;

	init(&f, true, 280);
	for (unsigned int i = 0; i < 280; i += 4)
		test_record_set(&f.row, i, 4, i * 3 + 1);
	run(&f);
	delta_plan_replay(&f.plan, f.values, info);
	for (unsigned int i = 0; i < metric_count; i++) {
		const struct metric *m = &metrics[i];

		if (metric_is_followed(m) && m->base == METRIC_BASE_TCP_INFO &&
		    m->derive == METRIC_DERIVE_NOTHING)
			cr_assert_eq(memcmp(info + m->offset, f.row.tcp_info + m->offset, m->width),
				     0, "%s", m->name);
	}
	cr_assert_eq(sock_load_u32(info, 0), 0, "the rest is as it was");
	done(&f);
}

/* What the kernel says of 1000 bytes from the client and 500 from the server, by who closes how. */
Test(delta_plan, acked)
{
	static const struct {
		const char *name;
		uint64_t acked, sent, again, expected;
	} cases[] = {
		{"client, SYN and FIN", 1002, 1000, 0, 1000},
		{"server, FIN", 501, 500, 0, 500},
		{"server, no FIN", 500, 500, 0, 500},
		{"with retransmits", 1002, 1700, 700, 1000},
		{"half of it on its way", 501, 1000, 0, 501},
		{"nothing yet but the SYN", 1, 0, 0, 0},
		{"aborted", 0, 0, 0, 0},
	};
	struct fixture f;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		init(&f, true, 280);
		test_record_set(&f.row, TCP_INFO_BYTES_ACKED, 8, cases[i].acked);
		test_record_set(&f.row, TCP_INFO_BYTES_SENT, 8, cases[i].sent);
		test_record_set(&f.row, TCP_INFO_BYTES_RETRANS, 8, cases[i].again);
		run(&f);
		cr_assert_eq(grown(&f, "sockstat_tcp_acked_bytes_total"), cases[i].expected, "%s",
			     cases[i].name);
		done(&f);
	}
}
