/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/watchdog.h"

#include <pthread.h>
#include <unistd.h>

#include "daemon/http.h"
#include "daemon/io/clock.h"
#include "daemon/util/units.h"
#include "tests/support/test_support.h"
#include "tests/unit/daemon/http_fixture.h"
#include "tests/unit/daemon/notify_fixture.h"

TEST_SUITE(watchdog);

#define PERIOD_NS (40 * NSEC_PER_MSEC)

static int manager_fd;
static struct loop loop;
static struct watchdog watchdog;
static pthread_mutex_t hang = PTHREAD_MUTEX_INITIALIZER;

/* How many signs of life the manager has got. */
static unsigned int count_signs(void)
{
	unsigned int n = 0;
	char text[64];

	while (*notify_heard(manager_fd, text, sizeof(text)))
		n++;
	return n;
}

/* Turns the collector's loop so often. */
static void turn(unsigned int times)
{
	while (times-- > 0)
		cr_assert_geq(loop_turn(&loop, -1), 0);
}

static unsigned int render(void *userdata, const struct http_request *request,
			   struct http_response *response)
{
	(void)request;
	(void)userdata;
	(void)response;
	pthread_mutex_lock(&hang);
	pthread_mutex_unlock(&hang);
	return 200;
}

static struct http *start_server(void)
{
	static const struct http_route route = {"/", render, NULL};
	struct http_settings settings = {
		.routes = &route, .route_count = 1, .limits = http_limits_default};
	char address[] = "127.0.0.1:0", *addresses[] = {address};
	struct http_listeners *listeners;
	unsigned int failed;
	struct http *h;

	cr_assert_eq(http_listeners_new(addresses, 1, NULL, &listeners, &failed), 0);
	cr_assert_eq(http_new(&settings, &h), 0);
	cr_assert_eq(http_start(h, listeners, NULL), 0);
	return h;
}

Test(watchdog, tells_while_both_loops_turn)
{
	struct http *h = start_server();
	unsigned int before;
	uint64_t end_ns;
	int client;

	manager_fd = notify_open();
	cr_assert_eq(loop_init(&loop), 0);
	watchdog = (struct watchdog)WATCHDOG_INIT;
	cr_assert_eq(watchdog_init(&watchdog, &loop, h, PERIOD_NS), 0);
	turn(5);
	cr_assert_eq(count_signs(), 5, "one a turn of the collector's loop, and none without");

	pthread_mutex_lock(&hang);
	client = must_connect(h, NULL);
	must_send(client, "GET / HTTP/1.1\r\n" END);
	end_ns = clock_monotonic_ns() + 60 * NSEC_PER_SEC;
	while (clock_monotonic_ns() - http_heartbeat_ns(h) <= watchdog.silence_ns) {
		cr_assert_lt(clock_monotonic_ns(), end_ns, "the server does not hang");
		turn(1);
		count_signs(); /* a manager that does not listen would stop us */
	}
	turn(5);
	cr_assert_eq(count_signs(), 0);

	pthread_mutex_unlock(&hang);
	do {
		cr_assert_lt(clock_monotonic_ns(), end_ns, "the server still hangs");
		before = count_signs();
		turn(1);
	} while (before == 0);

	close(client);
	watchdog_done(&watchdog);
	watchdog_done(&watchdog);
	http_free(h);
	loop_done(&loop);
	close(manager_fd);
}

Test(watchdog, silent_if_nobody_waits)
{
	struct http *h = start_server();

	manager_fd = notify_open();
	cr_assert_eq(loop_init(&loop), 0);
	watchdog = (struct watchdog)WATCHDOG_INIT;
	cr_assert_eq(watchdog_init(&watchdog, &loop, h, 0), 0);
	cr_assert_eq(loop_turn(&loop, 0), 0);
	cr_assert_eq(count_signs(), 0);
	watchdog_done(&watchdog);
	http_free(h);
	loop_done(&loop);
	close(manager_fd);
}
