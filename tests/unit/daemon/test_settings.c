/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/settings.h"

#include <errno.h>
#include <string.h>

#include "daemon/options.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"
#include "tests/support/test_support.h"

TEST_SUITE(settings);

Test(settings, errors_keep_their_place)
{
	static char long_path[3000];
	static const struct config_error at = {3, 7, "poll.sockets", "must be more"};
	static const struct config_error file = {0, 0, "", "is too large"};
	static const struct config_error flag = {0, 0, "--web.listen-address", "'x' is none"};
	char text[SETTINGS_ERROR_MAX];

	settings_describe_error("/etc/x", &at, text);
	cr_assert_str_eq(text, "/etc/x:3:7: poll.sockets: must be more");
	settings_describe_error("/etc/x", &file, text);
	cr_assert_str_eq(text, "/etc/x: is too large");
	settings_describe_error(NULL, &flag, text);
	cr_assert_str_eq(text, "--web.listen-address: 'x' is none");
	memset(long_path, 'd', sizeof(long_path) - 1);
	settings_describe_error(long_path, &at, text);
	cr_assert_str_eq(text + sizeof(long_path) - 1, ":3:7: poll.sockets: must be more");
}

Test(settings, flags_override)
{
	static char good[] = ":1", bad[] = "127.0.0.1:66000";
	struct options o = {
		.listen_addresses = {good}, .listen_address_count = 1, .telemetry_path = "/m"};
	struct config_errors errors;
	char text[SETTINGS_ERROR_MAX];
	struct config *c;

	cr_assert_eq(settings_load(&o, NULL, &errors, &c), 0);
	cr_assert_eq(c->web.listen_addresses.count, 1);
	cr_assert_str_eq(c->web.listen_addresses.items[0], ":1");
	cr_assert_str_eq(c->web.telemetry_path, "/m");
	cr_assert_eq(c->web.enable_lifecycle, 0);
	config_free(c);

	o.enable_lifecycle = true;
	o.max_requests = "0";
	cr_assert_eq(settings_load(&o, NULL, &errors, &c), 0);
	cr_assert_eq(c->web.enable_lifecycle, 1);
	cr_assert_eq(c->web.max_requests, 0);
	config_free(c);

	o.max_requests = "4097";
	cr_assert_eq(settings_load(&o, NULL, &errors, &c), -EINVAL);
	settings_describe_error(NULL, &errors.items[0], text);
	cr_assert_str_eq(text, "--web.max-requests: '4097' must be a whole number from 0 to 4096");
	o.max_requests = NULL;

	o.listen_addresses[0] = bad;
	cr_assert_eq(settings_load(&o, NULL, &errors, &c), -EINVAL);
	cr_assert_eq(errors.count, 1);
	cr_assert(strstr(errors.items[0].what, "127.0.0.1:66000"), "%s", errors.items[0].what);
	cr_assert_eq(settings_load(&o, "/does/not/exist", &errors, &c), -ENOENT);
}

/* The fast lane never stretches beyond a second, whatever poll.listeners and the limit say. */
Test(settings, lanes)
{
	struct config *c = config_new();
	struct lane_pace pace = settings_of_lane(c, LANE_LISTENERS);

	lane_pace_observe(&pace, 0, 10 * NSEC_PER_SEC);
	cr_assert_eq(pace.current_ns, NSEC_PER_SEC);
	cr_assert_not(lane_pace_rests(&pace, 1));
	pace = settings_of_lane(c, LANE_SOCKETS);
	lane_pace_observe(&pace, 0, 10 * NSEC_PER_SEC);
	cr_assert_eq(pace.current_ns, 60 * NSEC_PER_SEC);
	cr_assert(lane_pace_rests(&pace, 1));
	config_free(c);
}

/* What is promised to all together never exceeds limits.series. */
Test(settings, series_are_shared_out)
{
	static const uint64_t limits[] = {1000, 2000, 10000, 1000000};
	struct config *c = config_new();
	struct catalogue *catalogue;

	c->metrics.profile = CONFIG_PROFILE_EXTENDED;
	cr_assert_eq(settings_make_catalogue(c, false, &catalogue), 0);
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		uint64_t sum = catalogue->self_series + catalogue->host_series;
		struct settings_labels given = {0};
		bool has_room;

		sum += (c->limits.unix_listeners + 1) * catalogue->unix_series;
		for (unsigned int j = 0; j < POLL_FAMILY_PORTS; j++)
			sum += (uint64_t)GROUP_SHARED * catalogue->groups[j].series;
		c->limits.series = limits[i];
		given.listeners = settings_listener_cap(c, catalogue);
		cr_assert_leq(given.listeners, c->limits.listeners);
		has_room = sum + catalogue->listener_series <= limits[i];
		cr_assert(has_room || given.listeners == 0, "%lu", limits[i]);
		given.listeners++; /* "other" */
		sum += (uint64_t)given.listeners * catalogue->listener_series;
		for (unsigned int j = POLL_FAMILY_PORTS; j-- > 0;) {
			uint32_t budget = settings_group_budget(c, catalogue, j, &given);

			/* TCP takes what is left. */
			given.groups[j] = j == POLL_FAMILY_TCP ? budget : MIN(budget, 64);
			sum += (uint64_t)given.groups[j] * catalogue->groups[j].series;
			cr_assert(has_room || budget == 0, "%lu", limits[i]);
		}
		cr_assert(!has_room || sum <= limits[i], "%lu: %lu", limits[i], sum);
		cr_assert(limits[i] < 10000 || given.groups[POLL_FAMILY_TCP] > 0, "%lu", limits[i]);
	}
	catalogue_unref(catalogue);
	config_free(c);
}

/* Each histogram has the bounds of its own key. */
Test(settings, buckets)
{
	static const double expected[METRIC_BUCKETS_END] = {
		[METRIC_BUCKETS_RTT] = 2,           [METRIC_BUCKETS_CWND] = 3,
		[METRIC_BUCKETS_DELIVERY_RATE] = 4, [METRIC_BUCKETS_FILL_RATIO] = 5,
		[METRIC_BUCKETS_CLOSED_BYTES] = 6,
	};
	struct config *c = config_new();
	struct catalogue *catalogue;

	c->metrics.profile = CONFIG_PROFILE_EXTENDED;
	c->histograms.rtt_seconds = (struct config_buckets){{2}, 1};
	c->histograms.congestion_window_segments = (struct config_buckets){{3}, 1};
	c->histograms.delivery_rate_bytes_per_second = (struct config_buckets){{4}, 1};
	c->histograms.fill_ratio = (struct config_buckets){{5}, 1};
	c->histograms.closed_bytes = (struct config_buckets){{6}, 1};
	cr_assert_eq(settings_make_catalogue(c, false, &catalogue), 0);
	for (unsigned int i = 0; i < metric_count; i++) {
		enum metric_buckets buckets = metrics[i].buckets;

		if (buckets == METRIC_BUCKETS_NONE || buckets == METRIC_BUCKETS_DURATION)
			continue;
		cr_assert(catalogue->on[i], "%s", metrics[i].name);
		cr_assert_eq(catalogue->bounds[i]->count, 1, "%s", metrics[i].name);
		cr_assert_eq(catalogue->bounds[i]->le[0], expected[buckets], "%s: %g",
			     metrics[i].name, catalogue->bounds[i]->le[0]);
	}
	catalogue_unref(catalogue);
	config_free(c);
}
