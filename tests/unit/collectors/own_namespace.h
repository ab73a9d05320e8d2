/* SPDX-License-Identifier: Apache-2.0 */
/* A network namespace for one test, and what lives in it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* Moves the test's process to a network namespace of its own, with lo up. Where that is not
 * permitted it prints "SKIPPED: …" and returns false: return from the test then. */
bool own_namespace_enter(void);

/* A listener on a free port of the loopback address of FAMILY, which is written. */
int own_listener(int family, int backlog, struct sockaddr_storage *ret_address);
int own_connection(const struct sockaddr_storage *to);
uint16_t own_port(const struct sockaddr_storage *address);
