/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/http.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/io/clock.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"
#include "tests/support/test_support.h"
#include "tests/unit/daemon/http_client.h"

TEST_SUITE(http);

/* A flood as the issue has it. */
#define SLOW_CLIENTS 500

static struct http *start(const struct http_limits *limits)
{
	struct http_settings settings = {.routes = test_routes, .route_count = test_route_count};
	struct http *h;
	int r;

	settings.limits = *limits;
	r = server_start("127.0.0.1:0", &settings, &h);
	cr_assert_eq(r, 0, "%s", strerror(-r));
	return h;
}

static int connect_from(struct http *h, const char *source)
{
	int fd = client_connect(server_port(h), source);

	cr_assert(fd >= 0, "%s", strerror(-fd));
	return fd;
}

static void send_text(int fd, const char *text)
{
	int r = client_send(fd, text);

	cr_assert_eq(r, 0, "%s", strerror(-r));
}

/* The same, and the server's kernel has it. */
static void send_through(int fd, const char *text)
{
	int unacknowledged = 1;

	send_text(fd, text);
	while (ioctl(fd, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged > 0)
		poll(NULL, 0, 1);
	cr_assert_eq(unacknowledged, 0);
}

/* A connection that waits for its request to become whole. */
static int connect_slow(struct http *h, const char *source)
{
	int fd = connect_from(h, source);

	send_text(fd, "GET /metrics HTTP/1.1\r\n");
	return fd;
}

static void get_ok(struct http *h, const char *path)
{
	struct client_answer a;
	int r = client_get(server_port(h), path, &a);

	cr_assert_eq(r, 0, "%s", strerror(-r));
	cr_assert_eq(a.status, 200);
}

static void wait_connections(struct http *h, unsigned int n)
{
	uint64_t by_ns = clock_monotonic_ns() + CLIENT_PATIENCE_S * NSEC_PER_SEC;

	while (http_connections(h) != n && clock_monotonic_ns() < by_ns)
		poll(NULL, 0, 1);
	cr_assert_eq(http_connections(h), n);
}

/* One request on one connection. */
struct request_case {
	const char *name;
	const char *request;
	unsigned int status;
	const char *header; /* a line of the head, or NULL */
	const char *body;   /* NULL: any */
	bool stays_open;
};

#define HOST "Host: test\r\n"
#define END  HOST "\r\n"
#define TEXT "Content-Type: text/plain; charset=utf-8"

static const struct request_case request_cases[] = {
	{"get", "GET /metrics HTTP/1.1\r\n" END, 200, TEXT, "up 1\n", true},
	{"query", "GET /metrics?a=b&c HTTP/1.1\r\n" END, 200, TEXT, "up 1\n", true},
	{"status of the route", "GET /-/ready HTTP/1.1\r\n" END, 503, TEXT, "not yet\n", true},
	{"type of the route", "GET /typed HTTP/1.1\r\n" END, 200,
	 "Content-Type: text/html; charset=utf-8", "<p>\n", true},
	{"empty", "GET /empty HTTP/1.1\r\n" END, 200, "Content-Length: 0", "", true},
	{"date", "GET /metrics HTTP/1.1\r\n" END, 200, "Date: ", NULL, true},
	{"head", "HEAD /metrics HTTP/1.1\r\n" END, 200, "Content-Length: 5", "", true},
	{"head of nothing", "HEAD /nothing HTTP/1.1\r\n" END, 404, TEXT, "", true},
	{"unknown", "GET /nothing HTTP/1.1\r\n" END, 404, TEXT, "Not Found\n", true},
	{"a path's beginning", "GET /metric HTTP/1.1\r\n" END, 404, TEXT, NULL, true},
	{"a path and more", "GET /metrics/ HTTP/1.1\r\n" END, 404, TEXT, NULL, true},
	{"out of memory", "GET /broken HTTP/1.1\r\n" END, 500, TEXT, "Internal Server Error\n",
	 true},
	{"get with a body", "GET /metrics HTTP/1.1\r\nContent-Length: 5\r\n" END "hello", 200, NULL,
	 "up 1\n", true},
	{"get with a chunked body",
	 "GET /metrics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" END "5\r\nhello\r\n0\r\n\r\n",
	 200, NULL, "up 1\n", true},
	{"get with a long body", "GET /metrics HTTP/1.1\r\nContent-Length: 65537\r\n" END, 413,
	 TEXT, "Content Too Large\n", false},
	{"post", "POST /metrics HTTP/1.1\r\nContent-Length: 1\r\n" END, 405, "Allow: GET, HEAD",
	 "Method Not Allowed\n", false},
	{"post to nothing", "POST /nothing HTTP/1.1\r\nContent-Length: 1\r\n" END, 405,
	 "Allow: GET, HEAD", NULL, false},
	{"a body longer than any",
	 "PUT /metrics HTTP/1.1\r\nContent-Length: 1000000000000000000\r\n" END, 405,
	 "Allow: GET, HEAD", NULL, false},
	{"options", "OPTIONS /metrics HTTP/1.1\r\n" END, 405, "Allow: GET, HEAD", NULL, false},
	{"no method of HTTP", "BREW /metrics HTTP/1.1\r\n" END, 405, "Allow: GET, HEAD", NULL,
	 false},
	{"no host", "GET /metrics HTTP/1.1\r\n\r\n", 400, NULL, NULL, false},
	{"negative length", "GET /metrics HTTP/1.1\r\nContent-Length: -1\r\n" END, 400, NULL, NULL,
	 false},
	{"not kept", "GET /metrics HTTP/1.1\r\nConnection: close\r\n" END, 200, "Connection: close",
	 "up 1\n", false},
};

static void check_request(struct http *h, const struct request_case *c)
{
	bool head_only = strncmp(c->request, "HEAD", 4) == 0;
	int fd = connect_from(h, NULL);
	struct client_answer a;
	int r;

	send_text(fd, c->request);
	r = client_receive(fd, head_only, &a);
	cr_assert_eq(r, 0, "%s: %s", c->name, strerror(-r));
	cr_assert_eq(a.status, c->status, "%s: %u", c->name, a.status);
	cr_assert(!c->header || strstr(a.head, c->header), "%s: %s", c->name, a.head);
	cr_assert(!c->body || strcmp(a.body, c->body) == 0, "%s: %s", c->name, a.body);
	if (c->stays_open) {
		send_text(fd, "GET /metrics HTTP/1.1\r\n" END);
		r = client_receive(fd, false, &a);
		cr_assert(r == 0 && a.status == 200, "%s: not kept alive", c->name);
		cr_assert_str_eq(a.body, "up 1\n", "%s: %s", c->name, a.body);
	} else {
		cr_assert_eq(client_wait_end(fd), 0, "%s: kept alive", c->name);
	}
	close(fd);
}

Test(http, answers)
{
	struct http_limits limits = test_limits();
	struct http *h = start(&limits);

	for (size_t i = 0; i < ARRAY_SIZE(request_cases); i++)
		check_request(h, &request_cases[i]);
	http_free(h);
}

/* A request that is longer than its place. */
static void check_long(struct http *h, const char *before, const char *after, unsigned int status)
{
	static char request[40960];
	int fd = connect_from(h, NULL);
	struct client_answer a;

	memset(request, 'x', sizeof(request) - 1);
	memcpy(request, before, strlen(before));
	memcpy(&request[sizeof(request) - 1 - strlen(after)], after, strlen(after));
	/* The server may have ended the connection before all of it was sent. */
	client_send(fd, request);
	cr_assert_eq(client_receive(fd, false, &a), 0, "%s", before);
	cr_assert_eq(a.status, status, "%s: %u", before, a.status);
	cr_assert_eq(client_wait_end(fd), 0);
	close(fd);
}

Test(http, refuses_long_heads)
{
	struct http_limits limits = test_limits();
	struct http *h = start(&limits);

	check_long(h, "GET /metrics HTTP/1.1\r\nHost: test\r\nX: ", "\r\n\r\n", 431);
	check_long(h, "GET /", " HTTP/1.1\r\nHost: test\r\n\r\n", 414);
	get_ok(h, "/metrics");
	http_free(h);
}

Test(http, ends_a_body_without_end)
{
	struct http_limits limits = test_limits();
	struct http *h = start(&limits);
	int fd = connect_from(h, NULL);
	char chunk[1024];
	int r = 0;

	memset(chunk, 'x', sizeof(chunk));
	memcpy(chunk, "3f7\r\n", 5);
	memcpy(&chunk[sizeof(chunk) - 4], "\r\n", 3);
	send_text(fd, "GET /metrics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" END);
	for (int i = 0; i < 4096 && r == 0; i++)
		r = client_send(fd, chunk);
	cr_assert(r == -EPIPE || r == -ECONNRESET, "%s", strerror(-r));
	close(fd);
	http_free(h);
}

Test(http, keeps_alive)
{
	struct http_limits limits = test_limits();
	struct http *h = start(&limits);
	int fd = connect_from(h, NULL);
	struct client_answer a;

	for (int i = 0; i < 100; i++) {
		send_text(fd, i % 2 ? "GET /nothing HTTP/1.1\r\n" END
				    : "GET /metrics HTTP/1.1\r\n" END);
		cr_assert_eq(client_receive(fd, false, &a), 0);
		cr_assert_eq(a.status, i % 2 ? 404 : 200);
	}
	cr_assert_eq(http_connections(h), 1);
	close(fd);
	wait_connections(h, 0);
	http_free(h);
}

static void count_answer(void *userdata, int route, unsigned int status)
{
	_Atomic unsigned int *seen = userdata;

	*seen = *seen * 10000 + (unsigned int)(route + 1) * 1000 + status;
}

Test(http, observes)
{
	_Atomic unsigned int seen = 0;
	struct http_settings settings = {
		.routes = test_routes,
		.route_count = test_route_count,
		.observe = count_answer,
		.observe_userdata = (void *)&seen,
		.limits = test_limits(),
	};
	struct client_answer a;
	struct http *h;

	cr_assert_eq(server_start("127.0.0.1:0", &settings, &h), 0);
	cr_assert_eq(client_get(server_port(h), "/-/ready", &a), 0);
	cr_assert_eq(client_get(server_port(h), "/nothing", &a), 0);
	http_free(h);
	cr_assert_eq(seen, 25030404, "%u", seen);
}

Test(http, ends_a_drip)
{
	struct http_limits limits = test_limits();
	struct pollfd waiting = {.events = POLLIN};
	struct http *h;
	int dripped = 0;

	limits.request_deadline_ns = 300 * NSEC_PER_MSEC;
	h = start(&limits);
	waiting.fd = connect_from(h, NULL);
	send_text(waiting.fd, "GET /metrics HTTP/1.1\r\nX: ");
	while (poll(&waiting, 1, 20) == 0 && dripped++ < 1000)
		client_send(waiting.fd, "x");
	cr_assert(dripped < 1000);
	cr_assert_eq(client_wait_end(waiting.fd), 0);
	close(waiting.fd);
	get_ok(h, "/metrics");
	http_free(h);
}

Test(http, ends_the_inactive)
{
	struct http_limits limits = test_limits();
	struct http *h;
	int fd;

	limits.inactivity_ns = 100 * NSEC_PER_MSEC;
	h = start(&limits);
	fd = connect_slow(h, NULL);
	cr_assert_eq(client_wait_end(fd), 0);
	close(fd);
	http_free(h);
}

Test(http, ends_a_slow_reader)
{
	struct http_limits limits = test_limits();
	struct client_answer a;
	struct http *h;
	int fd;

	limits.response_deadline_ns = 300 * NSEC_PER_MSEC;
	h = start(&limits);
	fd = connect_from(h, NULL);
	send_text(fd, "GET " BIG_PATH " HTTP/1.1\r\n" END);
	/* What the kernel has taken on is still delivered; the rest is not. */
	cr_assert_eq(recv(fd, &(char){0}, 1, MSG_PEEK), 1);
	wait_connections(h, 0);
	cr_assert_eq(client_receive(fd, false, &a), -EPROTO);
	cr_assert_eq(a.length, BIG_SIZE);
	cr_assert(a.intact && a.received < a.length, "%zu", a.received);
	close(fd);
	get_ok(h, "/metrics");
	http_free(h);
}

Test(http, limits_an_address)
{
	struct http_limits limits = test_limits();
	struct client_answer a;
	struct http *h;
	int fds[6], other;

	limits.per_address = 4;
	h = start(&limits);
	other = connect_slow(h, "127.0.0.2");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = connect_slow(h, "127.0.0.3");
	cr_assert_eq(client_wait_end(fds[0]), 0);
	cr_assert_eq(client_wait_end(fds[1]), 0);
	for (size_t i = 2; i < ARRAY_SIZE(fds); i++) {
		send_text(fds[i], END);
		cr_assert_eq(client_receive(fds[i], false, &a), 0, "%zu", i);
	}
	send_text(other, END);
	cr_assert_eq(client_receive(other, false, &a), 0);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	close(other);
	http_free(h);
}

/* Clients that send half a head and no more; and that come again as soon as they are ended. */
struct flood {
	uint16_t port;
	bool many_addresses;
	bool silent; /* not even half a head */
	bool come_again;
	_Atomic bool end;
	_Atomic unsigned int comings;
	struct pollfd fds[SLOW_CLIENTS];
};

/* Without waiting: a flood does not care who of it is still on its way. */
static void flood_connect(struct flood *f, int i)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(f->port)};
	struct sockaddr_in from = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 256 + (uint32_t)(i % 250));
	if (f->many_addresses)
		bind(fd, (struct sockaddr *)&from, sizeof(from));
	connect(fd, (struct sockaddr *)&to, sizeof(to));
	f->fds[i] = (struct pollfd){.fd = fd, .events = POLLOUT};
}

