/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/http.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/io/clock.h"
#include "daemon/util/units.h"
#include "tests/support/test_support.h"
#include "tests/unit/daemon/http_fixture.h"

TEST_SUITE(http);

static void *stop(void *userdata)
{
	http_stop(userdata, CLIENT_PATIENCE_S * NSEC_PER_SEC);
	return NULL;
}

Test(http, stop_finishes_what_is_under_way)
{
	struct http_limits limits = test_limits();
	struct http *h = must_start(&limits);
	uint16_t port = server_port(h);
	int idle = must_connect(h, NULL);
	int half = must_connect_slow(h, NULL);
	int busy = must_connect(h, NULL);
	struct client_answer a;
	pthread_t thread;

	must_send(idle, "GET /metrics HTTP/1.1\r\n" END);
	cr_assert_eq(client_receive(idle, false, &a), 0);
	must_send(busy, "GET " BIG_PATH " HTTP/1.1\r\n" END);
	cr_assert_eq(recv(busy, &(char){0}, 1, MSG_PEEK), 1);
	cr_assert_eq(pthread_create(&thread, NULL, stop, h), 0);
	cr_assert_eq(client_wait_end(idle), 0);
	cr_assert_eq(client_wait_end(half), 0);
	cr_assert_eq(client_connect(port, NULL), -ECONNREFUSED);
	cr_assert_eq(client_receive(busy, false, &a), 0);
	cr_assert(a.received == BIG_SIZE && a.intact, "%zu", a.received);
	cr_assert_eq(client_wait_end(busy), 0);
	pthread_join(thread, NULL);
	cr_assert_eq(http_connections(h), 0);
	close(idle);
	close(half);
	close(busy);
	http_free(h);
}

Test(http, stop_waits_no_longer_than_its_grace)
{
	struct http_limits limits = test_limits();
	struct http *h = must_start(&limits);
	int busy = must_connect(h, NULL);
	struct client_answer a;

	must_send(busy, "GET " BIG_PATH " HTTP/1.1\r\n" END);
	cr_assert_eq(recv(busy, &(char){0}, 1, MSG_PEEK), 1);
	http_stop(h, 100 * NSEC_PER_MSEC);
	cr_assert_eq(client_receive(busy, false, &a), -EPROTO);
	close(busy);
	http_free(h);
}

/* A request that is there when the server is told to stop is answered, accepted or not. */
Test(http, stop_answers_who_is_in_the_queue)
{
	struct http_limits limits = test_limits();
	struct client_answer a;
	struct http *h;
	int fd, r;

	for (int i = 0; i < 100; i++) {
		h = must_start(&limits);
		fd = must_connect(h, NULL);
		must_send_through(fd, "GET /metrics HTTP/1.1\r\n" END);
		http_stop(h, NSEC_PER_SEC);
		r = client_receive(fd, false, &a);
		cr_assert(r == 0 && a.status == 200, "%d: %s", i, strerror(-r));
		close(fd);
		http_free(h);
	}
}

static struct http_listeners *listen_to(const char *address, struct http *h)
{
	char *addresses[] = {(char *)address};
	struct http_listeners *listeners;
	unsigned int failed;
	int r;

	r = http_listeners_new(addresses, 1, http_current_listeners(h), &listeners, &failed);
	cr_assert_eq(r, 0, "%s: %s", address, strerror(-r));
	return listeners;
}

Test(http, configure_is_in_force_when_it_returns)
{
	struct http_limits limits = test_limits();
	struct http *h = must_start(&limits);
	uint16_t old = server_port(h);
	int kept = must_connect(h, NULL);
	struct client_answer a;
	char path[] = "/other";

	must_send(kept, "GET /metrics HTTP/1.1\r\n" END);
	cr_assert_eq(client_receive(kept, false, &a), 0);
	cr_assert_eq(http_configure(h, listen_to("127.0.0.1:0", h), NULL, &limits, path), 0);
	cr_assert_eq(server_port(h), old, "the same address is the same socket");
	path[1] = 'x';
	cr_assert_eq(client_get(old, "/other", &a), 0);
	cr_assert_eq(a.status, 200);
	cr_assert_eq(client_get(old, "/metrics", &a), 0);
	cr_assert_eq(a.status, 404);

	cr_assert_eq(http_configure(h, listen_to("127.0.0.2:0", h), NULL, &limits, "/metrics"), 0);
	cr_assert_eq(client_connect(old, NULL), -ECONNREFUSED);
	must_send(kept, "GET /metrics HTTP/1.1\r\n" END);
	cr_assert_eq(client_receive(kept, false, &a), 0, "a connection outlives its listener");

	limits.connections = 1;
	cr_assert_eq(http_configure(h, listen_to("127.0.0.1:0", h), NULL, &limits, "/metrics"), 0);
	must_get(h, "/metrics");
	cr_assert_eq(client_wait_end(kept), 0);
	close(kept);
	http_free(h);
}

/* Who is in the queue of a socket that is let go. */
Test(http, configure_leaves_nobody_behind)
{
	struct http_settings settings = {
		.routes = test_routes, .route_count = test_route_count, .limits = test_limits()};
	uint16_t port = must_find_port();
	char any[32], one[32];
	struct client_answer a;
	struct http *h;
	int fd, r;

	snprintf(any, sizeof(any), "0.0.0.0:%u", port);
	snprintf(one, sizeof(one), "127.0.0.1:%u", port);
	cr_assert_eq(server_start(any, &settings, &h), 0);
	for (int i = 0; i < 100; i++) {
		fd = must_connect(h, NULL);
		must_send_through(fd, "GET /metrics HTTP/1.1\r\n" END);
		r = http_configure(h, listen_to(i % 2 ? any : one, h), NULL, &settings.limits,
				   "/metrics");
		cr_assert_eq(r, 0);
		r = client_receive(fd, false, &a);
		cr_assert(r == 0 && a.status == 200, "%d: %s", i, strerror(-r));
		close(fd);
	}
	http_free(h);
}

Test(http, beats)
{
	struct http_limits limits = test_limits();
	struct http *h = must_start(&limits);
	uint64_t first_ns = http_heartbeat_ns(h);
	uint64_t by_ns = clock_monotonic_ns() + CLIENT_PATIENCE_S * NSEC_PER_SEC;

	while (http_heartbeat_ns(h) == first_ns && clock_monotonic_ns() < by_ns)
		poll(NULL, 0, 1);
	cr_assert_gt(http_heartbeat_ns(h), first_ns);
	http_free(h);
}

/* Each step of the start fails once. */
Test(http, start_fails_cleanly)
{
	struct http_settings settings = {
		.routes = test_routes, .route_count = test_route_count, .limits = test_limits()};
	struct rlimit before;
	unsigned int more = 0;
	struct http *h;
	int r;

	do {
		before = must_limit_descriptors(more++);
		r = server_start("127.0.0.1:0", &settings, &h);
		setrlimit(RLIMIT_NOFILE, &before);
		cr_assert(r == 0 || r == -EMFILE, "%u: %s", more, strerror(-r));
	} while (r < 0 && more < 50);
	cr_assert(r == 0 && more > 5, "%u", more);
	must_get(h, "/metrics");
	http_free(h);
}

Test(http, stops_twice_and_unstarted)
{
	struct http_settings settings = {.routes = test_routes, .route_count = test_route_count};
	struct http_limits limits = test_limits();
	struct http *h = must_start(&limits);

	http_stop(h, 0);
	http_stop(h, 0);
	http_free(h);
	cr_assert_eq(http_new(&settings, &h), 0);
	http_stop(h, 0);
	http_free(h);
	http_free(NULL);
}
