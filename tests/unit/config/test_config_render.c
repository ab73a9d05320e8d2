/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_render.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_value.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"
#include "tests/support/test_support.h"
#include "tests/unit/config/config_expect.h"

TEST_SUITE(config_render);

static const char defaults[] =
	"web:\n"
	"  listen_addresses: [\":17625\"]\n"
	"  telemetry_path: \"/metrics\"\n"
	"  max_connections: 64\n"
	"  max_requests: 40\n"
	"  enable_lifecycle: false\n"
	"poll:\n"
	"  listeners: 100ms\n"
	"  sockets: 5s\n"
	"  sockets_max: 1m\n"
	"  cpu_limit: 0.02\n"
	"source: auto\n"
	"peak_window: 2m\n"
	"metrics:\n"
	"  profile: core\n"
	"  include: []\n"
	"  exclude: []\n"
	"  created: false\n"
	"ports:\n"
	"  server: []\n"
	"  client: []\n"
	"listener_filter: \"\"\n"
	"socket_filter: \"\"\n"
	"views: []\n"
	"peers: []\n"
	"families:\n"
	"  tcp: true\n"
	"  udp: true\n"
	"  unix: true\n"
	"  raw: true\n"
	"  mptcp: true\n"
	"counters: auto\n"
	"units: listeners\n"
	"limits:\n"
	"  listeners: 200\n"
	"  ports: 64\n"
	"  series: 10000\n"
	"  unix_listeners: 64\n"
	"  tracked_sockets: 500000\n"
	"  idle: 1h\n"
	"histograms:\n"
	"  native: false\n"
	"  rtt_seconds: [0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, "
	"0.05, 0.1, 0.2, 0.5, 1]\n"
	"  congestion_window_segments: [1, 2, 4, 8, 10, 16, 32, 64, 128, 256, 512, 1024]\n"
	"  delivery_rate_bytes_per_second: [1000, 10000, 100000, 1e+06, 1e+07, 1e+08, "
	"1e+09, 1e+10]\n"
	"  closed_bytes: [0, 100, 1000, 10000, 100000, 1e+06, 1e+07, 1e+08, 1e+09]\n"
	"  fill_ratio: [0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1]\n";

Test(config_render, defaults)
{
	struct config *c = config_new();
	struct buf found = BUF_INIT;

	config_render(c, &found);
	buf_add_char(&found, '\0');
	cr_assert_str_eq(found.data, defaults, "%s", found.data);
	buf_done(&found);
	config_free(c);
}

Test(config_render, doubles)
{
	static const struct {
		double x;
		const char *expected;
	} cases[] = {
		{0, "0"},
		{1, "1"},
		{10, "10"},
		{0.1, "0.1"},
		{0.1 + 0.2, "0.30000000000000004"},
		{1.0 / 3, "0.3333333333333333"},
		{123456, "123456"},
		{999999.5, "999999.5"},
		{1234567, "1.234567e+06"},
		{0.00001, "0.00001"},
		{0.000001, "1e-06"},
		{5e-324, "5e-324"},
		{1.7976931348623157e308, "1.7976931348623157e+308"},
	};
	const struct config_key *key = &config_keys[config_key_find("poll.cpu_limit")];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct config c = {.poll.cpu_limit = cases[i].x};
		struct buf found = BUF_INIT;

		config_render_value(key, &c, &found);
		buf_add_char(&found, '\0');
		cr_assert_str_eq(found.data, cases[i].expected, "%s instead of %s", found.data,
				 cases[i].expected);
		buf_done(&found);
	}
}

/* No check lets such a string pass today; a filter expression will be one. */
Test(config_render, quoting)
{
	char text[] = "a \"b\" \\c: #d, [e] 'f'";
	struct config c = {.web.telemetry_path = text};
	struct buf found = BUF_INIT;

	config_render_value(&config_keys[config_key_find("web.telemetry_path")], &c, &found);
	buf_add_char(&found, '\0');
	cr_assert_str_eq(found.data, "\"a \\\"b\\\" \\\\c: #d, [e] 'f'\"", "%s", found.data);
	buf_done(&found);
}

static uint64_t random_below(uint64_t n)
{
	return (((uint64_t)random() << 31) ^ (uint64_t)random()) % n;
}

static uint64_t random_between(uint64_t min, uint64_t max)
{
	return min + random_below(max - min + 1);
}

