/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/http_connections.h"

#include <arpa/inet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/util/macros.h"
#include "daemon/util/units.h"
#include "tests/support/test_support.h"

TEST_SUITE(http_connections);

#define CONNECTIONS_MAX 8
#define SECONDS(n)      ((n)*NSEC_PER_SEC)

/* What happens to the connections, one letter an event, at second 0, 1, 2 …:
 *   a, b   one more from address a, b, if there is room or room is made
 *   0 … 7  this one's request is whole
 *   ^      the next character's request is answered
 *   +      nothing */
struct room_case {
	const char *name;
	const char *script;
	unsigned int connections, per_address;
	const char *left; /* a connection each: 'w' waiting, 'r' answering, '-' shut down, 'x' never
			     in */
};

static const struct room_case room_cases[] = {
	{"room", "aab", 4, 4, "www"},
	{"the longest waiting goes", "abab", 2, 2, "--ww"},
	{"of the own address, if that is full", "baaa", 4, 2, "w-ww"},
	{"the other address has its own", "aabb", 4, 2, "wwww"},
	{"an answering one stays", "ab0a", 2, 2, "r-w"},
	{"an answered one waits anew", "ab0^0b", 2, 2, "w-w"},
	{"a kept-alive one goes in its turn", "a0^0bb", 2, 2, "-ww"},
	{"answers under way refuse a newcomer", "ab+01a", 2, 2, "rrx"},
	{"one that is read slowly goes", "ab01++a", 2, 2, "-rw"},
	{"two seconds are not slow", "a0+a", 1, 1, "rx"},
	{"a slow one of another address stays", "b0++a1a", 4, 1, "rrx"},
	{"both limits at once", "aab0b", 3, 2, "r-ww"},
	{"a limit of none", "aa", 0, 4, "xx"},
	{"no place for an address", "ab", 4, 0, "xx"},
};

struct room {
	struct http_connections c;
	struct http_connection items[CONNECTIONS_MAX];
	bool inside[CONNECTIONS_MAX];
	int fds[CONNECTIONS_MAX];   /* the server's end */
	int peers[CONNECTIONS_MAX]; /* the client's */
	unsigned int count;
};

static void arrive(struct room *m, char address, const struct http_limits *limits, uint64_t now_ns)
{
	struct in6_addr remote = {.s6_addr = {(uint8_t)address}};
	unsigned int i = m->count++;
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	m->fds[i] = pair[0];
	m->peers[i] = pair[1];
	m->inside[i] = http_connections_have_room(&m->c, limits, &remote) ||
		       http_connections_make_room(&m->c, limits, &remote, now_ns);
	if (m->inside[i])
		http_connections_add(&m->c, &m->items[i], pair[0], &remote, now_ns);
}

static void play(struct room *m, const char *script, const struct http_limits *limits)
{
	uint64_t now_ns = SECONDS(100);

	for (const char *p = script; *p; p++, now_ns += NSEC_PER_SEC) {
		if (*p == '^')
			http_connections_enter(&m->c, &m->items[*++p - '0'], HTTP_WAITING, now_ns);
		else if (*p >= '0' && *p <= '7')
			http_connections_enter(&m->c, &m->items[*p - '0'], HTTP_ANSWERING, now_ns);
		else if (*p != '+')
			arrive(m, *p, limits, now_ns);
	}
}

static bool peer_sees_end(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLRDHUP};

	return poll(&p, 1, 0) == 1;
}

static char state(const struct room *m, unsigned int i)
{
	static const char letters[] = {
		[HTTP_WAITING] = 'w', [HTTP_ANSWERING] = 'r', [HTTP_LEAVING] = '-'};

	return m->inside[i] ? letters[m->items[i].phase] : 'x';
}

