/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/http.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/util/units.h"
#include "tests/support/test_support.h"
#include "tests/unit/daemon/http_fixture.h"

TEST_SUITE(http_daemon);

Test(http_daemon, ends_a_body_without_end)
{
	struct http_limits limits = test_limits();
	struct http *h = must_start(&limits);
	int fd = must_connect(h, NULL);
	char chunk[1024];
	int r = 0;

	memset(chunk, 'x', sizeof(chunk));
	memcpy(chunk, "3f7\r\n", 5);
	memcpy(&chunk[sizeof(chunk) - 4], "\r\n", 3);
	must_send(fd, "GET /metrics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" END);
	for (int i = 0; i < 4096 && r == 0; i++)
		r = client_send(fd, chunk);
	cr_assert(r == -EPIPE || r == -ECONNRESET, "%s", strerror(-r));
	close(fd);
	http_free(h);
}

Test(http_daemon, keeps_alive)
{
	struct http_limits limits = test_limits();
	struct http *h = must_start(&limits);
	int fd = must_connect(h, NULL);
	struct client_answer a;

	for (int i = 0; i < 100; i++) {
		must_send(fd, i % 2 ? "GET /nothing HTTP/1.1\r\n" END
				    : "GET /metrics HTTP/1.1\r\n" END);
		cr_assert_eq(client_receive(fd, false, &a), 0);
		cr_assert_eq(a.status, i % 2 ? 404 : 200);
	}
	cr_assert_eq(http_connections(h), 1);
	close(fd);
	must_come_to(h, 0);
	http_free(h);
}

Test(http_daemon, ends_a_drip)
{
	struct http_limits limits = test_limits();
	struct pollfd waiting = {.events = POLLIN};
	struct http *h;
	int dripped = 0;

	limits.request_deadline_ns = 300 * NSEC_PER_MSEC;
	h = must_start(&limits);
	waiting.fd = must_connect(h, NULL);
	must_send(waiting.fd, "GET /metrics HTTP/1.1\r\nX: ");
	while (poll(&waiting, 1, 20) == 0 && dripped++ < 1000)
		client_send(waiting.fd, "x");
	cr_assert(dripped < 1000);
	cr_assert_eq(client_wait_end(waiting.fd), 0);
	close(waiting.fd);
	must_get(h, "/metrics");
	http_free(h);
}

Test(http_daemon, ends_the_inactive)
{
	struct http_limits limits = test_limits();
	struct http *h;
	int fd;

	limits.inactivity_ns = 100 * NSEC_PER_MSEC;
	h = must_start(&limits);
	fd = must_connect_slow(h, NULL);
	cr_assert_eq(client_wait_end(fd), 0);
	close(fd);
	http_free(h);
}

Test(http_daemon, ends_a_slow_reader)
{
	struct http_limits limits = test_limits();
	struct client_answer a;
	struct http *h;
	int fd;

	limits.response_deadline_ns = 300 * NSEC_PER_MSEC;
	h = must_start(&limits);
	fd = must_connect(h, NULL);
	must_send(fd, "GET " BIG_PATH " HTTP/1.1\r\n" END);
	/* What the kernel has taken on is still delivered; the rest is not. */
	cr_assert_eq(recv(fd, &(char){0}, 1, MSG_PEEK), 1);
	must_come_to(h, 0);
	cr_assert_eq(client_receive(fd, false, &a), -EPROTO);
	cr_assert_eq(a.length, BIG_SIZE);
	cr_assert(a.intact && a.received < a.length, "%zu", a.received);
	close(fd);
	must_get(h, "/metrics");
	http_free(h);
}