/* Any double from 0 on: the bits of a finite one. */
static double random_double(void)
{
	uint64_t bits = random_between(0, UINT64_C(0x7fefffffffffffff));
	double x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void randomize_buckets(struct config_buckets *b)
{
	size_t n = random_between(1, CONFIG_BUCKETS_MAX);

	b->count = 1;
	for (size_t i = 0; i < n; i++)
		b->bounds[i] =
			random_below(2) ? random_double() : (double)random_below(1000000) / 1000;
	qsort(b->bounds, n, sizeof(b->bounds[0]), compare_doubles);
	for (size_t i = 1; i < n; i++) {
		if (b->bounds[i] > b->bounds[b->count - 1])
			b->bounds[b->count++] = b->bounds[i];
	}
}

static void add_random(struct config *c, const char *path, const char *letters, const char *first)
{
	char text[100];
	struct config_fault fault;
	size_t n = random_between(1, sizeof(text) - 2), at = strlen(first);

	strcpy(text, first);
	while (at < n + 1)
		text[at++] = letters[random_below(strlen(letters))];
	text[at] = '\0';
	cr_assert_eq(config_value_add(&config_keys[config_key_find(path)], c, text, &fault), 0,
		     "%s: %s", text, fault.what);
}

static void randomize_lists(struct config *c)
{
	struct config_fault fault;
	char text[32];

	for (uint64_t n = random_below(20), i = 0; i < n; i++) {
		add_random(c, "metrics.include", "abc_*XYZ019", "");
		add_random(c, "metrics.exclude", "abc_*XYZ019", "");
	}
	add_random(c, "web.telemetry_path", "abcXYZ019-._~!$&'()*+,;=:@/", "/m");
	for (uint64_t n = random_below(20), i = 0; i < n; i++) {
		snprintf(text, sizeof(text), i % 2 ? "127.0.0.%u:17626" : "[::%x]:17626",
			 (unsigned int)i + 1);
		cr_assert_eq(config_value_add(&config_keys[0], c, text, &fault), 0, "%s: %s", text,
			     fault.what);
	}
	for (uint64_t n = random_below(CONFIG_PORTS_MAX + 1), i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "%u", (unsigned int)(i * 64 + 1));
		config_value_add(&config_keys[config_key_find("ports.server")], c, text, &fault);
	}
}

static void randomize(struct config *c)
{
	const uint64_t hour = 3600 * NSEC_PER_SEC;

	c->web.max_connections = random_between(1, 4096);
	c->web.max_requests = random_between(0, 4096);
	c->web.enable_lifecycle = (int)random_below(2);
	c->poll.listeners_ns = random_between(1, 1000) * NSEC_PER_MSEC;
	c->poll.sockets_ns = random_between(100, 3600000) * NSEC_PER_MSEC;
	c->poll.sockets_max_ns =
		random_between(c->poll.sockets_ns / NSEC_PER_MSEC, hour / NSEC_PER_MSEC) *
		NSEC_PER_MSEC;
	c->poll.cpu_limit = 0.001 + 0.999 * (double)random_below(1 << 30) / (1 << 30);
	c->peak_window_ns = random_between(1000, 3600000) * NSEC_PER_MSEC;
	c->metrics.profile = (int)random_below(2);
	c->limits.listeners = random_between(1, 10000);
	c->limits.ports = random_between(1, 4096);
	c->limits.series = random_between(1000, 1000000);
	c->limits.tracked_sockets = random_between(1000, 10000000);
	c->counters = (int)random_below(4);
	c->units = (int)random_below(2);
	c->limits.idle_ns = random_between(60000, 30 * 24 * hour / NSEC_PER_MSEC) * NSEC_PER_MSEC;
	randomize_lists(c);
	randomize_buckets(&c->histograms.rtt_seconds);
	randomize_buckets(&c->histograms.congestion_window_segments);
	randomize_buckets(&c->histograms.delivery_rate_bytes_per_second);
	randomize_buckets(&c->histograms.closed_bytes);
	randomize_buckets(&c->histograms.fill_ratio);
}

Test(config_render, any_configuration_reads_back_as_the_same)
{
	for (unsigned int seed = 1; seed <= 60; seed++) {
		struct config *c = config_new(), *back;
		struct buf text = BUF_INIT;
		char name[32];

		srandom(seed);
		randomize(c);
		config_render(c, &text);
		buf_add_char(&text, '\0');
		snprintf(name, sizeof(name), "seed %u", seed);
		back = expect_config(name, text.data);
		cr_assert(is_same_config(c, back), "%s", name);
		config_free(back);
		buf_done(&text);
		config_free(c);
	}
}

Test(config_render, out_of_memory_is_sticky)
{
	struct config *c = config_new();
	struct buf text = BUF_INIT;

	text.error = -ENOMEM;
	config_render(c, &text);
	cr_assert_eq(text.len, 0);
	buf_done(&text);
	config_free(c);
}