static void flood_step(struct flood *f, int i)
{
	struct pollfd *p = &f->fds[i];

	if (p->revents == POLLOUT) {
		if (!f->silent)
			client_send(p->fd, "GET /metrics HTTP/1.1\r\nHost: te");
		p->events = POLLIN;
		f->comings++;
	} else if (p->revents) {
		close(p->fd);
		p->fd = -1;
		if (f->come_again)
			flood_connect(f, i);
	}
}

static void *flood_run(void *userdata)
{
	struct flood *f = userdata;

	/* A real one does not run on the server's processors. */
	if (nice(10) < 0)
		return NULL;
	while (!f->end) {
		poll(f->fds, SLOW_CLIENTS, 10);
		for (int i = 0; i < SLOW_CLIENTS; i++)
			flood_step(f, i);
	}
	return NULL;
}

/* Until all places are taken, and N times more a client of the flood has come. */
static void await_flood(const struct flood *f, struct http *h, const struct http_limits *limits,
			unsigned int n)
{
	unsigned int places = f->many_addresses ? limits->connections : limits->per_address;
	uint64_t by_ns = clock_monotonic_ns() + CLIENT_PATIENCE_S * NSEC_PER_SEC;
	unsigned int comings = f->comings;

	/* One was made for the scrape before. */
	while (http_connections(h) + 1 < places || f->comings < comings + n) {
		cr_assert(clock_monotonic_ns() < by_ns, "no flood");
		poll(NULL, 0, 1);
	}
}

