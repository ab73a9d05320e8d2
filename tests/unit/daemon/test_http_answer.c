/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/http_answer.h"

#include <stdatomic.h>
#include <string.h>
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
	{"of our page", "POST /act HTTP/1.1\r\nOrigin: http://test\r\n" END, 200, TEXT, "done\n",
	 true},
	{"of our page, by TLS", "POST /act HTTP/1.1\r\nOrigin: https://TEST\r\n" END, 200, TEXT,
	 "done\n", true},
	{"of another page", "POST /act HTTP/1.1\r\nOrigin: http://elsewhere\r\n" END, 403, TEXT,
	 "Forbidden to pages of other origins\n", false},
	{"of another port", "PUT /act HTTP/1.1\r\nOrigin: http://test:8080\r\n" END, 403, TEXT,
	 NULL, false},
	{"of a name that begins alike",
	 "POST /act HTTP/1.1\r\nOrigin: http://test.elsewhere\r\n" END, 403, TEXT, NULL, false},
	{"of a name that ends alike", "POST /act HTTP/1.1\r\nOrigin: http://a.test\r\n" END, 403,
	 TEXT, NULL, false},
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

	check_long(h, "GET /metrics HTTP/1.1\r\nHost: test\r\nX: ", "\r\n\r\n", 431);
	check_long(h, "GET /", " HTTP/1.1\r\nHost: test\r\n\r\n", 414);
	must_get(h, "/metrics");
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
