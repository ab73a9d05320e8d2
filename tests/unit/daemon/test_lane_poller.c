/* SPDX-License-Identifier: Apache-2.0 */
/* A lane on the real kernel: any namespace will do, as a dump without rows ends well, too. */
#include "daemon/lane_poller.h"

#include "daemon/core/self_values.h"
#include "daemon/cpu_meter.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"
#include "tests/support/test_support.h"

TEST_SUITE(lane_poller);

/* So small a limit that any poll stretches the interval to its maximum. */
#define NO_CPU      1e-9
#define INTERVAL_NS (20 * NSEC_PER_MSEC)
#define MAX_NS      (200 * NSEC_PER_MSEC)

struct fixture {
	struct loop loop;
	struct lane_poller poller;
	struct sock_batch batch;
	struct source sources[POLL_FAMILY_END];
	struct cpu_meter meter;
	struct self_values self;
	enum poll_failure rows, commit, publish; /* what the owner answers */
	unsigned int begun, published, ended, well;
	uint64_t interval_at_publish_ns;
};

static const struct filter_request *begin(void *userdata, enum poll_family family,
					  enum poll_source source)
{
	(void)family;
	(void)source;
	((struct fixture *)userdata)->begun++;
	return NULL;
}

static enum poll_failure rows(void *userdata, enum poll_family family,
			      const struct sock_batch *batch)
{
	(void)family;
	(void)batch;
	return ((struct fixture *)userdata)->rows;
}

static enum poll_failure commit(void *userdata, enum poll_family family)
{
	(void)family;
	return ((struct fixture *)userdata)->commit;
}

static enum poll_failure publish(void *userdata)
{
	struct fixture *f = userdata;

	f->published++;
	f->interval_at_publish_ns = f->poller.pace.current_ns;
	return f->publish;
}

static void ended(void *userdata, bool well)
{
	struct fixture *f = userdata;

	f->ended++;
	f->well += well;
}

static const struct walk_ops walk_ops = {begin, rows, commit, NULL};
static const struct lane_walk walk = {
	.query = {POLL_FAMILY_TCP, SOCK_STATE_BIT(SOCK_LISTEN), 0},
	.ops = &walk_ops,
};
static const struct lane_ops ops = {publish, ended};

static void fixture_init(struct fixture *f)
{
	const struct lane_settings settings = {
		.lane = LANE_SOCKETS,
		.walks = &walk,
		.walk_count = 1,
		.ops = &ops,
		.userdata = f,
		.procfs = "/proc",
		.sources = f->sources,
		.batch = &f->batch,
		.meter = &f->meter,
		.self = &f->self,
	};

	*f = (struct fixture){.loop = LOOP_INIT, .poller = LANE_POLLER_INIT};
	cr_assert_eq(loop_init(&f->loop), 0);
	cr_assert_eq(lane_poller_init(&f->poller, &f->loop, &settings), 0);
}

static void fixture_done(struct fixture *f)
{
	lane_poller_done(&f->poller);
	loop_done(&f->loop);
}

/* Starts, and turns until so many cycles have ended. */
static void run(struct fixture *f, double cpu_limit, bool may_skip, unsigned int cycles)
{
	struct lane_pace pace;

	lane_pace_init(&pace, INTERVAL_NS, MAX_NS, cpu_limit, may_skip);
	lane_poller_start(&f->poller, &pace);
	while (f->ended < cycles)
		cr_assert_geq(loop_turn(&f->loop, -1), 0);
}

Test(lane_poller, good)
{
	static struct fixture f;

	fixture_init(&f);
	run(&f, 1, false, 3);
	cr_assert_eq(f.well, 3);
	cr_assert_eq(f.published, 3);
	cr_assert_eq(f.self.polls[LANE_SOCKETS], 3);
	cr_assert_eq(f.self.poll_success[LANE_SOCKETS], 1);
	cr_assert_gt(f.self.poll_cpu_ns[LANE_SOCKETS], 0);
	cr_assert_eq(f.self.polls[LANE_LISTENERS], 0);
	fixture_done(&f);
}

/* A snapshot's age is measured by the interval that comes after it. */
Test(lane_poller, stretched_before_it_publishes)
{
	static struct fixture f;

	fixture_init(&f);
	run(&f, NO_CPU, false, 1);
	cr_assert_eq(f.interval_at_publish_ns, MAX_NS);
	cr_assert_eq(f.self.poll_interval_ns[LANE_SOCKETS], MAX_NS);
	fixture_done(&f);
}

/* Each way to fail is counted, publishes nothing, and costs like a poll that ends well. */
Test(lane_poller, bad)
{
	static const struct {
		const char *name;
		enum poll_failure rows, commit, publish;
	} cases[] = {
		{"rows", POLL_FAILURE_MEMORY, 0, 0},
		{"commit", 0, POLL_FAILURE_MEMORY, 0},
		{"publish", 0, 0, POLL_FAILURE_MEMORY},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		static struct fixture f;
		const char *name = cases[i].name;

		fixture_init(&f);
		f.rows = cases[i].rows;
		f.commit = cases[i].commit;
		f.publish = cases[i].publish;
		run(&f, NO_CPU, false, 2);
		cr_assert_eq(f.well, 0, "%s", name);
		cr_assert_eq(f.self.polls[LANE_SOCKETS], 0, "%s", name);
		cr_assert_eq(f.self.poll_success[LANE_SOCKETS], 0, "%s", name);
		cr_assert_eq(f.self.poll_failures[LANE_SOCKETS][POLL_FAILURE_MEMORY - 1], 2, "%s",
			     name);
		cr_assert_eq(f.published, cases[i].publish ? 2 : 0, "%s", name);
		cr_assert_eq(f.self.poll_interval_ns[LANE_SOCKETS], MAX_NS, "%s", name);
		fixture_done(&f);
	}
}

/* Beyond its maximum a lane rests: ticks come, are counted, and make no poll. */
Test(lane_poller, skips)
{
	static struct fixture f;

	fixture_init(&f);
	run(&f, NO_CPU, true, 1);
	while (f.self.polls_skipped[LANE_SOCKETS] < 2)
		cr_assert_geq(loop_turn(&f.loop, -1), 0);
	cr_assert_eq(f.begun, 1);
	fixture_done(&f);
}

/* Starting anew cancels what is under way, without an end and without a failure. */
Test(lane_poller, starts_anew)
{
	static struct fixture f;
	struct lane_pace pace;

	fixture_init(&f);
	lane_pace_init(&pace, INTERVAL_NS, MAX_NS, 1, false);
	for (int i = 0; i < 5; i++)
		lane_poller_start(&f.poller, &pace);
	cr_assert_eq(f.begun, 5);
	cr_assert_eq(f.ended, 0);
	while (f.ended < 1)
		cr_assert_geq(loop_turn(&f.loop, -1), 0);
	cr_assert_eq(f.well, 1);
	fixture_done(&f);
}