static void leave_all(struct room *m)
{
	for (unsigned int i = 0; i < m->count; i++) {
		if (m->inside[i])
			http_connections_remove(&m->c, &m->items[i]);
		close(m->fds[i]);
		close(m->peers[i]);
	}
	cr_assert_eq(http_connections_count(&m->c), 0);
}

Test(http_connections, room)
{
	struct http_limits limits = {0};
	char left[CONNECTIONS_MAX + 1];
	struct room m;

	for (size_t i = 0; i < ARRAY_SIZE(room_cases); i++) {
		limits.connections = room_cases[i].connections;
		limits.per_address = room_cases[i].per_address;
		memset(&m, 0, sizeof(m));
		memset(left, 0, sizeof(left));
		http_connections_init(&m.c);
		play(&m, room_cases[i].script, &limits);
		for (unsigned int n = 0; n < m.count; n++) {
			left[n] = state(&m, n);
			cr_assert_eq(peer_sees_end(m.peers[n]), left[n] == '-', "%s: %u",
				     room_cases[i].name, n);
		}
		cr_assert_str_eq(left, room_cases[i].left, "%s: %s", room_cases[i].name, left);
		leave_all(&m);
	}
}

Test(http_connections, deadlines)
{
	struct http_limits limits = {.connections = 8,
				     .per_address = 8,
				     .request_deadline_ns = SECONDS(10),
				     .response_deadline_ns = SECONDS(20)};
	struct room m = {0};

	http_connections_init(&m.c);
	cr_assert_eq(http_connections_expire(&m.c, &limits, SECONDS(100)), UINT64_MAX);
	/* Came at 100, 101, 102; the second's request was whole at 103. */
	play(&m, "aaa1", &limits);
	cr_assert_eq(http_connections_expire(&m.c, &limits, SECONDS(104)), SECONDS(110));
	cr_assert_eq(http_connections_expire(&m.c, &limits, SECONDS(110) - 1), SECONDS(110));
	cr_assert_eq(state(&m, 0), 'w');
	cr_assert_eq(http_connections_expire(&m.c, &limits, SECONDS(110)), SECONDS(112));
	cr_assert_eq(state(&m, 0), '-');
	cr_assert_eq(http_connections_expire(&m.c, &limits, SECONDS(122)), SECONDS(123));
	cr_assert_eq(state(&m, 1), 'r');
	cr_assert_eq(http_connections_expire(&m.c, &limits, SECONDS(123)), UINT64_MAX);
	cr_assert_eq(state(&m, 1), '-');
	/* What becomes of it afterwards changes nothing. */
	http_connections_enter(&m.c, &m.items[1], HTTP_WAITING, SECONDS(124));
	cr_assert_eq(state(&m, 1), '-');
	leave_all(&m);
}

Test(http_connections, sheds_those_that_wait)
{
	struct http_limits limits = {.connections = 8, .per_address = 8};
	struct room m = {0};

	http_connections_init(&m.c);
	play(&m, "aaa1", &limits);
	cr_assert(http_connections_shed(&m.c));
	cr_assert_eq(state(&m, 0), '-');
	cr_assert(http_connections_shed(&m.c));
	cr_assert_eq(state(&m, 2), '-');
	cr_assert(!http_connections_shed(&m.c));
	cr_assert_eq(state(&m, 1), 'r');
	leave_all(&m);
}

Test(http_connections, one_address_however_it_came_in)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct in6_addr a, b;

	inet_pton(AF_INET, "192.0.2.1", &in.sin_addr);
	inet_pton(AF_INET6, "::ffff:192.0.2.1", &in6.sin6_addr);
	a = http_remote((struct sockaddr *)&in);
	b = http_remote((struct sockaddr *)&in6);
	cr_assert_arr_eq(&a, &b, sizeof(a));
	inet_pton(AF_INET6, "2001:db8::1", &in6.sin6_addr);
	b = http_remote((struct sockaddr *)&in6);
	cr_assert_arr_eq(&b, &in6.sin6_addr, sizeof(b));
}
