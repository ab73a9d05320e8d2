/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/service.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/io/clock.h"
#include "daemon/util/units.h"
#include "tests/support/test_support.h"
#include "tests/unit/daemon/notify_fixture.h"

TEST_SUITE(service);

Test(service, says)
{
	int fd = notify_open();
	char text[512];

	service_ready();
	cr_assert_str_eq(notify_heard(fd, text, sizeof(text)), "READY=1");
	service_alive();
	cr_assert_str_eq(notify_heard(fd, text, sizeof(text)), "WATCHDOG=1");
	service_stopping();
	cr_assert_str_eq(notify_heard(fd, text, sizeof(text)), "STOPPING=1");
	service_status("%u sockets, %s", 17u, "all well");
	cr_assert_str_eq(notify_heard(fd, text, sizeof(text)), "STATUS=17 sockets, all well");
	close(fd);
}

Test(service, says_when_it_reloads)
{
	int fd = notify_open();
	uint64_t before_us = clock_monotonic_ns() / NSEC_PER_USEC, us = 0;
	char text[512];
	int end = 0;

	service_reloading();
	sscanf(notify_heard(fd, text, sizeof(text)), "RELOADING=1\nMONOTONIC_USEC=%" SCNu64 "%n",
	       &us, &end);
	cr_assert_eq((size_t)end, strlen(text), "%s", text);
	cr_assert(us >= before_us && us <= clock_monotonic_ns() / NSEC_PER_USEC, "%s", text);
	close(fd);
}

/* A status is one line, and says nothing else to the manager. */
Test(service, status_is_one_line)
{
	int fd = notify_open();
	char text[512], longer[400];

	service_status("a%sb", "\nREADY=1");
	cr_assert_str_eq(notify_heard(fd, text, sizeof(text)), "STATUS=a");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	service_status("%s", longer);
	cr_assert_eq(strlen(notify_heard(fd, text, sizeof(text))), strlen("STATUS=") + 255);
	close(fd);
}

Test(service, is_silent_without_a_manager)
{
	int fd = notify_open();
	char text[512];

	unsetenv("NOTIFY_SOCKET");
	service_ready();
	service_status("nobody hears");
	cr_assert_eq(recv(fd, text, sizeof(text), 0), -1);
	close(fd);
	setenv("NOTIFY_SOCKET", "@nobody-listens-here", 1);
	service_ready();
}

/* The watchdog is ours only if it names us, or nobody. */
Test(service, watchdog)
{
	char pid[32];

	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	cr_assert_eq(service_watchdog_ns(), 0);
	setenv("WATCHDOG_USEC", "2000000", 1);
	cr_assert_eq(service_watchdog_ns(), 2 * NSEC_PER_SEC);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	cr_assert_eq(service_watchdog_ns(), 2 * NSEC_PER_SEC);
	snprintf(pid, sizeof(pid), "%d", (int)getppid());
	setenv("WATCHDOG_PID", pid, 1);
	cr_assert_eq(service_watchdog_ns(), 0);
}

Test(service, sockets)
{
	char pid[32];

	unsetenv("LISTEN_FDS");
	cr_assert_eq(service_sockets(), 0);
	snprintf(pid, sizeof(pid), "%d", (int)getppid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "2", 1);
	cr_assert_eq(service_sockets(), 0, "they are somebody else's");
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "x", 1);
	cr_assert_lt(service_sockets(), 0);
}
