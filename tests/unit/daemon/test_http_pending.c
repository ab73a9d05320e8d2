/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "daemon/http.h"
#include "daemon/io/clock.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"
#include "tests/support/test_support.h"
#include "tests/unit/daemon/http_fixture.h"

TEST_SUITE(http_pending);

#define GATE "GET /gate HTTP/1.1\r\n" END

/* Waits until the route of the gate was asked N times in all. */
static void must_be_asked(unsigned int n)
{
	uint64_t by_ns = clock_monotonic_ns() + CLIENT_PATIENCE_S * NSEC_PER_SEC;

	while (gate_asked < n && clock_monotonic_ns() < by_ns)
		poll(NULL, 0, 1);
	cr_assert_geq(gate_asked, n);
}

/* A connection whose answer is pending. */
static int must_wait_at_the_gate(struct http *h)
{
	unsigned int asked = gate_asked;
	int fd = must_connect(h, NULL);

	must_send(fd, GATE);
	must_be_asked(asked + 1);
	return fd;
}

static void open_gate(struct http *h)
{
	gate_is_open = true;
	http_resume(h);
}

/* BODY: NULL: any. */
static void must_answer(int fd, const char *body)
{
	struct client_answer a;
	int r = client_receive(fd, false, &a);

	cr_assert_eq(r, 0, "%s", strerror(-r));
	cr_assert_eq(a.status, 200, "%u", a.status);
	cr_assert(!body || strcmp(a.body, body) == 0, "%s, not %s", a.body, body);
}

Test(http_pending, is_answered_when_it_is_resumed)
{
	struct http_limits limits = test_limits();
	struct http *h = must_start(&limits);
	struct pollfd silent = {.events = POLLIN};
	int fd = must_wait_at_the_gate(h);

	silent.fd = fd;
	must_get(h, "/metrics");
	cr_assert_eq(poll(&silent, 1, 0), 0, "answered before");
	open_gate(h);
	must_answer(fd, "1\n");
	must_send(fd, GATE);
	must_answer(fd, "0\n");
	cr_assert_eq(http_connections(h), 1);
	close(fd);
	must_come_to(h, 0);
	http_free(h);
}

Test(http_pending, may_be_pending_again)
{
	struct http_limits limits = test_limits();
	struct http *h = must_start(&limits);
	int fd = must_wait_at_the_gate(h);

	for (unsigned int i = 2; i <= 100; i++) {
		http_resume(h);
		must_be_asked(i);
	}
	open_gate(h);
	must_answer(fd, "100\n");
	close(fd);
	http_free(h);
}

Test(http_pending, many_at_once)
{
	struct http_limits limits = test_limits();
	struct http *h = must_start(&limits);
	int fds[16];

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = must_wait_at_the_gate(h);
	cr_assert_eq(http_connections(h), ARRAY_SIZE(fds));
	open_gate(h);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		must_answer(fds[i], "1\n");
		close(fds[i]);
	}
	must_come_to(h, 0);
	http_free(h);
}

Test(http_pending, what_was_sent_behind_it_comes_behind_it)
{
	struct http_limits limits = test_limits();
	struct http *h = must_start(&limits);
	int fd = must_connect(h, NULL);

	must_send(fd, GATE "GET /metrics HTTP/1.1\r\n" END GATE);
	must_be_asked(1);
	open_gate(h);
	must_answer(fd, "1\n");
	must_answer(fd, "up 1\n");
	must_answer(fd, "0\n");
	close(fd);
	http_free(h);
}

Test(http_pending, ends_at_its_deadline)
{
	struct http_limits limits = test_limits();
	struct http *h;
	int fd;

	limits.response_deadline_ns = 200 * NSEC_PER_MSEC;
	h = must_start(&limits);
	fd = must_wait_at_the_gate(h);
	cr_assert_eq(client_wait_end(fd), 0);
	/* Though nobody resumes it. */
	must_come_to(h, 0);
	open_gate(h);
	must_get(h, "/metrics");
	cr_assert_eq(gate_asked, 1, "asked for one that has gone");
	close(fd);
	http_free(h);
}

/* Being asked again is no new beginning. */
Test(http_pending, the_deadline_is_that_of_the_request)
{
	struct http_limits limits = test_limits();
	struct pollfd ended = {.events = POLLIN};
	unsigned int resumed = 0;
	struct http *h;

	limits.response_deadline_ns = 300 * NSEC_PER_MSEC;
	h = must_start(&limits);
	ended.fd = must_wait_at_the_gate(h);
	while (poll(&ended, 1, 20) == 0 && resumed++ < 1000)
		http_resume(h);
	cr_assert_lt(resumed, 1000);
	cr_assert_eq(client_wait_end(ended.fd), 0);
	close(ended.fd);
	must_come_to(h, 0);
	http_free(h);
}

Test(http_pending, a_client_may_go)
{
	struct http_limits limits = test_limits();
	struct http *h = must_start(&limits);
	int stays = must_wait_at_the_gate(h), goes = must_wait_at_the_gate(h);

	close(goes);
	must_get(h, "/metrics");
	open_gate(h);
	must_answer(stays, "1\n");
	close(stays);
	must_come_to(h, 0);
	http_free(h);
}

/* Who keeps others out for long makes room, also without being resumed. */
Test(http_pending, makes_room)
{
	struct http_limits limits = test_limits();
	struct client_answer a;
	struct http *h;
	int fd;

	limits.connections = 1;
	h = must_start(&limits);
	fd = must_wait_at_the_gate(h);
	while (client_get(server_port(h), "/metrics", &a) < 0)
		poll(NULL, 0, 10);
	cr_assert_eq(a.status, 200);
	cr_assert_eq(client_wait_end(fd), 0);
	must_come_to(h, 0);
	close(fd);
	http_free(h);
}

Test(http_pending, stop_ends_it)
{
	struct http_limits limits = test_limits();
	struct http *h = must_start(&limits);
	int fd = must_wait_at_the_gate(h);

	http_stop(h, 50 * NSEC_PER_MSEC);
	cr_assert_eq(client_wait_end(fd), 0);
	close(fd);
	http_free(h);
}

static void *stop(void *userdata)
{
	http_stop(userdata, CLIENT_PATIENCE_S * NSEC_PER_SEC);
	return NULL;
}

Test(http_pending, stop_lets_it_be_answered)
{
	struct http_limits limits = test_limits();
	struct http *h = must_start(&limits);
	int idle = must_connect(h, NULL), fd = must_wait_at_the_gate(h);
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, stop, h), 0);
	cr_assert_eq(client_wait_end(idle), 0);
	open_gate(h);
	must_answer(fd, NULL);
	cr_assert_eq(client_wait_end(fd), 0);
	pthread_join(thread, NULL);
	close(idle);
	close(fd);
	http_free(h);
}

static void count_answer(void *userdata, int route, unsigned int status)
{
	(void)route;
	*(_Atomic unsigned int *)userdata += status;
}

Test(http_pending, is_observed_once)
{
	_Atomic unsigned int seen = 0;
	struct http_settings settings = {
		.routes = test_routes,
		.route_count = test_route_count,
		.observe = count_answer,
		.observe_userdata = (void *)&seen,
		.limits = test_limits(),
	};
	struct http *h;
	int fd;

	cr_assert_eq(server_start("127.0.0.1:0", &settings, &h), 0);
	fd = must_wait_at_the_gate(h);
	cr_assert_eq(seen, 0);
	open_gate(h);
	must_answer(fd, "1\n");
	close(fd);
	http_free(h);
	cr_assert_eq(seen, 200);
}
