/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config_schema.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"
#include "tests/support/test_support.h"
#include "tests/unit/config/config_expect.h"

TEST_SUITE(config);

static void expect_buckets(const char *name, const struct config_buckets *b, const double *bounds,
			   size_t count)
{
	cr_assert_eq(b->count, count, "%s has %zu", name, b->count);
	for (size_t i = 0; i < count; i++)
		cr_assert_eq(b->bounds[i], bounds[i], "%s: bound %zu is %g", name, i, b->bounds[i]);
}

Test(config, defaults)
{
	struct config *c = config_new();

	cr_assert(c);
	cr_assert_eq(c->web.listen_addresses.count, 1);
	cr_assert_str_eq(c->web.listen_addresses.items[0], ":17625");
	cr_assert_str_eq(c->web.telemetry_path, "/metrics");
	cr_assert_eq(c->web.max_connections, 64);
	cr_assert_eq(c->web.max_requests, 40);
	cr_assert_eq(c->web.enable_lifecycle, 0);
	cr_assert_eq(c->poll.listeners_ns, 100 * NSEC_PER_MSEC);
	cr_assert_eq(c->poll.sockets_ns, 5 * NSEC_PER_SEC);
	cr_assert_eq(c->poll.sockets_max_ns, 60 * NSEC_PER_SEC);
	cr_assert_eq(c->poll.cpu_limit, 0.02);
	cr_assert_eq(c->peak_window_ns, 120 * NSEC_PER_SEC);
	cr_assert_eq(c->metrics.profile, CONFIG_PROFILE_CORE);
	cr_assert_eq(c->metrics.include.count, 0);
	cr_assert_eq(c->metrics.exclude.count, 0);
	cr_assert_eq(c->ports.server.count, 0);
	cr_assert_eq(c->ports.client.count, 0);
	cr_assert_eq(c->limits.listeners, 200);
	cr_assert_eq(c->limits.ports, 64);
	cr_assert_eq(c->limits.series, 10000);
	cr_assert_eq(c->counters, CONFIG_COUNTERS_AUTO);
	cr_assert_eq(c->limits.tracked_sockets, 500000);
	cr_assert_eq(c->limits.idle_ns, 3600 * NSEC_PER_SEC);
	config_free(c);
}

