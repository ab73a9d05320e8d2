/* SPDX-License-Identifier: Apache-2.0 */
/* A client on raw sockets for the tests of the server, and a server for it to talk to. It asserts
 * nothing, since the threads' test runs without Criterion. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "daemon/http.h"

/* How long a client waits for what must come: far more than a loaded machine needs. */
#define CLIENT_PATIENCE_S 20

struct client_answer {
	unsigned int status;
	char head[4096];
	char body[256];  /* its beginning, terminated */
	size_t length;   /* as announced */
	size_t received; /* of the body */
	bool intact;     /* every byte received is the one that was sent, for BIG_PATH */
};

#define BIG_PATH "/big"
#define BIG_SIZE ((size_t)5 << 20)

/* "/metrics" (renamed by configure), "/-/ready" (503), BIG_PATH, "/empty", "/broken" (out of
 * memory), "/typed" (content type of its own), "/later" (pending the first time), "/gate" (pending
 * while the gate is shut; its body is how often this request was), "/act" (an
 * action). */
extern const struct http_route test_routes[];
extern const unsigned int test_route_count;
extern _Atomic bool gate_is_open;
extern _Atomic unsigned int gate_asked; /* how often, of all requests */

/* Limits that no test meets unless it lowers one. */
struct http_limits test_limits(void);
/* A server on ADDRESS; 0 or -errno. */
int server_start(const char *address, const struct http_settings *settings, struct http **ret_http);
uint16_t server_port(struct http *h);

/* To 127.0.0.1, from SOURCE (NULL: any). A descriptor or -errno. */
int client_connect(uint16_t port, const char *source);
/* The same with a descriptor that is there already. 0 or -errno. */
int client_connect_fd(int fd, uint16_t port);
int client_send(int fd, const char *text);
/* 0, -EPROTO (ended within the answer, which is filled as far as it came), or -errno. */
int client_receive(int fd, bool head_only, struct client_answer *ret_answer);
/* Reads and drops until the server has ended the connection: 0, or -errno if it does not. */
int client_wait_end(int fd);
/* One GET on a connection of its own. */
int client_get(uint16_t port, const char *path, struct client_answer *ret_answer);
