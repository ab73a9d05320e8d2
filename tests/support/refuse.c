/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into the daemon: sock_diag is refused with the errno that the file named by REFUSE_FILE
 * holds, for as long as that file is there, for new sockets and for those that are open.
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define EXPORT __attribute__((visibility("default")))

/* The errno, or 0: nothing is refused. */
static int refusal(void)
{
	const char *path = getenv("REFUSE_FILE");
	FILE *f = path ? fopen(path, "re") : NULL;
	int error = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%d", &error) != 1)
		error = EAFNOSUPPORT;
	fclose(f);
	return error;
}

static int is_sock_diag(int fd)
{
	int domain = 0, protocol = 0;
	socklen_t n = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n) == 0 && domain == AF_NETLINK &&
	       getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &n) == 0 &&
	       protocol == NETLINK_SOCK_DIAG;
}

EXPORT int socket(int domain, int type, int protocol)
{
	int (*real)(int, int, int) = dlsym(RTLD_NEXT, "socket");
	int error = domain == AF_NETLINK && protocol == NETLINK_SOCK_DIAG ? refusal() : 0;

	if (!error)
		return real(domain, type, protocol);
	errno = error;
	return -1;
}

EXPORT ssize_t sendto(int fd, const void *bytes, size_t n, int flags, const struct sockaddr *to,
		      socklen_t to_len)
{
	ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t) =
		dlsym(RTLD_NEXT, "sendto");
	int error = is_sock_diag(fd) ? refusal() : 0;

	if (!error)
		return real(fd, bytes, n, flags, to, to_len);
	errno = error;
	return -1;
}
