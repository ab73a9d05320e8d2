/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random schedules of open, send, close, abort, poll, lost event and reload. Whatever happens no
 * counter falls, and none is above the truth; where nothing was lost, all equal it.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"
#include "tests/unit/core/kernel_model.h"

TEST_SUITE(connections_random);

#define SCHEDULES 1000
#define FIELDS    (sizeof(struct model_totals) / sizeof(uint64_t))

static const uint64_t *fields(const struct model_totals *t)
{
	return (const uint64_t *)t;
}

static void assert_not_above(const struct model_totals *low, const struct model_totals *high,
			     uint64_t seed, const char *what)
{
	for (unsigned int i = 0; i < FIELDS; i++)
		cr_assert_leq(fields(low)[i], fields(high)[i], "schedule %lu: field %u: %s", seed,
			      i, what);
}

static void assert_truth(const struct model *m, uint64_t seed)
{
	struct model_totals counted = model_counted(m);
	bool is_exact = m->has_events && m->lost == 0 && !m->allows_abort && !m->allows_reconnect &&
			!m->changes_limit;

	assert_not_above(&counted, &m->truth, seed, "counted twice");
	if (!m->changes_limit)
		cr_assert_eq(counted.opened, counted.closed, "schedule %lu: all have closed", seed);
	if (is_exact)
		assert_not_above(&m->truth, &counted, seed, "not counted");
}

/* A reload: more or less room. */
static void change_limit(struct model *m)
{
	if (!m->changes_limit || core_random(&m->random, 6) > 0)
		return;
	connections_limit(&m->a.aggregate.connections,
			  2 + core_random(&m->random, MODEL_SOCKETS + 6));
}

static void run(struct model *m, uint64_t seed)
{
	struct model_totals before, after = {0};

	model_init(m, seed);
	m->allows_abort = seed % 2;
	m->allows_reconnect = seed / 2 % 2;
	m->allows_loss = seed / 4 % 2;
	m->has_events = seed / 8 % 4 > 0;
	m->changes_limit = seed / 32 % 2;
	m->a.aggregate.connections.expects_events = m->has_events;
	/* Nothing is there before the first poll, so nothing is a baseline. */
	aggregates_begin(&m->a);
	aggregates_commit(&m->a);
	for (unsigned int i = 0; i < 30; i++) {
		for (unsigned int n = core_random(&m->random, 20); n > 0; n--)
			model_act(m);
		change_limit(m);
		model_poll(m, true);
		before = after;
		after = model_counted(m);
		assert_not_above(&before, &after, seed, "has fallen");
	}
	model_end(m);
	assert_truth(m, seed);
	model_done(m);
}

Test(connections_random, counters)
{
	struct model *m = calloc(1, sizeof(*m));

	cr_assert(m);
	for (uint64_t seed = 1; seed <= SCHEDULES; seed++)
		run(m, seed);
	free(m);
}
