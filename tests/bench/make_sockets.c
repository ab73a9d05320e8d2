/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes established TCP connections on loopback, both ends of them, and holds them:
 *
 *     make_sockets CONNECTIONS FIRST_PORT PORTS [RATE|cookies]
 *
 * in the network namespace that it is started in, with net.ipv4.ip_local_port_range wide. Prints
 * "ready" when all stand. A byte on its standard input closes them, RATE sockets a second, or all
 * at once; then it prints "closed". It ends with its standard input. "cookies" asks for the cookie
 * of each as it is made. As a process may have 20 000 files or so, children share the listeners and
 * the work, each from addresses of its own.
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
#include <time.h>
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

struct child {
	pid_t pid;
	unsigned int number, connections;
};

struct orders {
	int done, close;   /* pipes: a byte from each child; until all is to close */
	unsigned int rate; /* sockets a second of each child; 0: all at once */
	bool wants_cookies;
};

#define NSEC_PER_SEC 1000000000L

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

static void ask_cookie(int fd)
{
	uint64_t cookie;
	socklen_t size = sizeof(cookie);

	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) < 0)
		die("SO_COOKIE");
}

static void make_connection(int listener, const struct sockaddr_in *from,
			    const struct sockaddr_in *to, bool speaks, bool wants_cookies)
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
	if (wants_cookies) {
		ask_cookie(client);
		ask_cookie(server);
	}
}

/* Closes all files behind the pipes and listeners, a hundredth of a second's worth at a time. */
static void close_paced(unsigned int rate)
{
	struct timespec next;
	unsigned int left = 0;
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	clock_gettime(CLOCK_MONOTONIC, &next);
	for (int fd = 3; fd < (int)limit.rlim_cur; fd++) {
		struct sockaddr_in peer;
		socklen_t size = sizeof(peer);

		if (getpeername(fd, (struct sockaddr *)&peer, &size) < 0)
			continue;
		if (left-- == 0) {
			next.tv_nsec += NSEC_PER_SEC / 100;
			next.tv_sec += next.tv_nsec / NSEC_PER_SEC;
			next.tv_nsec %= NSEC_PER_SEC;
			clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
			left = rate / 100 - 1;
		}
		close(fd);
	}
}

/* A child: makes its part, says so with a byte, and holds it until its parent ends. What it accepts
 * may be a connection of another child, but each accepts as many as it makes. */
static void run_child(const struct child *c, const struct ports *ports, const struct orders *orders)
{
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned int i = 0; i < c->connections; i++) {
		unsigned int part = i / CONNECTIONS_PER_SOURCE;
		unsigned int port = i % ports->count;
		/* 127.CHILD.PART.2 */
		struct sockaddr_in from = address(127U << 24 | c->number << 16 | part << 8 | 2, 0);
		struct sockaddr_in to = address(INADDR_LOOPBACK, ports->first + port);

		make_connection(ports->listeners[port], &from, &to, i % 4 == 0,
				orders->wants_cookies);
	}
	if (write(orders->done, "", 1) != 1)
		die("write");
	if (read(orders->close, &byte, 1) < 0)
		die("read");
	if (orders->rate > 0)
		close_paced(orders->rate);
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

static unsigned int start_children(unsigned int connections, const struct ports *ports,
				   const struct orders *orders, int close_end,
				   struct child children[CHILDREN_MAX])
{
	unsigned int count = 0;

	for (; connections > 0 && count < CHILDREN_MAX; count++) {
		struct child *c = &children[count];

		c->number = count + 1;
		c->connections = MIN(connections, CONNECTIONS_MAX);
		connections -= c->connections;
		c->pid = fork();
		if (c->pid == 0) {
			close(close_end);
			run_child(c, ports, orders);
		}
	}
	return count;
}

static void wait_for(int done, unsigned int count)
{
	char byte;

	for (unsigned int i = 0; i < count; i++)
		if (read(done, &byte, 1) != 1)
			die("a child");
	puts("ready");
	fflush(stdout);
}

/* Until a byte comes, or the end; then all is to close, and after that the end is waited for. */
static void serve(const struct child *children, unsigned int count, int close_end)
{
	char byte;
	bool is_asked = read(STDIN_FILENO, &byte, 1) > 0;

	if (!is_asked)
		for (unsigned int i = 0; i < count; i++)
			kill(children[i].pid, SIGKILL);
	close(close_end);
	for (unsigned int i = 0; i < count; i++)
		waitpid(children[i].pid, NULL, 0);
	if (!is_asked)
		return;
	puts("closed");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		continue;
}

int main(int argc, char **argv)
{
	static struct child children[CHILDREN_MAX];
	unsigned int connections = argc >= 4 ? (unsigned int)atoi(argv[1]) : 0;
	unsigned int count = (connections + CONNECTIONS_MAX - 1) / CONNECTIONS_MAX;
	const char *option = argc == 5 ? argv[4] : "";
	int done[2], close_pipe[2];
	struct orders orders;
	struct ports ports;

	if (connections == 0 || argc > 5 || pipe(done) < 0 || pipe(close_pipe) < 0) {
		fputs("usage: make_sockets CONNECTIONS FIRST_PORT PORTS [RATE|cookies]\n", stderr);
		return EXIT_FAILURE;
	}
	raise_file_limit();
	orders = (struct orders){
		.done = done[1],
		.close = close_pipe[0],
		.rate = (unsigned int)atoi(option) / count,
		.wants_cookies = strcmp(option, "cookies") == 0,
	};
	ports = make_listeners((unsigned int)atoi(argv[2]), (unsigned int)atoi(argv[3]));
	count = start_children(connections, &ports, &orders, close_pipe[1], children);
	close(done[1]);
	wait_for(done[0], count);
	serve(children, count, close_pipe[1]);
	free(ports.listeners);
	return EXIT_SUCCESS;
}
