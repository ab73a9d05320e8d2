/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/service.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/io/clock.h"
#include "daemon/util/units.h"
#include "tests/support/test_support.h"

TEST_SUITE(service);

/* The service manager's end, named by NOTIFY_SOCKET. */
static int manager_open(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(sa_family_t);
	char name[sizeof(a.sun_path) + 1];
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	/* An abstract address of the kernel's choice. */
	cr_assert_eq(bind(fd, (struct sockaddr *)&a, len), 0);
	len = sizeof(a);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	snprintf(name, sizeof(name), "@%.*s", (int)(len - sizeof(sa_family_t) - 1), &a.sun_path[1]);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static const char *heard(int fd, char text[512])
{
	ssize_t n = recv(fd, text, 511, 0);

	cr_assert(n >= 0, "%s", strerror(errno));
	text[n] = '\0';
	return text;
}

Test(service, says)
{
	int fd = manager_open();
	char text[512];

	service_ready();
	cr_assert_str_eq(heard(fd, text), "READY=1");
	service_alive();
	cr_assert_str_eq(heard(fd, text), "WATCHDOG=1");
	service_stopping();
	cr_assert_str_eq(heard(fd, text), "STOPPING=1");
	service_status("%u sockets, %s", 17u, "all well");
	cr_assert_str_eq(heard(fd, text), "STATUS=17 sockets, all well");
	close(fd);
}

Test(service, says_when_it_reloads)
{
	int fd = manager_open();
	uint64_t before_us = clock_monotonic_ns() / NSEC_PER_USEC, us = 0;
	char text[512];
	int end = 0;

	service_reloading();
	sscanf(heard(fd, text), "RELOADING=1\nMONOTONIC_USEC=%" SCNu64 "%n", &us, &end);
	cr_assert_eq((size_t)end, strlen(text), "%s", text);
	cr_assert(us >= before_us && us <= clock_monotonic_ns() / NSEC_PER_USEC, "%s", text);
	close(fd);
}

/* A status is one line, and says nothing else to the manager. */
Test(service, status_is_one_line)
{
	int fd = manager_open();
	char text[512], longer[400];

	service_status("a%sb", "\nREADY=1");
	cr_assert_str_eq(heard(fd, text), "STATUS=a");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	service_status("%s", longer);
	cr_assert_eq(strlen(heard(fd, text)), strlen("STATUS=") + 255);
	close(fd);
}

Test(service, is_silent_without_a_manager)
{
	int fd = manager_open();
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
