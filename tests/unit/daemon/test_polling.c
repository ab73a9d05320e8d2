/* SPDX-License-Identifier: Apache-2.0 */
/* Both lanes on the real kernel, in a namespace where nobody else makes sockets. */
#include "daemon/polling.h"

#include <fcntl.h>

#include "daemon/core/self_values.h"
#include "daemon/settings.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/collectors/own_namespace.h"

TEST_SUITE(polling);

struct fixture {
	struct loop loop;
	struct config *config;
	struct catalogue *catalogue;
	struct snapshot_exchange exchange;
	struct self_values self;
	struct polling polling;
	unsigned int well[LANE_END];
};

static void on_cycle(struct polling *p, enum lane lane, bool well)
{
	container_of(p, struct fixture, polling)->well[lane] += well;
}

static void fixture_init(struct fixture *f)
{
	*f = (struct fixture){.loop = LOOP_INIT, .exchange = SNAPSHOT_EXCHANGE_INIT};
	f->config = config_new();
	cr_assert_eq(settings_make_catalogue(f->config, false, &f->catalogue), 0);
	cr_assert_eq(loop_init(&f->loop), 0);
	cr_assert_eq(polling_init(&f->polling,
				  &(struct polling_settings){
					  .loop = &f->loop,
					  .procfs = "/proc",
					  .config = f->config,
					  .catalogue = f->catalogue,
					  .exchange = &f->exchange,
					  .self = &f->self,
					  .ended = on_cycle,
				  }),
		     0);
}

static void fixture_done(struct fixture *f)
{
	polling_done(&f->polling);
	loop_done(&f->loop);
	snapshot_exchange_done(&f->exchange);
	catalogue_unref(f->catalogue);
	config_free(f->config);
}

/* One more good poll of a lane. */
static void poll_lane(struct fixture *f, enum lane lane)
{
	unsigned int before = f->well[lane];

	polling_start(&f->polling, lane);
	while (f->well[lane] == before)
		cr_assert_geq(loop_turn(&f->loop, -1), 0);
}

Test(polling, each_lane_publishes_its_part)
{
	static struct fixture f;
	struct snapshot *s;

	if (!own_namespace_enter())
		return;
	fixture_init(&f);
	cr_assert_null(snapshot_take(&f.exchange));
	poll_lane(&f, LANE_LISTENERS);
	s = snapshot_take(&f.exchange);
	cr_assert(s->parts.listeners);
	cr_assert_null(s->parts.sockets[POLL_FAMILY_TCP]);
	cr_assert_gt(s->parts.listeners->age.taken_ns, 0);
	cr_assert_eq(s->parts.listeners->slow_age.taken_ns, 0);
	snapshot_unref(s);
	poll_lane(&f, LANE_SOCKETS);
	s = snapshot_take(&f.exchange);
	cr_assert(s->parts.sockets[POLL_FAMILY_TCP]);
	cr_assert_gt(s->parts.listeners->slow_age.taken_ns, 0);
	snapshot_unref(s);
	fixture_done(&f);
}

/* A reload that cannot be finished has not happened, also for the poll under way. */
Test(polling, discard)
{
	static const uint16_t ports[] = {1};
	static struct fixture f;
	struct catalogue *catalogue;
	struct config *other;
	uint32_t groups;

	if (!own_namespace_enter())
		return;
	other = config_new();
	other->metrics.profile = CONFIG_PROFILE_EXTENDED;
	other->ports.server.items = (uint16_t *)(uintptr_t)ports;
	other->ports.server.count = 1;
	cr_assert_eq(settings_make_catalogue(other, false, &catalogue), 0);
	fixture_init(&f);
	poll_lane(&f, LANE_LISTENERS);
	poll_lane(&f, LANE_SOCKETS);
	groups = f.polling.aggregate.groups.count;
	polling_start(&f.polling, LANE_SOCKETS);
	cr_assert_eq(polling_prepare(&f.polling, other, catalogue), 0);
	polling_discard(&f.polling);
	cr_assert_eq(f.polling.config, f.config);
	cr_assert_eq(f.polling.catalogue, f.catalogue);
	while (f.well[LANE_SOCKETS] < 2)
		cr_assert_geq(loop_turn(&f.loop, -1), 0);
	poll_lane(&f, LANE_SOCKETS);
	cr_assert_eq(f.polling.aggregate.groups.count, groups);
	cr_assert_eq(f.polling.aggregate.groups.catalogue, f.catalogue);

	cr_assert_eq(polling_prepare(&f.polling, other, catalogue), 0);
	polling_apply(&f.polling, other, catalogue);
	poll_lane(&f, LANE_LISTENERS);
	poll_lane(&f, LANE_SOCKETS);
	cr_assert_eq(f.polling.aggregate.groups.catalogue, catalogue);
	cr_assert_eq(f.polling.aggregate.groups.count, groups + 1, "the configured port");
	fixture_done(&f);
	catalogue_unref(catalogue);
	other->ports.server.items = NULL;
	other->ports.server.count = 0;
	config_free(other);
}

/* What fails before polling_init() ends in polling_done() as well, and must not close what is not
 * ours. */
Test(polling, done_without_init)
{
	static struct polling p;
	int before = fcntl(STDIN_FILENO, F_GETFD);

	polling_done(&p);
	cr_assert_eq(fcntl(STDIN_FILENO, F_GETFD), before);
}
