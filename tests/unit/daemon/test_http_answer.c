/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/http_answer.h"

#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/daemon/http_fixture.h"

TEST_SUITE(http_answer);

/* One request on one connection. */
struct request_case {
	const char *name;
	const char *request;
	unsigned int status;
	const char *header; /* a line of the head, or NULL */
	const char *body;   /* NULL: any */
	bool stays_open;
};

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
	{"an action", "POST /act HTTP/1.1\r\n" END, 200, TEXT, "done\n", true},
	{"an action by put", "PUT /act HTTP/1.1\r\n" END, 200, TEXT, "done\n", true},
	{"an action with a body", "POST /act HTTP/1.1\r\nContent-Length: 5\r\n" END "hello", 200,
	 TEXT, "done\n", true},
	{"an action with a long body", "POST /act HTTP/1.1\r\nContent-Length: 65537\r\n" END, 413,
	 TEXT, "Content Too Large\n", false},
	{"an action by get", "GET /act HTTP/1.1\r\n" END, 405, "Allow: POST, PUT",
	 "Method Not Allowed\n", false},
	{"an action by head", "HEAD /act HTTP/1.1\r\n" END, 405, "Allow: POST, PUT", "", false},
	{"an action by delete", "DELETE /act HTTP/1.1\r\n" END, 405, "Allow: POST, PUT", NULL,
	 false},
	{"of our page", "POST /act HTTP/1.1\r\nOrigin: http://localhost\r\n" END, 200, TEXT,
	 "done\n", true},
	{"of our page, by TLS", "POST /act HTTP/1.1\r\nOrigin: https://LOCALHOST\r\n" END, 200,
	 TEXT, "done\n", true},
	{"of another page", "POST /act HTTP/1.1\r\nOrigin: http://elsewhere\r\n" END, 403, TEXT,
	 "Forbidden to pages of other origins\n", false},
	{"of another port", "PUT /act HTTP/1.1\r\nOrigin: http://localhost:8080\r\n" END, 403, TEXT,
	 NULL, false},
	{"of a name that begins alike",
	 "POST /act HTTP/1.1\r\nOrigin: http://localhost.elsewhere\r\n" END, 403, TEXT, NULL,
	 false},
	{"of a name that ends alike", "POST /act HTTP/1.1\r\nOrigin: http://a.localhost\r\n" END,
	 403, TEXT, NULL, false},
	{"of a name that may be anybody's",
	 "POST /act HTTP/1.1\r\nOrigin: http://a.example\r\nHost: a.example\r\n\r\n", 403, TEXT,
	 NULL, false},
	{"of an address",
	 "POST /act HTTP/1.1\r\nOrigin: http://10.0.0.1:80\r\nHost: 10.0.0.1:80\r\n\r\n", 200, TEXT,
	 "done\n", true},
	{"of an address of IPv6",
	 "POST /act HTTP/1.1\r\nOrigin: http://[::1]:17625\r\nHost: [::1]:17625\r\n\r\n", 200, TEXT,
	 "done\n", true},
	{"of a name like an address",
	 "POST /act HTTP/1.1\r\nOrigin: http://10.0.0.1.a\r\nHost: 10.0.0.1.a\r\n\r\n", 403, TEXT,
	 NULL, false},
	{"of nobody", "POST /act HTTP/1.1\r\nOrigin: null\r\n" END, 403, TEXT, NULL, false},
	{"an empty origin", "POST /act HTTP/1.1\r\nOrigin:\r\n" END, 403, TEXT, NULL, false},
	{"get of another page", "GET /metrics HTTP/1.1\r\nOrigin: http://elsewhere\r\n" END, 200,
	 TEXT, "up 1\n", true},
	{"no host", "GET /metrics HTTP/1.1\r\n\r\n", 400, NULL, NULL, false},
	{"negative length", "GET /metrics HTTP/1.1\r\nContent-Length: -1\r\n" END, 400, NULL, NULL,
	 false},
	{"not kept", "GET /metrics HTTP/1.1\r\nConnection: close\r\n" END, 200, "Connection: close",
	 "up 1\n", false},
};

static void check_request(struct http *h, const struct request_case *c)
{
	bool head_only = strncmp(c->request, "HEAD", 4) == 0;
	int fd = must_connect(h, NULL);
	struct client_answer a;
	int r;

	must_send(fd, c->request);
	r = client_receive(fd, head_only, &a);
	cr_assert_eq(r, 0, "%s: %s", c->name, strerror(-r));
	cr_assert_eq(a.status, c->status, "%s: %u", c->name, a.status);
	cr_assert(!c->header || strstr(a.head, c->header), "%s: %s", c->name, a.head);
	cr_assert(!c->body || strcmp(a.body, c->body) == 0, "%s: %s", c->name, a.body);
	if (c->stays_open) {
		must_send(fd, "GET /metrics HTTP/1.1\r\n" END);
		r = client_receive(fd, false, &a);
		cr_assert(r == 0 && a.status == 200, "%s: not kept alive", c->name);
		cr_assert_str_eq(a.body, "up 1\n", "%s: %s", c->name, a.body);
	} else {
		cr_assert_eq(client_wait_end(fd), 0, "%s: kept alive", c->name);
	}
	close(fd);
}

