/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes established TCP connections on loopback, both ends of them, and holds them:
 *
 *     make_sockets CONNECTIONS FIRST_PORT PORTS
 *
 * in the network namespace that it is started in, with net.ipv4.ip_local_port_range wide. Prints
 * "ready" when all stand, and ends with its standard input. As a process may have 20 000 files or
 * so, children share the listeners and the work, each from addresses of its own.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/util/macros.h"

/* Of one process: two files a connection, and the listeners. */
#define CONNECTIONS_MAX 9000
#define CHILDREN_MAX    250
/* The kernel searches a free port for a connection from one address to another. */
#define CONNECTIONS_PER_SOURCE 4000

struct ports {
	unsigned int first, count;
	int *listeners;
};

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static struct sockaddr_in address(uint32_t host, unsigned int port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(host),
	};
}

static int make_listener(unsigned int port)
{
	struct sockaddr_in at = address(INADDR_ANY, port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 1024) < 0)
		die("listen");
	return fd;
}

static void make_connection(int listener, const struct sockaddr_in *from,
			    const struct sockaddr_in *to, bool speaks)
{
	static const char data[1000];
	int client = socket(AF_INET, SOCK_STREAM, 0);
	int on = 1;
	int server;

	if (client < 0 ||
	    setsockopt(client, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) < 0)
		die("socket");
	if (bind(client, (const struct sockaddr *)from, sizeof(*from)) < 0 ||
	    connect(client, (const struct sockaddr *)to, sizeof(*to)) < 0)
		die("connect");
	server = accept(listener, NULL, NULL);
	if (server < 0)
		die("accept");
	if (speaks && write(client, data, sizeof(data)) != sizeof(data))
		die("write");
}

/* A child: makes its part, says so with a byte, and holds it until its parent ends. What it accepts
 * may be a connection of another child, but each accepts as many as it makes. */
static void run_child(unsigned int child, unsigned int count, const struct ports *ports, int done)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned int i = 0; i < count; i++) {
		unsigned int part = i / CONNECTIONS_PER_SOURCE;
		unsigned int port = i % ports->count;
		/* 127.CHILD.PART.2 */
		struct sockaddr_in from = address(127U << 24 | child << 16 | part << 8 | 2, 0);
		struct sockaddr_in to = address(INADDR_LOOPBACK, ports->first + port);

		make_connection(ports->listeners[port], &from, &to, i % 4 == 0);
	}
	if (write(done, "", 1) != 1)
		die("write");
	pause();
	exit(EXIT_SUCCESS);
}

static struct ports make_listeners(unsigned int first, unsigned int count)
{
	struct ports ports = {first, count, calloc(count, sizeof(int))};

	if (!ports.listeners)
		die("calloc");
	for (unsigned int i = 0; i < count; i++)
		ports.listeners[i] = make_listener(first + i);
	return ports;
}

static void raise_file_limit(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		die("setrlimit");
}

int main(int argc, char **argv)
{
	unsigned int left = argc == 4 ? (unsigned int)atoi(argv[1]) : 0;
	pid_t children[CHILDREN_MAX];
	unsigned int count = 0;
	struct ports ports;
	int done[2];
	char byte;

	if (argc != 4 || pipe(done) < 0) {
		fputs("usage: make_sockets CONNECTIONS FIRST_PORT PORTS\n", stderr);
		return EXIT_FAILURE;
	}
	raise_file_limit();
	ports = make_listeners((unsigned int)atoi(argv[2]), (unsigned int)atoi(argv[3]));
	while (left > 0 && count < CHILDREN_MAX) {
		unsigned int part = MIN(left, CONNECTIONS_MAX);

		children[count] = fork();
		if (children[count] == 0)
			run_child(count + 1, part, &ports, done[1]);
		left -= part;
		count++;
	}
	close(done[1]);
	for (unsigned int i = 0; i < count; i++)
		if (read(done[0], &byte, 1) != 1)
			die("a child");
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		continue;
	for (unsigned int i = 0; i < count; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
	free(ports.listeners);
	return EXIT_SUCCESS;
}
