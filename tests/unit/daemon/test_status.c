/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/status.h"

#include <string.h>
#include <unistd.h>

#include "tests/support/test_support.h"
#include "tests/unit/daemon/notify_fixture.h"

TEST_SUITE(status);

static int manager_fd;

/* What the manager has heard since it was last asked; "" if nothing. */
static const char *update(struct status *s)
{
	static char text[512];

	status_update(s);
	return notify_heard(manager_fd, text, sizeof(text));
}

Test(status, says_what_has_changed)
{
	struct status s = {.path = "/metrics"};

	manager_fd = notify_open();
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

	manager_fd = notify_open();
	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	s.path = path;
	cr_assert_eq(strlen(update(&s)), strlen("STATUS=") + SERVICE_STATUS_MAX - 1);
	cr_assert_str_eq(update(&s), "");
	close(manager_fd);
}
