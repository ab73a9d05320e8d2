/* SPDX-License-Identifier: Apache-2.0 */
/* The series of one listener by themselves: what goes over to another catalogue, what is extreme.
 */
#include "daemon/core/listener_series.h"

#include <string.h>

#include "daemon/util/macros.h"
#include "daemon/util/units.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"

TEST_SUITE(listener_series);

#define FAMILY "sockstat_listener_accept_queue_fill_ratio"

static const struct listener_poll first_poll = {
	.now_ns = 1000 * NSEC_PER_SEC,
	.realtime_ms = 1700000000000,
	.interval_ns = 100 * NSEC_PER_MSEC,
};

static struct listener_series *new_series(const struct catalogue *c)
{
	struct listener_series *s =
		listener_series_new(c, "[fe80::1]%dev3", "65535", NSEC_PER_SEC, first_poll.now_ns);

	cr_assert(s);
	return s;
}

static void observe(struct listener_series *s, const struct catalogue *c,
		    const struct listener_share *share)
{
	listener_series_begin_poll(s);
	listener_series_add(s, c, share);
	listener_series_end_poll(s, &first_poll, 0, true);
}

Test(listener_series, labels)
{
	struct catalogue *c = core_catalogue(true);
	struct listener_series *s = new_series(c);

	cr_assert_str_eq(s->address, "[fe80::1]%dev3");
	cr_assert_str_eq(s->port, "65535");
	listener_series_free(s);
	listener_series_free(NULL);
	catalogue_unref(c);
}

/* Before its first good poll nothing is known but that it is there. */
Test(listener_series, nothing_known)
{
	struct catalogue *c = core_catalogue(true);
	struct listener_series *s = new_series(c);
	const uint64_t values[] = {
		s->values.length,
		s->values.limit,
		s->values.peak,
		s->values.peak_ratio_nano,
		s->values.drops,
		s->values.stray_drops,
		s->values.sk_drops,
		s->values.last_drop_ms,
		s->values.syn_queue,
		s->values.syn_queue_retransmitting,
		s->values.unaccepted_oldest_ms,
		s->values.unaccepted_closed,
		s->values.unaccepted_reset,
	};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		cr_assert_eq(values[i], METRIC_ABSENT, "value %zu", i);
	cr_assert_eq(s->values.info, 1);
	listener_series_free(s);
	catalogue_unref(c);
}

/* The largest numbers that a row can hold. */
Test(listener_series, extremes)
{
	static const struct {
		const char *name;
		struct listener_share share;
		uint64_t ratio_nano;
	} cases[] = {
		{"empty", {.length = 0, .limit = UINT32_MAX, .has_limit = true}, 0},
		{"no backlog", {.length = 1, .limit = 0, .has_limit = true}, NSEC_PER_SEC},
		{"long",
		 {.length = UINT32_MAX, .limit = 0, .has_limit = true},
		 UINT32_MAX * NSEC_PER_SEC},
		{"both",
		 {.length = UINT32_MAX, .limit = UINT32_MAX - 1, .has_limit = true},
		 NSEC_PER_SEC},
	};
	struct catalogue *c = core_catalogue(true);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct listener_series *s = new_series(c);

		observe(s, c, &cases[i].share);
		cr_assert_eq(s->values.length, cases[i].share.length, "%s", cases[i].name);
		cr_assert_eq(s->values.limit, cases[i].share.limit, "%s", cases[i].name);
		cr_assert_eq(s->values.peak_ratio_nano, cases[i].ratio_nano, "%s", cases[i].name);
		listener_series_free(s);
	}
	catalogue_unref(c);
}

/* The histogram is not even counted where the catalogue has it off. */
Test(listener_series, core_profile)
{
	struct catalogue *c = core_catalogue(false);
	struct listener_series *s = new_series(c);

	cr_assert_eq(c->listener_cells, 0);
	observe(s, c, &(const struct listener_share){.length = 1, .limit = 3, .has_limit = true});
	cr_assert_eq(s->cells[0], 0);
	listener_series_free(s);
	catalogue_unref(c);
}

Test(listener_series, carry)
{
	struct catalogue *core = core_catalogue(false), *from = core_catalogue(true),
			 *to = core_catalogue(true);
	struct listener_series *s = new_series(from);
	static const struct listener_share share = {
		.length = 1, .limit = 3, .has_limit = true, .has_drops = true};

	observe(s, from, &share);
	cr_assert_eq(listener_series_prepare(s, to), 0);
	cr_assert_eq(core_observations(from, s->cells, FAMILY), 1, "nothing has happened yet");
	cr_assert_eq(listener_series_prepare(s, NULL), 0);
	cr_assert_null(s->next_cells);
	cr_assert_eq(core_observations(from, s->cells, FAMILY), 1, "and then it does not");

	cr_assert_eq(listener_series_prepare(s, to), 0);
	listener_series_carry(s, from, to);
	observe(s, to, &share);
	cr_assert_eq(core_observations(to, s->cells, FAMILY), 2);
	cr_assert_eq(listener_series_prepare(s, core), 0);
	listener_series_carry(s, to, core);
	cr_assert_eq(s->values.drops, 0, "values stay");
	cr_assert_eq(s->values.peak, 1);
	listener_series_free(s);
	catalogue_unref(core);
	catalogue_unref(from);
	catalogue_unref(to);
}

/* The first poll is its birth, whatever becomes of the clock. */
Test(listener_series, birth)
{
	struct catalogue *c = core_catalogue(true);
	struct listener_series *s = new_series(c);
	struct listener_poll later = first_poll;

	cr_assert_eq(s->born_ms, 0);
	observe(s, c, &(const struct listener_share){1, 2, 0, true, true});
	cr_assert_eq(s->born_ms, first_poll.realtime_ms);
	later.realtime_ms -= 1000;
	listener_series_begin_poll(s);
	listener_series_end_poll(s, &later, 0, true);
	cr_assert_eq(s->born_ms, first_poll.realtime_ms);
	listener_series_free(s);
	catalogue_unref(c);
}
