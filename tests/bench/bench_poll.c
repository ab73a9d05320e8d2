/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a poll of the sockets lane costs beside the kernel's own work: user and system CPU of the
 * daemon's polling, as a ratio to a bare receive loop of the cheapest dump that brings the same
 * rows and attributes. Both in this process, in turn.
 *
 *     bench_poll REPEATS core|extended off|polled|exact netlink|procfs [FILTER]
 *
 * With a filter, the ratio of a poll that has it as its socket_filter to one without. Prints the
 * medians and the ratio; the last line is the ratio alone.
 */
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "daemon/core/self_values.h"
#include "daemon/io/clock.h"
#include "daemon/polling.h"
#include "daemon/settings.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"

#define REPEATS_MAX 99

struct bench {
	struct loop loop;
	struct snapshot_exchange exchange;
	struct self_values self;
	struct polling polling;
	bool ended, well;
};

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static void on_cycle(struct polling *p, enum lane lane, bool well)
{
	struct bench *b = container_of(p, struct bench, polling);

	(void)lane;
	b->ended = true;
	b->well = well;
}

static uint64_t poll_lane(struct bench *b, enum lane lane)
{
	uint64_t cpu_ns = clock_thread_cpu_ns();

	b->ended = false;
	polling_start(&b->polling, lane);
	while (!b->ended)
		if (loop_turn(&b->loop, -1) < 0)
			die("loop");
	if (!b->well)
		die("poll");
	return clock_thread_cpu_ns() - cpu_ns;
}

static void send_request(int fd)
{
	uint8_t bytes[INETDIAG_REQUEST_MAX];
	struct inetdiag_request request = {
		.extensions = INETDIAG_EXT_INFO | INETDIAG_EXT_SKMEM | INETDIAG_EXT_CONG,
		.states = SOCK_STATES_ALL,
	};
	size_t n = inetdiag_request_render(&request, 1, bytes);

	if (send(fd, bytes, n, 0) != (ssize_t)n)
		die("send");
}

/* Receives a whole dump and looks at nothing but message types; returns how many rows it had. */
static unsigned int receive_all(int fd)
{
	static char buffer[SOCK_BATCH_BYTES];
	unsigned int rows = 0;

	for (;;) {
		ssize_t left = recv(fd, buffer, sizeof(buffer), 0);
		const struct nlmsghdr *h = (const void *)buffer;

		if (left <= 0)
			die("recv");
		for (; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
			if (h->nlmsg_type == NLMSG_DONE)
				return rows;
			if (h->nlmsg_type == NLMSG_ERROR)
				die("dump");
			rows++;
		}
	}
}

static uint64_t receive_bare(int fd, unsigned int *ret_rows)
{
	uint64_t cpu_ns = clock_thread_cpu_ns();

	send_request(fd);
	*ret_rows = receive_all(fd);
	return clock_thread_cpu_ns() - cpu_ns;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t median(uint64_t *values, unsigned int count)
{
	qsort(values, count, sizeof(*values), compare);
	return values[count / 2];
}

static void start(struct bench *b, const struct config *config, struct catalogue *catalogue)
{
	struct polling_settings settings = {
		.loop = &b->loop,
		.procfs = "/proc",
		.config = config,
		.catalogue = catalogue,
		.exchange = &b->exchange,
		.self = &b->self,
		.ended = on_cycle,
	};

	*b = (struct bench){.loop = LOOP_INIT, .exchange = SNAPSHOT_EXCHANGE_INIT};
	if (loop_init(&b->loop) < 0 || polling_init(&b->polling, &settings) < 0)
		die("init");
	poll_lane(b, LANE_LISTENERS);
	poll_lane(b, LANE_SOCKETS);
}

static void stop(struct bench *b)
{
	polling_done(&b->polling);
	loop_done(&b->loop);
	snapshot_exchange_done(&b->exchange);
}

static double measure(struct bench *b, unsigned int repeats)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	uint64_t bare[REPEATS_MAX], poll[REPEATS_MAX];
	uint64_t bare_ns, poll_ns;
	unsigned int rows = 0;

	if (fd < 0)
		die("socket");
	for (unsigned int i = 0; i < repeats; i++) {
		bare[i] = receive_bare(fd, &rows);
		poll[i] = poll_lane(b, LANE_SOCKETS);
	}
	bare_ns = median(bare, repeats);
	poll_ns = median(poll, repeats);
	printf("%u rows, median of %u: bare receive loop %.1f ms, poll %.1f ms CPU\n", rows,
	       repeats, (double)bare_ns / NSEC_PER_MSEC, (double)poll_ns / NSEC_PER_MSEC);
	return (double)poll_ns / (double)bare_ns;
}

