/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/daemon/http_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/util/cleanup.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"

static char big_byte(size_t i)
{
	return (char)('a' + i % 23);
}

static unsigned int render_text(void *userdata, const struct http_request *request,
				struct http_response *response)
{
	(void)request;
	buf_add_str(&response->body, userdata);
	return 200;
}

static unsigned int render_unready(void *userdata, const struct http_request *request,
				   struct http_response *response)
{
	(void)request;
	buf_add_str(&response->body, userdata);
	return 503;
}

static unsigned int render_empty(void *userdata, const struct http_request *request,
				 struct http_response *response)
{
	(void)request;
	(void)userdata;
	(void)response;
	return 200;
}

static unsigned int render_broken(void *userdata, const struct http_request *request,
				  struct http_response *response)
{
	(void)request;
	buf_add_str(&response->body, userdata);
	response->body.error = -ENOMEM;
	return 200;
}

static unsigned int render_typed(void *userdata, const struct http_request *request,
				 struct http_response *response)
{
	(void)request;
	buf_add_str(&response->body, userdata);
	response->content_type = "text/html; charset=utf-8";
	return 200;
}

static unsigned int render_big(void *userdata, const struct http_request *request,
			       struct http_response *response)
{
	char piece[23];

	(void)request;
	(void)userdata;
	for (size_t i = 0; i < sizeof(piece); i++)
		piece[i] = big_byte(i);
	while (response->body.len < BIG_SIZE)
		buf_add(&response->body, piece, MIN(sizeof(piece), BIG_SIZE - response->body.len));
	return 200;
}

static unsigned int render_later(void *userdata, const struct http_request *request,
				 struct http_response *response)
{
	/* What a pending route has rendered is not handed out. */
	buf_add_str(&response->body, userdata);
	return (*request->state)++ == 0 ? HTTP_PENDING : 200;
}

_Atomic bool gate_is_open;
_Atomic unsigned int gate_asked;

static unsigned int render_gate(void *userdata, const struct http_request *request,
				struct http_response *response)
{
	(void)userdata;
	gate_asked++;
	if (!gate_is_open) {
		++*request->state;
		return HTTP_PENDING;
	}
	buf_add_format(&response->body, "%lu\n", (unsigned long)*request->state);
	return 200;
}

static char metrics_text[] = "up 1\n", unready_text[] = "not yet\n";
static char broken_text[] = "half of it", typed_text[] = "<p>\n", later_text[] = "now\n",
	    acted_text[] = "done\n";

const struct http_route test_routes[] = {
	{"/metrics", render_text, metrics_text},
	{"/-/ready", render_unready, unready_text},
	{BIG_PATH, render_big, NULL},
	{"/empty", render_empty, NULL},
	{"/broken", render_broken, broken_text},
	{"/typed", render_typed, typed_text},
	{"/later", render_later, later_text},
	{"/gate", render_gate, NULL},
	{"/act", render_text, acted_text, .is_action = true},
};
const unsigned int test_route_count = ARRAY_SIZE(test_routes);

struct http_limits test_limits(void)
{
	return (struct http_limits){
		.connections = 64,
		.per_address = 16,
		.inactivity_ns = 3600 * NSEC_PER_SEC,
		.request_deadline_ns = 3600 * NSEC_PER_SEC,
		.response_deadline_ns = 3600 * NSEC_PER_SEC,
	};
}

int server_start(const char *address, const struct http_settings *settings, struct http **ret_http)
{
	struct http_listeners *listeners = NULL;
	char *addresses[] = {(char *)address};
	struct http *h = NULL;
	unsigned int failed;
	int r;

	r = http_listeners_new(addresses, 1, NULL, &listeners, &failed);
	if (r < 0)
		return r;
	r = http_new(settings, &h);
	if (r < 0) {
		http_listeners_free(listeners);
		return r;
	}
	r = http_start(h, listeners, NULL);
	if (r < 0) {
		http_listeners_free(listeners);
		http_free(h);
		return r;
	}
	*ret_http = h;
	return 0;
}

uint16_t server_port(struct http *h)
{
	return http_listeners_port(http_current_listeners(h), 0);
}

static struct sockaddr_in loopback(const char *host, uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

	inet_pton(AF_INET, host, &a.sin_addr);
	return a;
}

int client_connect_fd(int fd, uint16_t port)
{
	struct timeval patience = {.tv_sec = CLIENT_PATIENCE_S};
	struct sockaddr_in to = loopback("127.0.0.1", port);

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	return 0;
}

int client_connect(uint16_t port, const char *source)
{
	_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in from;
	int r;

	if (fd < 0)
		return -errno;
	if (source) {
		from = loopback(source, 0);
		if (bind(fd, (struct sockaddr *)&from, sizeof(from)) < 0)
			return -errno;
	}
	r = client_connect_fd(fd, port);
	return r < 0 ? r : take_fd(&fd);
}

int client_send(int fd, const char *text)
{
	size_t n = strlen(text);
	ssize_t sent;

	while (n > 0) {
		sent = send(fd, text, n, MSG_NOSIGNAL);
		if (sent < 0)
			return -errno;
		text += sent;
		n -= (size_t)sent;
	}
	return 0;
}

/* Byte by byte, so that nothing of the body is read with it. */
static int receive_head(int fd, struct client_answer *a)
{
	size_t n = 0;
	ssize_t got;

	while (n < 4 || memcmp(&a->head[n - 4], "\r\n\r\n", 4) != 0) {
		if (n + 1 == sizeof(a->head))
			return -EPROTO;
		got = recv(fd, &a->head[n], 1, 0);
		if (got <= 0)
			return got < 0 ? -errno : -EPROTO;
		n++;
		a->head[n] = '\0';
	}
	return 0;
}

static int parse_head(struct client_answer *a)
{
	const char *length = strcasestr(a->head, "\r\nContent-Length:");

	if (sscanf(a->head, "HTTP/1.1 %u", &a->status) != 1 || !length)
		return -EPROTO;
	a->length = strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
	return 0;
}

static void keep_body(struct client_answer *a, const char *piece, size_t n)
{
	size_t room = sizeof(a->body) - 1;

	if (a->received < room)
		memcpy(&a->body[a->received], piece, MIN(n, room - a->received));
	for (size_t i = 0; i < n; i++)
		a->intact &= piece[i] == big_byte(a->received + i);
	a->received += n;
}

int client_receive(int fd, bool head_only, struct client_answer *ret_answer)
{
	struct client_answer *a = ret_answer;
	char piece[16384];
	ssize_t got;
	int r;

	*a = (struct client_answer){.intact = true};
	r = receive_head(fd, a);
	if (r == 0)
		r = parse_head(a);
	while (r == 0 && !head_only && a->received < a->length) {
		got = recv(fd, piece, MIN(sizeof(piece), a->length - a->received), 0);
		if (got <= 0)
			return got < 0 ? -errno : -EPROTO;
		keep_body(a, piece, (size_t)got);
	}
	return r;
}

int client_wait_end(int fd)
{
	char piece[16384];
	ssize_t got;

	do
		got = recv(fd, piece, sizeof(piece), 0);
	while (got > 0);
	return got == 0 || errno == ECONNRESET ? 0 : -errno;
}

int client_get(uint16_t port, const char *path, struct client_answer *ret_answer)
{
	_close_ int fd = client_connect(port, NULL);
	char request[256];
	int r;

	if (fd < 0)
		return fd;
	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
	r = client_send(fd, request);
	return r < 0 ? r : client_receive(fd, false, ret_answer);
}
