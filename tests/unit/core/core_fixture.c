/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/core/core_fixture.h"

#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

static const double rtt[] = {0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005,
			     0.01,    0.02,   0.05,   0.1,    0.2,   0.5,   1};
static const double cwnd[] = {1, 2, 4, 8, 10, 16, 32, 64, 128, 256, 512, 1024};
static const double delivery_rate[] = {1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10};
static const double closed_bytes[] = {0, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
static const double fill_ratio[] = {0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1};

static struct catalogue *make(bool extended, bool native, const double *rtt_bounds,
			      unsigned int rtt_count, const struct class_names *names)
{
	const struct catalogue_settings settings = {
		.extended = extended,
		.counts = true,
		.native = native,
		.names = *names,
		.buckets =
			{
				[METRIC_BUCKETS_RTT] = {rtt_bounds, rtt_count},
				[METRIC_BUCKETS_CWND] = {cwnd, ARRAY_SIZE(cwnd)},
				[METRIC_BUCKETS_DELIVERY_RATE] = {delivery_rate,
								  ARRAY_SIZE(delivery_rate)},
				[METRIC_BUCKETS_FILL_RATIO] = {fill_ratio, ARRAY_SIZE(fill_ratio)},
				[METRIC_BUCKETS_CLOSED_BYTES] = {closed_bytes,
								 ARRAY_SIZE(closed_bytes)},
			},
	};
	struct catalogue *c;

	cr_assert_eq(catalogue_new(&settings, &c), 0);
	return c;
}

struct catalogue *core_catalogue_with_rtt(bool extended, const double *bounds, unsigned int count)
{
	return make(extended, false, bounds, count, &(const struct class_names){0});
}

struct catalogue *core_catalogue_with_names(bool extended, const char **views, const char **peers)
{
	return make(extended, false, rtt, ARRAY_SIZE(rtt),
		    &(const struct class_names){views, peers});
}

struct catalogue *core_catalogue_native(bool extended)
{
	return make(extended, true, rtt, ARRAY_SIZE(rtt), &(const struct class_names){0});
}

struct catalogue *core_catalogue(bool extended)
{
	return core_catalogue_with_rtt(extended, rtt, ARRAY_SIZE(rtt));
}

unsigned int core_metric(const char *name)
{
	for (unsigned int i = 0; i < metric_count; i++)
		if (strcmp(metrics[i].name, name) == 0)
			return i;
	cr_assert_fail("no family %s", name);
	return 0;
}

const uint64_t *core_cells(const struct catalogue *c, const uint64_t *cells, const char *name)
{
	unsigned int metric = core_metric(name);

	cr_assert(c->on[metric], "%s is off", name);
	return cells + c->cell[metric];
}

uint64_t core_observations(const struct catalogue *c, const uint64_t *cells, const char *name)
{
	return histogram_count(core_cells(c, cells, name), c->bounds[core_metric(name)]);
}

uint32_t core_random(uint64_t *state, uint32_t n)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)((*state * UINT64_C(0x2545f4914f6cdd1d)) >> 32) % n;
}

struct snapshot_sockets *core_sockets_part(const struct aggregate *a,
					   const struct snapshot_age *age)
{
	return snapshot_sockets_new(&a->groups, &a->present, &a->algorithms, age);
}