Test(config, default_buckets)
{
	static const double rtt[] = {0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005,
				     0.01,    0.02,   0.05,   0.1,    0.2,   0.5,   1};
	static const double window[] = {1, 2, 4, 8, 10, 16, 32, 64, 128, 256, 512, 1024};
	static const double rate[] = {1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10};
	static const double closed[] = {0, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
	static const double fill[] = {0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1};
	struct config *c = config_new();

	cr_assert(c);
	expect_buckets("rtt", &c->histograms.rtt_seconds, rtt, ARRAY_SIZE(rtt));
	expect_buckets("window", &c->histograms.congestion_window_segments, window,
		       ARRAY_SIZE(window));
	expect_buckets("rate", &c->histograms.delivery_rate_bytes_per_second, rate,
		       ARRAY_SIZE(rate));
	expect_buckets("closed", &c->histograms.closed_bytes, closed, ARRAY_SIZE(closed));
	expect_buckets("fill", &c->histograms.fill_ratio, fill, ARRAY_SIZE(fill));
	config_free(c);
}

Test(config, free_of_nothing)
{
	config_free(NULL);
}

Test(config, parse_nothing)
{
	struct config_errors errors;
	struct config *defaults = config_new(), *c = NULL;

	cr_assert_eq(config_parse(NULL, 0, &errors, &c), 0);
	cr_assert(is_same_config(defaults, c));
	config_free(c);
	config_free(defaults);
}

/* A path in a directory of its own, which is gone with it. */
struct scratch {
	char dir[32];
	char path[64];
};

static void scratch_init(struct scratch *s)
{
	strcpy(s->dir, "/tmp/sockstatd-test-XXXXXX");
	cr_assert(mkdtemp(s->dir));
	snprintf(s->path, sizeof(s->path), "%s/config.yaml", s->dir);
}

static void scratch_done(const struct scratch *s)
{
	unlink(s->path);
	rmdir(s->dir);
}

static void write_file(const char *path, const char *text, size_t n)
{
	FILE *f = fopen(path, "wb");

	cr_assert(f);
	cr_assert_eq(fwrite(text, 1, n, f), n);
	cr_assert_eq(fclose(f), 0);
}

Test(config, load)
{
	static const char text[] = "poll: {sockets: 7s}\n";
	struct config_errors errors;
	struct config *c = NULL;
	struct scratch s;

	scratch_init(&s);
	write_file(s.path, text, strlen(text));
	cr_assert_eq(config_load(s.path, &errors, &c), 0);
	cr_assert_eq(c->poll.sockets_ns, 7 * NSEC_PER_SEC);
	config_free(c);
	scratch_done(&s);
}

Test(config, load_of_an_empty_file)
{
	struct config_errors errors;
	struct config *defaults = config_new(), *c = NULL;
	struct scratch s;

	scratch_init(&s);
	write_file(s.path, "", 0);
	cr_assert_eq(config_load(s.path, &errors, &c), 0);
	cr_assert(is_same_config(defaults, c));
	config_free(c);
	config_free(defaults);
	scratch_done(&s);
}

Test(config, load_with_a_fault)
{
	static const char text[] = "poll:\n  sockets: 7\n";
	struct config_errors errors;
	struct config *c = NULL;
	struct scratch s;

	scratch_init(&s);
	write_file(s.path, text, strlen(text));
	cr_assert_eq(config_load(s.path, &errors, &c), -EINVAL);
	cr_assert_null(c);
	cr_assert_eq(errors.total, 1);
	cr_assert_eq(errors.items[0].line, 2);
	cr_assert_eq(errors.items[0].column, 12);
	cr_assert_str_eq(errors.items[0].key, "poll.sockets");
	scratch_done(&s);
}

/* 1 MiB is read, and one byte more is not. */
Test(config, load_is_bounded)
{
	const size_t max = 1024 * 1024;
	char *text = malloc(max + 1);
	struct config_errors errors;
	struct config *c = NULL;
	struct scratch s;

	cr_assert(text);
	memset(text, '#', max + 1);
	scratch_init(&s);
	write_file(s.path, text, max);
	cr_assert_eq(config_load(s.path, &errors, &c), 0);
	config_free(c);
	c = NULL;
	write_file(s.path, text, max + 1);
	cr_assert_eq(config_load(s.path, &errors, &c), -EFBIG);
	cr_assert_null(c);
	cr_assert_eq(errors.total, 0);
	cr_assert_eq(config_load("/dev/zero", &errors, &c), -EFBIG);
	scratch_done(&s);
	free(text);
}

Test(config, load_of_what_is_no_file)
{
	struct config_errors errors;
	struct config *c = NULL;
	struct scratch s;

	scratch_init(&s);
	cr_assert_eq(config_load(s.path, &errors, &c), -ENOENT);
	cr_assert_eq(config_load(s.dir, &errors, &c), -EISDIR);
	cr_assert_eq(errors.total, 0);
	cr_assert_null(c);
	scratch_done(&s);
}

static void *feed_pipe(void *path)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, "peak_", 5) != 5 || write(fd, "window: 3m\n", 11) != 11)
		return NULL;
	close(fd);
	return path;
}

Test(config, load_from_a_pipe)
{
	struct config_errors errors;
	struct config *c = NULL;
	struct scratch s;
	pthread_t feeder;
	void *fed;

	scratch_init(&s);
	cr_assert_eq(mkfifo(s.path, 0600), 0);
	cr_assert_eq(pthread_create(&feeder, NULL, feed_pipe, s.path), 0);
	cr_assert_eq(config_load(s.path, &errors, &c), 0);
	cr_assert_eq(pthread_join(feeder, &fed), 0);
	cr_assert(fed);
	cr_assert_eq(c->peak_window_ns, 180 * NSEC_PER_SEC);
	config_free(c);
	scratch_done(&s);
}

