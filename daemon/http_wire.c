/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/http_wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/util/macros.h"

/* GnuTLS reads the header of a record first, and in it a method looks like no kind of record. */
#define METHOD_LEN 5

static bool is_http(const char *bytes, size_t n)
{
	static const char methods[][METHOD_LEN + 1] = {"GET /", "HEAD ", "POST ", "PUT /", "OPTIO"};

	for (size_t i = 0; n >= METHOD_LEN && i < ARRAY_SIZE(methods); i++)
		if (memcmp(bytes, methods[i], METHOD_LEN) == 0)
			return true;
	return false;
}

/* In the words of Go. What is not read when the socket is closed would reset the answer away. */
static void answer_http(int fd)
{
	static const char answer[] = "HTTP/1.0 400 Bad Request\r\n\r\n"
				     "Client sent an HTTP request to an HTTPS server.\n";
	char rest[16 * 1024];

	if (recv(fd, rest, sizeof(rest), MSG_DONTWAIT) >= 0)
		send(fd, answer, sizeof(answer) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static ssize_t pull(gnutls_transport_ptr_t transport, void *bytes, size_t n)
{
	struct http_wire *wire = transport;
	ssize_t got = recv(wire->fd, bytes, n, 0);

	if (got <= 0 || wire->has_begun)
		return got;
	wire->has_begun = true;
	if (!is_http(bytes, (size_t)got))
		return got;
	answer_http(wire->fd);
	errno = EPROTO;
	return -1;
}

void http_wire_attach(struct http_wire *wire, int fd, gnutls_session_t session)
{
	gnutls_transport_ptr_t receiving, sending;

	*wire = (struct http_wire){.fd = fd};
	gnutls_transport_set_int(session, fd);
	gnutls_transport_get_ptr2(session, &receiving, &sending);
	gnutls_transport_set_ptr2(session, wire, sending);
	gnutls_transport_set_pull_function(session, pull);
}
