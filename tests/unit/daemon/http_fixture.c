/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/daemon/http_fixture.h"

#include <limits.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "daemon/io/clock.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"
#include "tests/support/test_support.h"

struct http *must_start(const struct http_limits *limits)
{
	struct http_settings settings = {.routes = test_routes, .route_count = test_route_count};
	struct http *h;
	int r;

	settings.limits = *limits;
	r = server_start("127.0.0.1:0", &settings, &h);
	cr_assert_eq(r, 0, "%s", strerror(-r));
	return h;
}

int must_connect(struct http *h, const char *source)
{
	int fd = client_connect(server_port(h), source);

	cr_assert(fd >= 0, "%s", strerror(-fd));
	return fd;
}

void must_send(int fd, const char *text)
{
	int r = client_send(fd, text);

	cr_assert_eq(r, 0, "%s", strerror(-r));
}

void must_send_through(int fd, const char *text)
{
	int unacknowledged = 1;

	must_send(fd, text);
	while (ioctl(fd, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged > 0)
		poll(NULL, 0, 1);
	cr_assert_eq(unacknowledged, 0);
}

int must_connect_slow(struct http *h, const char *source)
{
	int fd = must_connect(h, source);

	must_send(fd, "GET /metrics HTTP/1.1\r\n");
	return fd;
}

void must_get(struct http *h, const char *path)
{
	struct client_answer a;
	int r = client_get(server_port(h), path, &a);

	cr_assert_eq(r, 0, "%s", strerror(-r));
	cr_assert_eq(a.status, 200);
}

void must_come_to(struct http *h, unsigned int n)
{
	uint64_t by_ns = clock_monotonic_ns() + CLIENT_PATIENCE_S * NSEC_PER_SEC;

	while (http_connections(h) != n && clock_monotonic_ns() < by_ns)
		poll(NULL, 0, 1);
	cr_assert_eq(http_connections(h), n);
}

uint16_t must_find_port(void)
{
	/* Below the range for clients, and where another test's process does not begin. */
	unsigned int first = 20000 + (unsigned int)getpid() % 5000;
	struct http_listeners *l;
	unsigned int failed;
	char address[16];
	char *addresses[] = {address};

	for (unsigned int port = first; port < first + 1000; port++) {
		snprintf(address, sizeof(address), ":%u", port);
		if (http_listeners_new(addresses, 1, NULL, &l, &failed) < 0)
			continue;
		http_listeners_free(l);
		return (uint16_t)port;
	}
	cr_assert_fail("no port is free");
	return 0;
}

/* The lowest that is free. accept4() takes one for a moment, also where nobody waits
 * (__sys_accept4() in net/socket.c), so that a single look may find it taken by the server. */
static int next_descriptor(void)
{
	int lowest = INT_MAX;

	for (int i = 0; i < 20; i++) {
		int next = dup(0);

		close(next);
		lowest = MIN(lowest, next);
		poll(NULL, 0, 1);
	}
	return lowest;
}

struct rlimit must_limit_descriptors(unsigned int more)
{
	struct rlimit before, few;
	int next = next_descriptor();

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = (rlim_t)next + more;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	return before;
}

bool is_same_socket(int a, int b)
{
	uint64_t cookie_a, cookie_b;
	socklen_t len = sizeof(cookie_a);

	cr_assert_eq(getsockopt(a, SOL_SOCKET, SO_COOKIE, &cookie_a, &len), 0);
	cr_assert_eq(getsockopt(b, SOL_SOCKET, SO_COOKIE, &cookie_b, &len), 0);
	return cookie_a == cookie_b;
}
