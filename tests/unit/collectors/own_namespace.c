/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/collectors/own_namespace.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void set_up_loopback(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	cr_assert(fd >= 0);
	cr_assert_eq(ioctl(fd, SIOCSIFFLAGS, &request), 0, "lo: %s", strerror(errno));
	close(fd);
}

bool own_namespace_enter(void)
{
	/* Criterion's threads rule out a user namespace, which would make this a right of all. */
	if (unshare(CLONE_NEWNET) < 0) {
		printf("SKIPPED: no network namespace: %s (try unshare --map-root-user)\n",
		       strerror(errno));
		fflush(stdout);
		return false;
	}
	set_up_loopback();
	return true;
}

static socklen_t loopback(int family, struct sockaddr_storage *ret_address)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret_address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret_address;

	memset(ret_address, 0, sizeof(*ret_address));
	ret_address->ss_family = (sa_family_t)family;
	if (family == AF_INET) {
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(*v4);
	}
	v6->sin6_addr = in6addr_loopback;
	return sizeof(*v6);
}

int own_listener(int family, int backlog, struct sockaddr_storage *ret_address)
{
	socklen_t n = loopback(family, ret_address);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert(fd >= 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)ret_address, n), 0, "bind: %s", strerror(errno));
	cr_assert_eq(listen(fd, backlog), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)ret_address, &n), 0);
	return fd;
}

int own_connection(const struct sockaddr_storage *to)
{
	socklen_t n =
		to->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	int fd = socket(to->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert(fd >= 0);
	cr_assert_eq(connect(fd, (const struct sockaddr *)to, n), 0, "connect: %s",
		     strerror(errno));
	return fd;
}

uint16_t own_port(const struct sockaddr_storage *address)
{
	return ntohs(address->ss_family == AF_INET
			     ? ((const struct sockaddr_in *)address)->sin_port
			     : ((const struct sockaddr_in6 *)address)->sin6_port);
}