static uint64_t longest_scrape_ns(const struct flood *f, struct http *h,
				  const struct http_limits *limits)
{
	uint64_t begin_ns, longest_ns = 0;

	for (int i = 0; i < 50; i++) {
		await_flood(f, h, limits, f->come_again ? SLOW_CLIENTS / 5 : 0);
		begin_ns = clock_monotonic_ns();
		get_ok(h, "/metrics");
		longest_ns = MAX(longest_ns, clock_monotonic_ns() - begin_ns);
	}
	return longest_ns;
}

static void check_flood(const char *name, const struct flood *how)
{
	static struct flood f;
	struct http_limits limits = test_limits();
	struct http *h = start(&limits);
	uint64_t longest_ns;
	pthread_t thread;

	f = *how;
	f.port = server_port(h);
	for (int i = 0; i < SLOW_CLIENTS; i++)
		flood_connect(&f, i);
	cr_assert_eq(pthread_create(&thread, NULL, flood_run, &f), 0);
	while (f.comings < SLOW_CLIENTS)
		poll(NULL, 0, 1);
	longest_ns = longest_scrape_ns(&f, h, &limits);
	f.end = true;
	pthread_join(thread, NULL);
	for (int i = 0; i < SLOW_CLIENTS; i++)
		close(f.fds[i].fd);
	http_free(h);
	printf("%s: longest scrape %.1f ms beside %u slow connections\n", name,
	       (double)longest_ns / (double)NSEC_PER_MSEC, f.comings);
	cr_assert(longest_ns < NSEC_PER_SEC, "%s: %.3f s", name,
		  (double)longest_ns / (double)NSEC_PER_SEC);
}