Test(http_answer, answers)
{
	struct http_limits limits = test_limits();
	struct http *h = must_start(&limits);

	for (size_t i = 0; i < ARRAY_SIZE(request_cases); i++)
		check_request(h, &request_cases[i]);
	http_free(h);
}

/* A request that is longer than its place. */
static void check_long(struct http *h, const char *before, const char *after, unsigned int status)
{
	static char request[40960];
	int fd = must_connect(h, NULL);
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

Test(http_answer, refuses_long_heads)
{
	struct http_limits limits = test_limits();
	struct http *h = must_start(&limits);

	check_long(h, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: ", "\r\n\r\n", 431);
	check_long(h, "GET /", " HTTP/1.1\r\nHost: localhost\r\n\r\n", 414);
	must_get(h, "/metrics");
	http_free(h);
}

/* A server whose route 0 is that of PATH. */
static struct http *must_start_with_first(const char *path, unsigned int first_answers)
{
	struct http_settings settings = {.limits = test_limits()};
	unsigned int first = 0;
	struct http *h;

	while (strcmp(test_routes[first].path, path) != 0)
		first++;
	settings.routes = &test_routes[first];
	settings.route_count = test_route_count - first;
	settings.limits.first_answers = first_answers;
	cr_assert_eq(server_start("127.0.0.1:0", &settings, &h), 0);
	return h;
}

/* A client that has been sent the beginning of an answer, and reads no further. */
static int must_read_slowly(struct http *h)
{
	int fd = must_connect(h, NULL);
	char first[13] = "";

	must_send(fd, "GET " BIG_PATH " HTTP/1.1\r\n" END);
	cr_assert_eq(recv(fd, first, 12, MSG_PEEK | MSG_WAITALL), 12);
	cr_assert_str_eq(first, "HTTP/1.1 200");
	return fd;
}

static void must_be_refused(struct http *h, const char *path, const char *body)
{
	struct client_answer a;

	cr_assert_eq(client_get(server_port(h), path, &a), 0);
	cr_assert_eq(a.status, 503, "%u", a.status);
	cr_assert_str_eq(a.body, body);
}

Test(http_answer, limits_the_answers_of_the_first)
{
	struct http *h = must_start_with_first(BIG_PATH, 2);
	struct client_answer a;
	int fds[3];

	fds[0] = must_read_slowly(h);
	fds[1] = must_read_slowly(h);
	for (int i = 0; i < 5; i++)
		must_be_refused(h, BIG_PATH,
				"Limit of concurrent requests reached (2), try again later.\n");
	must_get(h, "/empty");
	cr_assert_eq(client_receive(fds[0], false, &a), 0);
	cr_assert(a.intact && a.received == BIG_SIZE);
	/* It is kept alive, and is under way no more. */
	fds[2] = must_read_slowly(h);
	must_be_refused(h, BIG_PATH,
			"Limit of concurrent requests reached (2), try again later.\n");
	/* Nor is one whose client has gone. */
	close(fds[1]);
	must_come_to(h, 2);
	must_get(h, BIG_PATH);
	close(fds[0]);
	close(fds[2]);
	http_free(h);
}

Test(http_answer, no_limit_is_none)
{
	struct http *h = must_start_with_first(BIG_PATH, 0);
	int fds[5];

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = must_read_slowly(h);
	must_get(h, BIG_PATH);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	http_free(h);
}

static void must_be_asked_again(struct http *h, unsigned int times)
{
	unsigned int by = gate_asked + times;

	for (unsigned int i = 0; gate_asked < by && i < CLIENT_PATIENCE_S * 1000; i++) {
		http_resume(h);
		poll(NULL, 0, 1);
	}
	cr_assert_geq(gate_asked, by);
}

/* It is one that is under way, however often it is asked for. */
Test(http_answer, one_that_is_pending_counts_once)
{
	struct http *h = must_start_with_first("/gate", 2);
	struct client_answer a;
	int fds[2];

	for (unsigned int i = 0; i < 2; i++) {
		fds[i] = must_connect(h, NULL);
		must_send(fds[i], "GET /gate HTTP/1.1\r\n" END);
		must_be_asked_again(h, 10);
	}
	must_be_refused(h, "/gate", "Limit of concurrent requests reached (2), try again later.\n");
	gate_is_open = true;
	http_resume(h);
	for (unsigned int i = 0; i < 2; i++) {
		cr_assert_eq(client_receive(fds[i], false, &a), 0);
		cr_assert_eq(a.status, 200);
		close(fds[i]);
	}
	for (unsigned int i = 0; i < 5; i++)
		must_get(h, "/gate");
	http_free(h);
}

static void count_answer(void *userdata, int route, unsigned int status)
{
	_Atomic unsigned int *seen = userdata;

	*seen = *seen * 10000 + (unsigned int)(route + 1) * 1000 + status;
}

Test(http_answer, observes)
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
