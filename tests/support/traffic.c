/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes TCP connections on loopback, moves bytes over each and closes it:
 *
 *     traffic [-f 4|6|mapped] [-k KEPT] [-r RATE] CONNECTIONS PORT ORDER
 *
 * in the network namespace that it is started in. On each, the client sends 10 000 bytes and the
 * server 2 000; both are read and acknowledged before the connection is closed in ORDER. The first
 * KEPT stand together before they close; of the others each is closed before the next is made, so
 * that none waits in the accept queue. At most RATE a second are made, if that is given.
 *
 * It prints "listening", "kept" when the first KEPT stand, and "done CONNECTIONS RATE", and after
 * each waits for a byte or the end of its standard input. The listener closes when it ends.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "daemon/util/macros.h"
#include "daemon/util/units.h"

#define REQUEST_BYTES    10000
#define RESPONSE_BYTES   2000
#define PATIENCE_SECONDS 120
/* What has closed first keeps its address for a minute, so there must be others. */
#define CONNECTIONS_PER_SOURCE 4000

struct pair {
	int client, server;
};

struct order {
	const char *name;
	void (*end)(const struct pair *pair);
	unsigned int unread_bytes; /* of the request */
};

struct settings {
	bool listens_v6, connects_v6;
	unsigned int kept, rate_hz, connections;
	uint16_t port;
	const struct order *order;
};

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static void set_option(int fd, int level, int name, int value)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)) < 0)
		die("setsockopt");
}

static void send_all(int fd, size_t n)
{
	static const char bytes[REQUEST_BYTES];

	while (n > 0) {
		ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);

		if (sent < 0)
			die("send");
		n -= (size_t)sent;
	}
}

static void receive_all(int fd, size_t n)
{
	char bytes[REQUEST_BYTES];

	while (n > 0) {
		ssize_t got = recv(fd, bytes, MIN(n, sizeof(bytes)), 0);

		if (got <= 0)
			die("recv");
		n -= (size_t)got;
	}
}

static void expect_end(int fd)
{
	char byte;

	if (recv(fd, &byte, 1, 0) != 0)
		die("no end of the stream");
}

static void expect_reset(int fd)
{
	char byte;

	if (recv(fd, &byte, 1, 0) >= 0 || errno != ECONNRESET)
		die("no reset");
}

static void await_end(int fd)
{
	struct pollfd p = {fd, POLLRDHUP, 0};

	if (poll(&p, 1, -1) != 1)
		die("poll");
}

/* Now, what else would wait for a segment to travel with. */
static void acknowledge(int fd)
{
	set_option(fd, IPPROTO_TCP, TCP_QUICKACK, 1);
}

static void settle(const struct pair *pair)
{
	int unacked = 1;

	acknowledge(pair->client);
	while (unacked > 0) {
		if (ioctl(pair->server, SIOCOUTQ, &unacked) < 0)
			die("SIOCOUTQ");
		if (unacked > 0)
			sched_yield();
	}
}

static void end_client_first(const struct pair *pair)
{
	close(pair->client);
	expect_end(pair->server);
	acknowledge(pair->server);
	close(pair->server);
}

static void end_server_first(const struct pair *pair)
{
	close(pair->server);
	expect_end(pair->client);
	acknowledge(pair->client);
	close(pair->client);
}

static void end_half_closed(const struct pair *pair)
{
	shutdown(pair->client, SHUT_WR);
	expect_end(pair->server);
	close(pair->server);
	expect_end(pair->client);
	close(pair->client);
}

/* A server that closes with something unread sends RST instead of FIN, and keeps its counters. */
static void end_reset(const struct pair *pair)
{
	settle(pair);
	shutdown(pair->client, SHUT_WR);
	await_end(pair->server);
	close(pair->server);
	expect_reset(pair->client);
	close(pair->client);
}

static void end_abort(int aborter, int other)
{
	static const struct linger none = {1, 0};

	setsockopt(aborter, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	close(aborter);
	expect_reset(other);
	close(other);
}

static void end_client_aborts(const struct pair *pair)
{
	settle(pair);
	end_abort(pair->client, pair->server);
}

static void end_server_aborts(const struct pair *pair)
{
	settle(pair);
	end_abort(pair->server, pair->client);
}

static const struct order orders[] = {
	{"client", end_client_first},
	{"server", end_server_first},
	{"half", end_half_closed},
	{"reset", end_reset, .unread_bytes = 1},
	{"client-aborts", end_client_aborts},
	{"server-aborts", end_server_aborts},
};

static int open_socket(bool v6)
{
	int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	return fd;
}

static int make_listener(const struct settings *s)
{
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(s->port)};
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(s->port)};
	const struct sockaddr *at = s->listens_v6 ? (const void *)&v6 : (const void *)&v4;
	int fd = open_socket(s->listens_v6);

	set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (s->listens_v6)
		set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, s->connects_v6);
	if (bind(fd, at, s->listens_v6 ? sizeof(v6) : sizeof(v4)) < 0 || listen(fd, 128) < 0)
		die("listen");
	return fd;
}

