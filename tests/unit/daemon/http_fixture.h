/* SPDX-License-Identifier: Apache-2.0 */
/* The client and its server for Criterion: what must go well fails the test if it does not. */
#pragma once

#include <sys/resource.h>

#include "tests/unit/daemon/http_client.h"

/* The end of a request's head. */
#define END "Host: localhost\r\n\r\n"

/* A server on a port of 127.0.0.1. */
struct http *must_start(const struct http_limits *limits);
int must_connect(struct http *h, const char *source);
void must_send(int fd, const char *text);
/* The same, and the server's kernel has it. */
void must_send_through(int fd, const char *text);
/* A connection that waits for its request to become whole. */
int must_connect_slow(struct http *h, const char *source);
/* A whole GET that is answered with 200. */
void must_get(struct http *h, const char *path);
/* Waits until the server has N connections. */
void must_come_to(struct http *h, unsigned int n);
/* A port that is free on all addresses, and that the kernel gives to no client meanwhile. */
uint16_t must_find_port(void);
/* As many descriptors as there are now, and MORE. Returns what to restore. */
struct rlimit must_limit_descriptors(unsigned int more);
/* Whether two descriptors are of one socket. */
bool is_same_socket(int a, int b);