Test(http, serves_beside_slow_clients)
{
	check_flood("one address, staying", &(struct flood){0});
	check_flood("many addresses, staying", &(struct flood){.many_addresses = true});
	check_flood("one address, silent", &(struct flood){.silent = true});
}

Test(http, serves_beside_slow_clients_that_come_again)
{
	check_flood("one address, coming again", &(struct flood){.come_again = true});
	check_flood("many addresses, coming again",
		    &(struct flood){.many_addresses = true, .come_again = true});
}

static uint64_t process_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
}

/* As many descriptors as there are now, and MORE. Returns what to restore. */
static struct rlimit limit_descriptors(unsigned int more)
{
	struct rlimit before, few;
	int next = dup(0);

	close(next);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = (rlim_t)next + more;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	return before;
}

Test(http, survives_without_descriptors)
{
	struct http_limits limits = test_limits();
	struct http *h = start(&limits);
	uint64_t begin_ns, cpu_ns;
	struct rlimit before;
	int fds[6];

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	before = limit_descriptors(0);
	begin_ns = clock_monotonic_ns();
	cpu_ns = process_cpu_ns();
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		cr_assert_eq(client_connect_fd(fds[i], server_port(h)), 0);
		send_text(fds[i], "GET /metrics HTTP/1.1\r\n");
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		cr_assert_eq(client_wait_end(fds[i]), 0);
	cpu_ns = process_cpu_ns() - cpu_ns;
	cr_assert(cpu_ns < (clock_monotonic_ns() - begin_ns) / 4, "spins: %.3f s of CPU",
		  (double)cpu_ns / (double)NSEC_PER_SEC);
	setrlimit(RLIMIT_NOFILE, &before);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	get_ok(h, "/metrics");
	http_free(h);
}