static int connect_v6(const struct settings *s)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6,
				  .sin6_port = htons(s->port),
				  .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = open_socket(true);

	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		die("connect");
	return fd;
}

/* From 127.1.PART.2 */
static int connect_v4(const struct settings *s, unsigned int part)
{
	struct sockaddr_in from = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(0x7f010002 | (part & 0xff) << 8)};
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(s->port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = open_socket(false);

	set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	if (bind(fd, (const struct sockaddr *)&from, sizeof(from)) < 0 ||
	    connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		die("connect");
	return fd;
}

/* A connection that has carried its bytes. */
static struct pair make_pair(const struct settings *s, int listener, unsigned int number)
{
	unsigned int part = number / CONNECTIONS_PER_SOURCE;
	struct pair pair;

	pair.client = s->connects_v6 ? connect_v6(s) : connect_v4(s, part);
	pair.server = accept(listener, NULL, NULL);
	if (pair.server < 0)
		die("accept");
	send_all(pair.client, REQUEST_BYTES);
	receive_all(pair.server, REQUEST_BYTES - s->order->unread_bytes);
	send_all(pair.server, RESPONSE_BYTES);
	receive_all(pair.client, RESPONSE_BYTES);
	return pair;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
}

/* Waits until connection NUMBER is due. */
static void keep_pace(const struct settings *s, uint64_t start_ns, unsigned int number)
{
	uint64_t due_ns;
	struct timespec due;

	if (s->rate_hz == 0)
		return;
	due_ns = start_ns + number * NSEC_PER_SEC / s->rate_hz;
	due.tv_sec = (time_t)(due_ns / NSEC_PER_SEC);
	due.tv_nsec = (long)(due_ns % NSEC_PER_SEC);
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR)
		continue;
}

static void say(const char *line)
{
	char byte;

	puts(line);
	fflush(stdout);
	if (read(STDIN_FILENO, &byte, 1) < 0)
		die("stdin");
}

static void keep(const struct settings *s, int listener)
{
	struct pair *pairs = calloc(s->kept + 1, sizeof(*pairs));
	uint64_t start_ns = now_ns();

	if (!pairs)
		die("calloc");
	for (unsigned int i = 0; i < s->kept; i++) {
		keep_pace(s, start_ns, i);
		pairs[i] = make_pair(s, listener, i);
	}
	say("kept");
	for (unsigned int i = 0; i < s->kept; i++)
		s->order->end(&pairs[i]);
	free(pairs);
}

static void run(const struct settings *s)
{
	unsigned int count = s->connections - s->kept;
	int listener = make_listener(s);
	uint64_t start_ns;
	char line[64];

	say("listening");
	if (s->kept > 0)
		keep(s, listener);
	start_ns = now_ns();
	for (unsigned int i = 0; i < count; i++) {
		struct pair pair;

		keep_pace(s, start_ns, i);
		pair = make_pair(s, listener, s->kept + i);
		s->order->end(&pair);
	}
	snprintf(line, sizeof(line), "done %u %.0f", s->connections,
		 count * 1e9 / (double)(now_ns() - start_ns + 1));
	say(line);
	close(listener);
}

static bool parse(int argc, char **argv, struct settings *s)
{
	int option;

	while ((option = getopt(argc, argv, "f:k:r:")) != -1) {
		if (option == 'f') {
			s->connects_v6 = strcmp(optarg, "6") == 0;
			s->listens_v6 = s->connects_v6 || strcmp(optarg, "mapped") == 0;
		} else if (option == 'k') {
			s->kept = (unsigned int)atoi(optarg);
		} else if (option == 'r') {
			s->rate_hz = (unsigned int)atoi(optarg);
		} else {
			return false;
		}
	}
	if (argc - optind != 3)
		return false;
	s->connections = (unsigned int)atoi(argv[optind]);
	s->port = (uint16_t)atoi(argv[optind + 1]);
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++)
		if (strcmp(orders[i].name, argv[optind + 2]) == 0)
			s->order = &orders[i];
	return s->order && s->kept <= s->connections;
}

int main(int argc, char **argv)
{
	struct settings s = {0};
	struct rlimit limit;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(PATIENCE_SECONDS);
	if (!parse(argc, argv, &s)) {
		fputs("usage: traffic [-f 4|6|mapped] [-k KEPT] [-r RATE] CONNECTIONS PORT "
		      "client|server|half|reset|client-aborts|server-aborts\n",
		      stderr);
		return EXIT_FAILURE;
	}
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	run(&s);
	return EXIT_SUCCESS;
}