/* What it costs to print the kernel's table and to look at nothing: cat's user and system time. */
static uint64_t run_cat(void)
{
	struct rusage usage;
	int status;
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		if (!freopen("/dev/null", "w", stdout))
			_exit(EXIT_FAILURE);
		execlp("cat", "cat", "/proc/net/tcp", NULL);
		_exit(EXIT_FAILURE);
	}
	if (wait4(pid, &status, 0, &usage) != pid || status != 0)
		die("cat");
	return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * NSEC_PER_SEC +
	       (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

static double measure_procfs(struct bench *b, unsigned int repeats)
{
	uint64_t cat[REPEATS_MAX], poll[REPEATS_MAX];
	uint64_t cat_ns, poll_ns;

	for (unsigned int i = 0; i < repeats; i++) {
		cat[i] = run_cat();
		poll[i] = poll_lane(b, LANE_SOCKETS);
	}
	cat_ns = median(cat, repeats);
	poll_ns = median(poll, repeats);
	printf("%lu rows, median of %u: cat /proc/net/tcp %.1f ms, poll %.1f ms CPU\n",
	       (unsigned long)b->self.poll_sockets[LANE_SOCKETS], repeats,
	       (double)cat_ns / NSEC_PER_MSEC, (double)poll_ns / NSEC_PER_MSEC);
	return (double)poll_ns / (double)cat_ns;
}

static double measure_filter(struct bench *plain, struct bench *filtered, unsigned int repeats)
{
	uint64_t all[REPEATS_MAX], some[REPEATS_MAX];
	uint64_t all_ns, some_ns;

	for (unsigned int i = 0; i < repeats; i++) {
		all[i] = poll_lane(plain, LANE_SOCKETS);
		some[i] = poll_lane(filtered, LANE_SOCKETS);
	}
	all_ns = median(all, repeats);
	some_ns = median(some, repeats);
	printf("%lu of %lu rows, median of %u: poll of all %.1f ms, with the filter %.1f ms CPU\n",
	       (unsigned long)filtered->self.poll_sockets[LANE_SOCKETS],
	       (unsigned long)plain->self.poll_sockets[LANE_SOCKETS], repeats,
	       (double)all_ns / NSEC_PER_MSEC, (double)some_ns / NSEC_PER_MSEC);
	return (double)some_ns / (double)all_ns;
}

static struct config *make_config(char **argv, const char *filter)
{
	struct config_errors errors;
	struct config *config;
	char text[512] = "";

	if (filter)
		snprintf(text, sizeof(text), "socket_filter: \"%s\"\n", filter);
	if (config_parse(text, strlen(text), &errors, &config) < 0)
		die("config");
	/* The timers are not to disturb what is measured. */
	config->poll.listeners_ns = 3600 * NSEC_PER_SEC;
	config->poll.sockets_ns = 3600 * NSEC_PER_SEC;
	config->poll.cpu_limit = 1;
	if (strcmp(argv[2], "extended") == 0)
		config->metrics.profile = CONFIG_PROFILE_EXTENDED;
	config->counters = strcmp(argv[3], "off") == 0      ? CONFIG_COUNTERS_OFF
			   : strcmp(argv[3], "polled") == 0 ? CONFIG_COUNTERS_POLLED
							    : CONFIG_COUNTERS_EXACT;
	config->source =
		strcmp(argv[4], "procfs") == 0 ? CONFIG_SOURCE_PROCFS : CONFIG_SOURCE_NETLINK;
	return config;
}

static double run(char **argv, const char *filter, unsigned int repeats)
{
	static struct bench bench, filtered;
	struct config *config = make_config(argv, NULL), *other = NULL;
	struct catalogue *catalogue;
	double ratio;

	if (settings_make_catalogue(config, false, &catalogue) < 0)
		die("catalogue");
	start(&bench, config, catalogue);
	if (filter) {
		other = make_config(argv, filter);
		start(&filtered, other, catalogue);
		ratio = measure_filter(&bench, &filtered, repeats);
		stop(&filtered);
	} else if (config->source == CONFIG_SOURCE_PROCFS) {
		ratio = measure_procfs(&bench, repeats);
	} else {
		ratio = measure(&bench, repeats);
	}
	stop(&bench);
	catalogue_unref(catalogue);
	config_free(config);
	config_free(other);
	return ratio;
}

int main(int argc, char **argv)
{
	unsigned int repeats = argc >= 5 ? (unsigned int)atoi(argv[1]) : 0;

	if (argc > 6 || repeats == 0 || repeats > REPEATS_MAX) {
		fputs("usage: bench_poll REPEATS core|extended off|polled|exact netlink|procfs "
		      "[FILTER]\n",
		      stderr);
		return EXIT_FAILURE;
	}
	printf("%.3f\n", run(argv, argc == 6 ? argv[5] : NULL, repeats));
	return EXIT_SUCCESS;
}
