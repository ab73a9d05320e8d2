/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets that the service manager has bound. */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/http_listeners.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/daemon/http_fixture.h"

TEST_SUITE(http_listeners_adopt);

/* A listening socket as the service manager makes it. */
static int passed_socket(int family, int type, bool listens)
{
	struct config_address a = {.any = {.sa_family = (sa_family_t)family}};
	int fd = socket(family, type, 0);

	cr_assert_geq(fd, 0);
	a.len = family == AF_INET6 ? sizeof(a.in6) : sizeof(a.in);
	if (family != AF_UNIX)
		cr_assert_eq(bind(fd, &a.any, a.len), 0);
	if (listens)
		cr_assert_eq(listen(fd, 5), 0);
	return fd;
}

Test(http_listeners_adopt, shares)
{
	int fds[2] = {passed_socket(AF_INET6, SOCK_STREAM, true),
		      passed_socket(AF_INET, SOCK_STREAM, true)};
	struct http_listeners *listeners, *again;
	unsigned int failed;

	cr_assert_eq(fds[1], fds[0] + 1, "descriptors are given in order");
	cr_assert_eq(http_listeners_adopt(fds[0], 2, &listeners, &failed), 0);
	cr_assert_eq(http_listeners_adopt(fds[0], 2, &again, &failed), 0);
	for (unsigned int i = 0; i < 2; i++) {
		const struct http_listener *l = &listeners->items[i];

		cr_assert(is_same_socket(l->fd, fds[i]) && l->fd != fds[i], "%u", i);
		cr_assert(is_same_socket(l->fd, again->items[i].fd), "%u", i);
		cr_assert(fcntl(l->fd, F_GETFL) & O_NONBLOCK, "%u", i);
		cr_assert(fcntl(l->fd, F_GETFD) & FD_CLOEXEC, "%u", i);
		cr_assert_neq(http_listeners_port(listeners, i), 0, "%u", i);
		cr_assert_eq(l->bound.dual_stack, i == 0, "%u", i);
	}
	http_listeners_free(listeners);
	http_listeners_free(again);
	for (unsigned int i = 0; i < 2; i++)
		cr_assert_eq(close(fds[i]), 0, "they stay the caller's");
}

Test(http_listeners_adopt, nothing_else)
{
	static const struct {
		int family, type;
		bool listens;
		int error;
	} cases[] = {
		{AF_INET, SOCK_DGRAM, false, -EPROTOTYPE},
		{AF_INET, SOCK_STREAM, false, -EINVAL},
		{AF_UNIX, SOCK_STREAM, false, -EAFNOSUPPORT},
	};
	struct http_listeners *listeners = NULL;
	unsigned int failed;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int good = passed_socket(AF_INET, SOCK_STREAM, true);
		int bad = passed_socket(cases[i].family, cases[i].type, cases[i].listens);

		cr_assert_eq(bad, good + 1);
		cr_assert_eq(http_listeners_adopt(good, 2, &listeners, &failed), cases[i].error,
			     "%zu", i);
		cr_assert_eq(failed, 1);
		cr_assert_null(listeners);
		close(good);
		close(bad);
	}
	cr_assert_eq(http_listeners_adopt(4711, 1, &listeners, &failed), -EBADF);
}
