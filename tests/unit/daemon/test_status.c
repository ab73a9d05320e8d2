/* SPDX-License-Identifier: Apache-2.0 */
/* Each test's service manager is a socket: what it does not hear was not sent. */
#include "daemon/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/test_support.h"

TEST_SUITE(status);

static int manager_fd;

static void manager_open(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(a);
	char name[sizeof(a.sun_path) + 1];

	manager_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(manager_fd, (struct sockaddr *)&a, sizeof(sa_family_t)), 0);
	cr_assert_eq(getsockname(manager_fd, (struct sockaddr *)&a, &len), 0);
	snprintf(name, sizeof(name), "@%.*s", (int)(len - sizeof(sa_family_t) - 1), &a.sun_path[1]);
	setenv("NOTIFY_SOCKET", name, 1);
}

/* What the manager has heard since it was last asked; "" if nothing. */
static const char *update(struct status *s)
{
	static char text[512];
	ssize_t n;

	status_update(s);
	n = recv(manager_fd, text, sizeof(text) - 1, 0);
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

Test(status, says_what_has_changed)
{
	struct status s = {.path = "/metrics"};

	manager_open();
	cr_assert_str_eq(update(&s), "STATUS=Polling for the first time.");
	cr_assert_str_eq(update(&s), "");
	s.has_begun = true;
	cr_assert_str_eq(update(&s), "STATUS=Serving /metrics.");
	cr_assert_str_eq(update(&s), "");
	s.reason[LANE_SOCKETS] = POLL_FAILURE_TIMEOUT;
	cr_assert_str_eq(update(&s), "");
	s.has_failed[LANE_SOCKETS] = true;
	cr_assert_str_eq(update(&s), "STATUS=Serving /metrics. Polls of sockets fail (timeout).");
	s.has_failed[LANE_SOCKETS] = false;
	s.source = POLL_SOURCE_PROCFS;
	cr_assert_str_eq(update(&s), "STATUS=Serving /metrics. Sockets are read from /proc, which "
				     "tells less.");
	s.source = POLL_SOURCE_NETLINK;
	s.keeps_old_config = true;
	cr_assert_str_eq(update(&s), "STATUS=Serving /metrics. The last reload failed; the old "
				     "configuration stays.");
	close(manager_fd);
}

/* What is too long is cut, and still said once. */
Test(status, is_bounded)
{
	struct status s = {.has_begun = true};
	char path[1000];

	manager_open();
	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	s.path = path;
	cr_assert_eq(strlen(update(&s)), strlen("STATUS=") + SERVICE_STATUS_MAX - 1);
	cr_assert_str_eq(update(&s), "");
	close(manager_fd);
}