/* Those inside, who have sent nothing, give up their descriptors. */
Test(http, finds_descriptors_among_the_idle)
{
	struct http_limits limits = test_limits();
	struct http *h = start(&limits);
	int idle[4], late[2], r;
	struct client_answer a;
	struct rlimit before;

	for (size_t i = 0; i < ARRAY_SIZE(idle); i++)
		idle[i] = connect_slow(h, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(late); i++)
		late[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	wait_connections(h, ARRAY_SIZE(idle));
	before = limit_descriptors(0);
	cr_assert_eq(client_connect_fd(late[0], server_port(h)), 0);
	send_text(late[0], "GET /metrics HTTP/1.1\r\n");
	cr_assert_eq(client_wait_end(late[0]), 0);
	cr_assert_eq(client_wait_end(idle[0]), 0);
	cr_assert_eq(client_connect_fd(late[1], server_port(h)), 0);
	send_text(late[1], "GET /metrics HTTP/1.1\r\n" END);
	r = client_receive(late[1], false, &a);
	setrlimit(RLIMIT_NOFILE, &before);
	cr_assert_eq(r, 0, "%s", strerror(-r));
	for (size_t i = 0; i < ARRAY_SIZE(idle); i++)
		close(idle[i]);
	for (size_t i = 0; i < ARRAY_SIZE(late); i++)
		close(late[i]);
	http_free(h);
}

static void *stop(void *userdata)
{
	http_stop(userdata, CLIENT_PATIENCE_S * NSEC_PER_SEC);
	return NULL;
}

Test(http, stop_finishes_what_is_under_way)
{
	struct http_limits limits = test_limits();
	struct http *h = start(&limits);
	uint16_t port = server_port(h);
	int idle = connect_from(h, NULL);
	int half = connect_slow(h, NULL);
	int busy = connect_from(h, NULL);
	struct client_answer a;
	pthread_t thread;

	send_text(idle, "GET /metrics HTTP/1.1\r\n" END);
	cr_assert_eq(client_receive(idle, false, &a), 0);
	send_text(busy, "GET " BIG_PATH " HTTP/1.1\r\n" END);
	cr_assert_eq(recv(busy, &(char){0}, 1, MSG_PEEK), 1);
	cr_assert_eq(pthread_create(&thread, NULL, stop, h), 0);
	cr_assert_eq(client_wait_end(idle), 0);
	cr_assert_eq(client_wait_end(half), 0);
	cr_assert_eq(client_connect(port, NULL), -ECONNREFUSED);
	cr_assert_eq(client_receive(busy, false, &a), 0);
	cr_assert(a.received == BIG_SIZE && a.intact, "%zu", a.received);
	cr_assert_eq(client_wait_end(busy), 0);
	pthread_join(thread, NULL);
	cr_assert_eq(http_connections(h), 0);
	close(idle);
	close(half);
	close(busy);
	http_free(h);
}

Test(http, stop_waits_no_longer_than_its_grace)
{
	struct http_limits limits = test_limits();
	struct http *h = start(&limits);
	int busy = connect_from(h, NULL);
	struct client_answer a;

	send_text(busy, "GET " BIG_PATH " HTTP/1.1\r\n" END);
	cr_assert_eq(recv(busy, &(char){0}, 1, MSG_PEEK), 1);
	http_stop(h, 100 * NSEC_PER_MSEC);
	cr_assert_eq(client_receive(busy, false, &a), -EPROTO);
	close(busy);
	http_free(h);
}

/* A request that is there when the server is told to stop is answered, accepted or not. */
Test(http, stop_answers_who_is_in_the_queue)
{
	struct http_limits limits = test_limits();
	struct client_answer a;
	struct http *h;
	int fd, r;

	for (int i = 0; i < 100; i++) {
		h = start(&limits);
		fd = connect_from(h, NULL);
		send_through(fd, "GET /metrics HTTP/1.1\r\n" END);
		http_stop(h, NSEC_PER_SEC);
		r = client_receive(fd, false, &a);
		cr_assert(r == 0 && a.status == 200, "%d: %s", i, strerror(-r));
		close(fd);
		http_free(h);
	}
}

static struct http_listeners *listen_to(const char *address, struct http *h)
{
	char *addresses[] = {(char *)address};
	struct http_listeners *listeners;
	unsigned int failed;
	int r;

	r = http_listeners_new(addresses, 1, http_current_listeners(h), &listeners, &failed);
	cr_assert_eq(r, 0, "%s: %s", address, strerror(-r));
	return listeners;
}

Test(http, configure_is_in_force_when_it_returns)
{
	struct http_limits limits = test_limits();
	struct http *h = start(&limits);
	uint16_t old = server_port(h);
	int kept = connect_from(h, NULL);
	struct client_answer a;
	char path[] = "/other";

	send_text(kept, "GET /metrics HTTP/1.1\r\n" END);
	cr_assert_eq(client_receive(kept, false, &a), 0);
	cr_assert_eq(http_configure(h, listen_to("127.0.0.1:0", h), &limits, path), 0);
	cr_assert_eq(server_port(h), old, "the same address is the same socket");
	path[1] = 'x';
	cr_assert_eq(client_get(old, "/other", &a), 0);
	cr_assert_eq(a.status, 200);
	cr_assert_eq(client_get(old, "/metrics", &a), 0);
	cr_assert_eq(a.status, 404);

	cr_assert_eq(http_configure(h, listen_to("127.0.0.2:0", h), &limits, "/metrics"), 0);
	cr_assert_eq(client_connect(old, NULL), -ECONNREFUSED);
	send_text(kept, "GET /metrics HTTP/1.1\r\n" END);
	cr_assert_eq(client_receive(kept, false, &a), 0, "a connection outlives its listener");

	limits.connections = 1;
	cr_assert_eq(http_configure(h, listen_to("127.0.0.1:0", h), &limits, "/metrics"), 0);
	get_ok(h, "/metrics");
	cr_assert_eq(client_wait_end(kept), 0);
	close(kept);
	http_free(h);
}

/* Who is in the queue of a socket that is let go. */
Test(http, configure_leaves_nobody_behind)
{
	struct http_limits limits = test_limits();
	struct http *h = start(&limits);
	struct client_answer a;
	char address[32];
	int fd, r;

	for (int i = 0; i < 100; i++) {
		snprintf(address, sizeof(address), "%s:%u", i % 2 ? "127.0.0.1" : "0.0.0.0",
			 server_port(h));
		fd = connect_from(h, NULL);
		send_through(fd, "GET /metrics HTTP/1.1\r\n" END);
		r = http_configure(h, listen_to(address, h), &limits, "/metrics");
		cr_assert_eq(r, 0);
		r = client_receive(fd, false, &a);
		cr_assert(r == 0 && a.status == 200, "%d: %s", i, strerror(-r));
		close(fd);
	}
	http_free(h);
}

Test(http, beats)
{
	struct http_limits limits = test_limits();
	struct http *h = start(&limits);
	uint64_t first_ns = http_heartbeat_ns(h);
	uint64_t by_ns = clock_monotonic_ns() + CLIENT_PATIENCE_S * NSEC_PER_SEC;

	while (http_heartbeat_ns(h) == first_ns && clock_monotonic_ns() < by_ns)
		poll(NULL, 0, 1);
	cr_assert_gt(http_heartbeat_ns(h), first_ns);
	http_free(h);
}

/* Each step of the start fails once. */
Test(http, start_fails_cleanly)
{
	struct http_settings settings = {
		.routes = test_routes, .route_count = test_route_count, .limits = test_limits()};
	struct rlimit before;
	unsigned int more = 0;
	struct http *h;
	int r;

	do {
		before = limit_descriptors(more++);
		r = server_start("127.0.0.1:0", &settings, &h);
		setrlimit(RLIMIT_NOFILE, &before);
		cr_assert(r == 0 || r == -EMFILE, "%u: %s", more, strerror(-r));
	} while (r < 0 && more < 50);
	cr_assert(r == 0 && more > 5, "%u", more);
	get_ok(h, "/metrics");
	http_free(h);
}

Test(http, stops_twice_and_unstarted)
{
	struct http_settings settings = {.routes = test_routes, .route_count = test_route_count};
	struct http_limits limits = test_limits();
	struct http *h = start(&limits);

	http_stop(h, 0);
	http_stop(h, 0);
	http_free(h);
	cr_assert_eq(http_new(&settings, &h), 0);
	http_stop(h, 0);
	http_free(h);
	http_free(NULL);
}
