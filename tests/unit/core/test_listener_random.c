/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listeners that come and go, drop and are probed at random, seen by polls of which some fail and
 * some cannot read ListenDrops. Beside them a model counts by socket what was dropped at all.
 */
#include <string.h>

#include "daemon/core/listener_dump.h"
#include "daemon/core/listener_poll.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"
#include "tests/unit/core/listener_lane.h"

TEST_SUITE(listener_random);

#define FILL_RATIO "sockstat_listener_accept_queue_fill_ratio"
#define SOCKETS    24
#define SERIES     16

static const char *const locals[] = {
	"0.0.0.0:80", "*:80", "[::]:81", "10.0.0.1:80", "*:443", "127.0.0.1%3:53", "[::1]:80",
};

struct model_socket {
	bool is_open, is_known; /* the last good poll has shown it */
	struct lane_row row;
	uint32_t seen_drops; /* by that poll */
	uint64_t waiting;    /* what fell since ListenDrops were read */
};

struct model {
	struct listener_lane lane;
	struct model_socket sockets[SOCKETS];
	uint64_t random;
	uint64_t cookie;
	uint64_t fell;         /* as far as it was to be split */
	uint64_t listen_drops; /* since the first good poll */
	uint64_t observations;
	struct lane_row rows[SOCKETS];
	size_t count;
	/* What was exported at the last look. */
	struct listener_series before[SERIES];
	uint64_t cells_before[SERIES][16];
	size_t before_count;
};

static void open_or_close(struct model *m, struct model_socket *s)
{
	if (s->is_open) {
		s->is_open = false;
		return;
	}
	*s = (struct model_socket){.is_open = true};
	s->row.local = locals[core_random(&m->random, ARRAY_SIZE(locals))];
	s->row.cookie = ++m->cookie;
	s->row.limit = core_random(&m->random, 4);
}

static void live(struct model *m)
{
	for (size_t i = 0; i < SOCKETS; i++) {
		struct model_socket *s = &m->sockets[i];
		uint32_t drops = core_random(&m->random, 4);

		if (core_random(&m->random, 8) == 0)
			open_or_close(m, s);
		if (!s->is_open)
			continue;
		s->row.length = core_random(&m->random, 6);
		if (core_random(&m->random, 3) > 0)
			continue;
		s->row.drops += drops;
		if (core_random(&m->random, 2))
			m->lane.listen_drops += drops;
	}
	m->lane.now_ns += core_random(&m->random, 20) * NSEC_PER_SEC;
}

static void collect_rows(struct model *m)
{
	m->count = 0;
	for (size_t i = 0; i < SOCKETS; i++)
		if (m->sockets[i].is_open)
			m->rows[m->count++] = m->sockets[i].row;
}

/* What a good poll is to make of it. */
static void take_over(struct model *m, bool is_first)
{
	for (size_t i = 0; i < SOCKETS; i++) {
		struct model_socket *s = &m->sockets[i];

		s->is_known &= s->is_open;
		if (!s->is_open)
			continue;
		if (!is_first)
			s->waiting += s->row.drops - (s->is_known ? s->seen_drops : 0);
		s->is_known = true;
		s->seen_drops = s->row.drops;
		if (!m->lane.is_blind) {
			m->fell += s->waiting;
			s->waiting = 0;
		}
	}
	m->observations += m->count;
}

static void remember(struct model *m)
{
	const struct listener_table *t = &m->lane.table;

	m->before_count = t->series_count;
	cr_assert_leq(m->before_count, SERIES);
	for (size_t i = 0; i < m->before_count; i++) {
		m->before[i] = *t->series[i];
		memcpy(m->cells_before[i], t->series[i]->cells,
		       m->lane.catalogue->listener_cells * sizeof(uint64_t));
	}
}

static void assert_rises(const char *what, uint64_t before, uint64_t after, int step)
{
	cr_assert(before == METRIC_ABSENT || (after != METRIC_ABSENT && after >= before),
		  "step %d: %s from %llu to %llu", step, what, (unsigned long long)before,
		  (unsigned long long)after);
}

static void assert_nothing_falls(struct model *m, int step)
{
	for (size_t i = 0; i < m->before_count; i++) {
		const struct listener_series *b = &m->before[i];
		const struct listener_series *s = lane_series(&m->lane, b->address, b->port);

		if (!s)
			continue;
		assert_rises("drops", b->values.drops, s->values.drops, step);
		assert_rises("strays", b->values.stray_drops, s->values.stray_drops, step);
		assert_rises("full", b->values.full_ns, s->values.full_ns, step);
		assert_rises("last drop", b->values.last_drop_ms, s->values.last_drop_ms, step);
		for (size_t j = 0; j < m->lane.catalogue->listener_cells; j++)
			assert_rises("bucket", m->cells_before[i][j], s->cells[j], step);
	}
}

static void assert_nothing_changed(struct model *m, int step)
{
	const struct listener_table *t = &m->lane.table;

	cr_assert_eq(t->series_count, m->before_count, "step %d", step);
	for (size_t i = 0; i < m->before_count; i++) {
		cr_assert_eq(memcmp(&t->series[i]->values, &m->before[i].values,
				    sizeof(m->before[i].values)),
			     0, "step %d", step);
		cr_assert_eq(memcmp(t->series[i]->cells, m->cells_before[i],
				    m->lane.catalogue->listener_cells * sizeof(uint64_t)),
			     0, "step %d", step);
	}
}

/* No series leave in this time, so their sums are all that there was. */
static void assert_sums(const struct model *m, int step)
{
	const struct listener_table *t = &m->lane.table;
	uint64_t drops = 0, strays = 0, sockets = 0, observations = 0;

	for (uint32_t i = 0; i < t->series_count; i++) {
		const struct listener_series *s = t->series[i];

		drops += s->values.drops == METRIC_ABSENT ? 0 : s->values.drops;
		strays += s->values.stray_drops == METRIC_ABSENT ? 0 : s->values.stray_drops;
		sockets += s->values.sockets;
		observations += core_observations(m->lane.catalogue, s->cells, FILL_RATIO);
	}
	cr_assert_eq(sockets, m->count, "step %d", step);
	cr_assert_eq(observations, m->observations, "step %d", step);
	cr_assert_eq(drops + strays, m->fell, "step %d: %d + %d of %d", step, (int)drops,
		     (int)strays, (int)m->fell);
	cr_assert_leq(drops, m->lane.listen_drops - m->listen_drops, "step %d", step);
}

static void run(uint64_t seed, uint32_t cap)
{
	static struct model m;

	m = (struct model){.random = seed};
	lane_init(&m.lane, cap);
	m.listen_drops = m.lane.listen_drops;
	for (int step = 0; step < 400; step++) {
		live(&m);
		collect_rows(&m);
		remember(&m);
		m.lane.is_blind = step > 0 && core_random(&m.random, 5) == 0;
		if (step > 0 && core_random(&m.random, 4) == 0) {
			lane_fail(&m.lane, m.rows, core_random(&m.random, SOCKETS) % (m.count + 1));
			assert_nothing_changed(&m, step);
			continue;
		}
		lane_poll(&m.lane, m.rows, m.count);
		take_over(&m, step == 0);
		assert_nothing_falls(&m, step);
		assert_sums(&m, step);
	}
	lane_done(&m.lane);
}

Test(listener_random, nothing_is_lost)
{
	for (uint64_t seed = 1; seed <= 20; seed++)
		run(seed, 100);
}

Test(listener_random, nothing_is_lost_when_folded)
{
	for (uint64_t seed = 1; seed <= 20; seed++)
		run(seed, (uint32_t)seed % 5);
}
