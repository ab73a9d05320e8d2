/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/daemon/notify_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/support/test_support.h"

int notify_open(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(a);
	char name[sizeof(a.sun_path) + 1];
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	/* An abstract address of the kernel's choice. */
	cr_assert_eq(bind(fd, (struct sockaddr *)&a, sizeof(sa_family_t)), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	snprintf(name, sizeof(name), "@%.*s", (int)(len - sizeof(sa_family_t) - 1), &a.sun_path[1]);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

const char *notify_heard(int fd, char *text, size_t size)
{
	ssize_t n = recv(fd, text, size - 1, 0);

	cr_assert(n >= 0 || errno == EAGAIN, "%s", strerror(errno));
	text[n < 0 ? 0 : n] = '\0';
	return text;
}