Test(config, set_listen_addresses)
{
	char ipv4[] = "127.0.0.1:1", ipv6[] = "[::1]:2", name[] = "localhost:2";
	char *good[] = {ipv4, ipv6}, *bad[] = {ipv4, name}, *twice[] = {ipv4, ipv4};
	char *many[CONFIG_LIST_MAX + 1];
	char texts[CONFIG_LIST_MAX + 1][32];
	struct config *c = config_new();

	for (size_t i = 0; i < ARRAY_SIZE(many); i++) {
		snprintf(texts[i], sizeof(texts[i]), "127.0.0.1:%zu", i + 1);
		many[i] = texts[i];
	}
	cr_assert_eq(config_set_listen_addresses(c, good, 2), 0);
	cr_assert_eq(config_set_listen_addresses(c, bad, 2), -EINVAL);
	cr_assert_eq(config_set_listen_addresses(c, twice, 2), -EINVAL);
	cr_assert_eq(config_set_listen_addresses(c, NULL, 0), -EINVAL);
	cr_assert_eq(config_set_listen_addresses(c, many, CONFIG_LIST_MAX + 1), -EINVAL);
	cr_assert_eq(c->web.listen_addresses.count, 2);
	cr_assert_str_eq(c->web.listen_addresses.items[0], "127.0.0.1:1");
	cr_assert_str_eq(c->web.listen_addresses.items[1], "[::1]:2");
	cr_assert_eq(config_set_listen_addresses(c, many, CONFIG_LIST_MAX), 0);
	cr_assert_eq(c->web.listen_addresses.count, CONFIG_LIST_MAX);
	config_free(c);
}

Test(config, set_telemetry_path)
{
	struct config *c = config_new();

	cr_assert_eq(config_set_telemetry_path(c, "/probe"), 0);
	cr_assert_eq(config_set_telemetry_path(c, "probe"), -EINVAL);
	cr_assert_eq(config_set_telemetry_path(c, "/"), -EINVAL);
	cr_assert_str_eq(c->web.telemetry_path, "/probe");
	config_free(c);
}

#define EXAMPLE "config/sockstatd.yaml"

Test(config, example_as_shipped_is_the_defaults)
{
	char *text = test_read_file(EXAMPLE, NULL);
	struct config *defaults = config_new(), *c = expect_config(EXAMPLE, text);

	cr_assert(is_same_config(defaults, c));
	config_free(c);
	config_free(defaults);
	free(text);
}

/* "#key: value" is a default that is commented out, "# Text" is a comment. */
static size_t uncomment(char *text)
{
	size_t count = 0;
	char *to = text;

	for (const char *from = text; *from != '\0'; from++) {
		if (*from == '#' && from[1] >= 'a' && from[1] <= 'z')
			count++;
		else
			*to++ = *from;
	}
	*to = '\0';
	return count;
}

Test(config, example_uncommented_is_the_defaults)
{
	char *text = test_read_file(EXAMPLE, NULL);
	struct config *defaults = config_new(), *c;

	cr_assert_eq(uncomment(text), config_keys_count);
	c = expect_config(EXAMPLE, text);
	cr_assert(is_same_config(defaults, c));
	config_free(c);
	config_free(defaults);
	free(text);
}

/* Equal to the defaults could also mean that a key is not there: with another default each is. */
Test(config, example_has_every_key_and_its_help)
{
	char *text = test_read_file(EXAMPLE, NULL);
	const char *place = text;
	char wanted[160];

	for (size_t i = 0; i < config_keys_count; i++) {
		const struct config_key *key = &config_keys[i];
		size_t n = config_key_section_len(key);

		snprintf(wanted, sizeof(wanted), "# %s", key->help);
		place = strstr(place, wanted);
		cr_assert(place, "the help of %s", key->path);
		snprintf(wanted, sizeof(wanted), "\n%s#%s: ", n > 0 ? "  " : "",
			 n > 0 ? key->path + n + 1 : key->path);
		place = strstr(place, wanted);
		cr_assert(place, "%s", key->path);
	}
	free(text);
}
