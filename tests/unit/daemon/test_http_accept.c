/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/http.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "daemon/io/clock.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"
#include "tests/support/test_support.h"
#include "tests/unit/daemon/http_fixture.h"

TEST_SUITE(http_accept);

/* A flood as the issue has it. */
#define SLOW_CLIENTS 500

Test(http_accept, limits_an_address)
{
	struct http_limits limits = test_limits();
	struct client_answer a;
	struct http *h;
	int fds[6], other;

	limits.per_address = 4;
	h = must_start(&limits);
	other = must_connect_slow(h, "127.0.0.2");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = must_connect_slow(h, "127.0.0.3");
	cr_assert_eq(client_wait_end(fds[0]), 0);
	cr_assert_eq(client_wait_end(fds[1]), 0);
	for (size_t i = 2; i < ARRAY_SIZE(fds); i++) {
		must_send(fds[i], END);
		cr_assert_eq(client_receive(fds[i], false, &a), 0, "%zu", i);
	}
	must_send(other, END);
	cr_assert_eq(client_receive(other, false, &a), 0);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	close(other);
	http_free(h);
}

/* Whoever has come but not yet sent is the last to make room. */
Test(http_accept, leaves_a_newcomer_its_chance)
{
	struct http_limits limits = test_limits();
	struct client_answer a;
	struct http *h;
	int slow[3], newcomer;

	limits.per_address = 2;
	h = must_start(&limits);
	slow[0] = must_connect_slow(h, NULL);
	slow[1] = must_connect_slow(h, NULL);
	newcomer = must_connect(h, NULL);
	cr_assert_eq(client_wait_end(slow[0]), 0);
	slow[2] = must_connect_slow(h, NULL);
	cr_assert_eq(client_wait_end(slow[1]), 0);
	must_send(newcomer, "GET /metrics HTTP/1.1\r\n" END);
	cr_assert_eq(client_receive(newcomer, false, &a), 0);
	for (size_t i = 0; i < ARRAY_SIZE(slow); i++)
		close(slow[i]);
	close(newcomer);
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

/* Nor does a real scraper. Here, kept from its processor between connecting and asking, it may find
 * that the flood has taken all places anew, and that it is the one which has waited longest. Where
 * this is not permitted it remains so. */
static void run_beside_others(void)
{
	const struct sched_param first = {.sched_priority = 1};

	(void)sched_setscheduler(0, SCHED_FIFO, &first);
}

static void run_among_others(void)
{
	const struct sched_param none = {0};

	(void)sched_setscheduler(0, SCHED_OTHER, &none);
}

static uint64_t longest_scrape_ns(const struct flood *f, struct http *h,
				  const struct http_limits *limits)
{
	uint64_t begin_ns, longest_ns = 0;

	run_beside_others();
	for (int i = 0; i < 50; i++) {
		await_flood(f, h, limits, f->come_again ? SLOW_CLIENTS / 5 : 0);
		begin_ns = clock_monotonic_ns();
		must_get(h, "/metrics");
		longest_ns = MAX(longest_ns, clock_monotonic_ns() - begin_ns);
	}
	run_among_others();
	return longest_ns;
}

static void check_flood(const char *name, const struct flood *how)
{
	static struct flood f;
	struct http_limits limits = test_limits();
	struct http *h = must_start(&limits);
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

Test(http_accept, serves_beside_slow_clients)
{
	check_flood("one address, staying", &(struct flood){0});
	check_flood("many addresses, staying", &(struct flood){.many_addresses = true});
	check_flood("one address, silent", &(struct flood){.silent = true});
}

Test(http_accept, serves_beside_slow_clients_that_come_again)
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

Test(http_accept, survives_without_descriptors)
{
	struct http_limits limits = test_limits();
	struct http *h = must_start(&limits);
	uint64_t begin_ns, cpu_ns;
	struct rlimit before;
	int fds[6];

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	before = must_limit_descriptors(0);
	begin_ns = clock_monotonic_ns();
	cpu_ns = process_cpu_ns();
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		cr_assert_eq(client_connect_fd(fds[i], server_port(h)), 0);
		must_send(fds[i], "GET /metrics HTTP/1.1\r\n");
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		cr_assert_eq(client_wait_end(fds[i]), 0);
	cpu_ns = process_cpu_ns() - cpu_ns;
	cr_assert(cpu_ns < (clock_monotonic_ns() - begin_ns) / 4, "spins: %.3f s of CPU",
		  (double)cpu_ns / (double)NSEC_PER_SEC);
	setrlimit(RLIMIT_NOFILE, &before);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	must_get(h, "/metrics");
	http_free(h);
}

/* Those inside, who have sent nothing, give up their descriptors. */
Test(http_accept, finds_descriptors_among_the_idle)
{
	struct http_limits limits = test_limits();
	struct http *h = must_start(&limits);
	int idle[4], late[2], r;
	struct client_answer a;
	struct rlimit before;

	for (size_t i = 0; i < ARRAY_SIZE(idle); i++)
		idle[i] = must_connect_slow(h, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(late); i++)
		late[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must_come_to(h, ARRAY_SIZE(idle));
	before = must_limit_descriptors(0);
	cr_assert_eq(client_connect_fd(late[0], server_port(h)), 0);
	must_send(late[0], "GET /metrics HTTP/1.1\r\n");
	cr_assert_eq(client_wait_end(late[0]), 0);
	cr_assert_eq(client_wait_end(idle[0]), 0);
	cr_assert_eq(client_connect_fd(late[1], server_port(h)), 0);
	must_send(late[1], "GET /metrics HTTP/1.1\r\n" END);
	r = client_receive(late[1], false, &a);
	setrlimit(RLIMIT_NOFILE, &before);
	cr_assert_eq(r, 0, "%s", strerror(-r));
	for (size_t i = 0; i < ARRAY_SIZE(idle); i++)
		close(idle[i]);
	for (size_t i = 0; i < ARRAY_SIZE(late); i++)
		close(late[i]);
	http_free(h);
}
