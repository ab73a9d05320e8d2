/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connects to itself, accepts and closes both ends, again and again:
 *
 *     connect_loop COUNT PORT
 *
 * Prints the nanoseconds that one such connection took of the CPU of this process, which is what
 * the kernel charges to the tasks that close, and of the clock.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static long nanoseconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

/* A reset leaves no TIME_WAIT behind, and the event is that of any closing socket. */
static void connect_once(int listener, const struct sockaddr_in *to)
{
	static const struct linger reset = {.l_onoff = 1};
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int server;

	if (client < 0 || connect(client, (const struct sockaddr *)to, sizeof(*to)) < 0)
		die("connect");
	server = accept(listener, NULL, NULL);
	if (server < 0 || setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) < 0)
		die("accept");
	close(client);
	close(server);
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	long count = argc == 3 ? atol(argv[1]) : 0;
	long wall_ns, cpu_ns;
	int listener, on = 1;

	if (count <= 0) {
		fputs("usage: connect_loop COUNT PORT\n", stderr);
		return EXIT_FAILURE;
	}
	at.sin_port = htons((uint16_t)atoi(argv[2]));
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(listener, (const struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(listener, 16) < 0)
		die("listen");
	wall_ns = nanoseconds(CLOCK_MONOTONIC);
	cpu_ns = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
	for (long i = 0; i < count; i++)
		connect_once(listener, &at);
	printf("%ld %ld\n", (nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns) / count,
	       (nanoseconds(CLOCK_MONOTONIC) - wall_ns) / count);
	return EXIT_SUCCESS;
}
