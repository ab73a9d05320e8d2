/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/http_wire.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(http_wire);

/* What a server of TLS answers to these bytes; a handshake fails on all of them. */
static void answer(const char *bytes, size_t n, char ret_answer[256])
{
	struct http_wire wire;
	gnutls_session_t session;
	ssize_t got;
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	cr_assert_eq(gnutls_init(&session, GNUTLS_SERVER | GNUTLS_NONBLOCK), 0);
	gnutls_set_default_priority(session);
	http_wire_attach(&wire, fds[0], session);
	cr_assert_eq(write(fds[1], bytes, n), (ssize_t)n);
	cr_assert_lt(gnutls_handshake(session), 0);
	got = recv(fds[1], ret_answer, 255, MSG_DONTWAIT);
	ret_answer[got > 0 ? got : 0] = '\0';
	gnutls_deinit(session);
	close(fds[0]);
	close(fds[1]);
}

Test(http_wire, http_is_told)
{
	static const struct {
		const char *bytes;
		bool is_told;
	} cases[] = {
		{"GET / HTTP/1.1\r\n\r\n", true},      {"HEAD / HTTP/1.1\r\n\r\n", true},
		{"POST /-/reload HTTP/1.1\r\n", true}, {"PUT / HTTP/1.1\r\n", true},
		{"OPTIONS * HTTP/1.1\r\n", true},      {"GET", false},
		{"\x16\x03\x01\x02", false},           {"SSH-2.0-x\r\n", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char found[256];

		answer(cases[i].bytes, strlen(cases[i].bytes), found);
		cr_assert_eq(strncmp(found, "HTTP/1.0 400 ", 13) == 0, cases[i].is_told, "%s: %s",
			     cases[i].bytes, found);
		cr_assert(cases[i].is_told || !strstr(found, "HTTP"), "%s", cases[i].bytes);
	}
}
