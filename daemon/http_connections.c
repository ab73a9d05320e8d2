/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/http_connections.h"

#include <string.h>
#include <sys/socket.h>

#include "daemon/util/units.h"

/* An answer that takes longer than this is read slowly: the newest snapshot is in memory, and a
 * scrape that is read at all is out within milliseconds. */
#define SLOW_ANSWER_NS (2 * NSEC_PER_SEC)

struct in6_addr http_remote(const struct sockaddr *address)
{
	struct in6_addr remote = IN6ADDR_ANY_INIT;

	if (address->sa_family == AF_INET6) {
		remote = ((const struct sockaddr_in6 *)address)->sin6_addr;
	} else if (address->sa_family == AF_INET) {
		remote.s6_addr[10] = 0xff;
		remote.s6_addr[11] = 0xff;
		memcpy(&remote.s6_addr[12], &((const struct sockaddr_in *)address)->sin_addr, 4);
	}
	return remote;
}

void http_connections_init(struct http_connections *c)
{
	for (int phase = 0; phase < HTTP_PHASES; phase++) {
		TAILQ_INIT(&c->queues[phase]);
		c->counts[phase] = 0;
	}
}

unsigned int http_connections_count(const struct http_connections *c)
{
	return c->counts[HTTP_WAITING] + c->counts[HTTP_ANSWERING] + c->counts[HTTP_LEAVING];
}

static void enqueue(struct http_connections *c, struct http_connection *connection,
		    enum http_phase phase)
{
	connection->phase = phase;
	TAILQ_INSERT_TAIL(&c->queues[phase], connection, link);
	c->counts[phase]++;
}

void http_connections_add(struct http_connections *c, struct http_connection *connection, int fd,
			  const struct in6_addr *remote, uint64_t now_ns)
{
	connection->fd = fd;
	connection->remote = *remote;
	connection->since_ns = now_ns;
	enqueue(c, connection, HTTP_WAITING);
}

void http_connections_remove(struct http_connections *c, struct http_connection *connection)
{
	TAILQ_REMOVE(&c->queues[connection->phase], connection, link);
	c->counts[connection->phase]--;
}

void http_connections_enter(struct http_connections *c, struct http_connection *connection,
			    enum http_phase phase, uint64_t now_ns)
{
	if (connection->phase == HTTP_LEAVING)
		return;
	http_connections_remove(c, connection);
	connection->since_ns = now_ns;
	enqueue(c, connection, phase);
}

static void leave(struct http_connections *c, struct http_connection *connection)
{
	shutdown(connection->fd, SHUT_RDWR);
	http_connections_remove(c, connection);
	enqueue(c, connection, HTTP_LEAVING);
}

static unsigned int places(const struct http_connections *c)
{
	return c->counts[HTTP_WAITING] + c->counts[HTTP_ANSWERING];
}

static unsigned int places_of(const struct http_connections *c, const struct in6_addr *remote)
{
	const struct http_connection *connection;
	unsigned int n = 0;

	for (int phase = HTTP_WAITING; phase <= HTTP_ANSWERING; phase++)
		TAILQ_FOREACH (connection, &c->queues[phase], link)
			n += IN6_ARE_ADDR_EQUAL(&connection->remote, remote);
	return n;
}

bool http_connections_have_room(const struct http_connections *c, const struct http_limits *limits,
				const struct in6_addr *remote)
{
	return places(c) < limits->connections && places_of(c, remote) < limits->per_address;
}

/* The longest in its phase; of REMOTE, unless NULL. */
static struct http_connection *longest(const struct http_connections *c, enum http_phase phase,
				       const struct in6_addr *remote)
{
	struct http_connection *connection;

	TAILQ_FOREACH (connection, &c->queues[phase], link)
		if (!remote || IN6_ARE_ADDR_EQUAL(&connection->remote, remote))
			return connection;
	return NULL;
}

static bool evict(struct http_connections *c, const struct in6_addr *remote, uint64_t now_ns)
{
	struct http_connection *connection = longest(c, HTTP_WAITING, remote);

	if (!connection) {
		connection = longest(c, HTTP_ANSWERING, remote);
		if (!connection || now_ns - connection->since_ns <= SLOW_ANSWER_NS)
			return false;
	}
	leave(c, connection);
	return true;
}

bool http_connections_make_room(struct http_connections *c, const struct http_limits *limits,
				const struct in6_addr *remote, uint64_t now_ns)
{
	while (places_of(c, remote) >= limits->per_address)
		if (!evict(c, remote, now_ns))
			return false;
	while (places(c) >= limits->connections)
		if (!evict(c, NULL, now_ns))
			return false;
	return true;
}

static uint64_t expire_phase(struct http_connections *c, enum http_phase phase,
			     uint64_t deadline_ns, uint64_t now_ns)
{
	struct http_connection *connection;

	while ((connection = TAILQ_FIRST(&c->queues[phase]))) {
		if (now_ns - connection->since_ns < deadline_ns)
			return connection->since_ns + deadline_ns;
		leave(c, connection);
	}
	return UINT64_MAX;
}

uint64_t http_connections_expire(struct http_connections *c, const struct http_limits *limits,
				 uint64_t now_ns)
{
	uint64_t request, response;

	request = expire_phase(c, HTTP_WAITING, limits->request_deadline_ns, now_ns);
	response = expire_phase(c, HTTP_ANSWERING, limits->response_deadline_ns, now_ns);
	return request < response ? request : response;
}

bool http_connections_shed(struct http_connections *c)
{
	struct http_connection *connection = TAILQ_FIRST(&c->queues[HTTP_WAITING]);

	if (connection)
		leave(c, connection);
	return connection;
}
