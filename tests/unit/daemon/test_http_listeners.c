/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/http_listeners.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/daemon/http_fixture.h"

TEST_SUITE(http_listeners);

#define ADDRESSES_MAX 3

/* "127.0.0.1:P [::1]:P" with the port for P. 0 or -errno, and which one failed. */
static int listen_to(const char *addresses, uint16_t port, struct http_listeners *current,
		     struct http_listeners **ret_listeners, unsigned int *ret_failed)
{
	char texts[ADDRESSES_MAX][64], *list[ADDRESSES_MAX], copy[128], *word, *rest = copy, *p;
	unsigned int n = 0;

	snprintf(copy, sizeof(copy), "%s", addresses);
	while ((word = strsep(&rest, " "))) {
		p = strchr(word, 'P');
		if (p)
			snprintf(texts[n], sizeof(texts[n]), "%.*s%u", (int)(p - word), word, port);
		else
			snprintf(texts[n], sizeof(texts[n]), "%s", word);
		list[n] = texts[n];
		n++;
	}
	return http_listeners_new(list, n, current, ret_listeners, ret_failed);
}

static struct http_listeners *must_listen_to(const char *addresses, uint16_t port,
					     struct http_listeners *current)
{
	struct http_listeners *listeners;
	unsigned int failed;
	int r;

	r = listen_to(addresses, port, current, &listeners, &failed);
	cr_assert_eq(r, 0, "%s: %u: %s", addresses, failed, strerror(-r));
	return listeners;
}

static bool reuses_port(int fd)
{
	int value;
	socklen_t len = sizeof(value);

	cr_assert_eq(getsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &value, &len), 0);
	return value;
}

static bool reaches(const char *host, uint16_t port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	bool v6 = strchr(host, ':');
	int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r;

	if (v6) {
		inet_pton(AF_INET6, host, &in6.sin6_addr);
		r = connect(fd, (struct sockaddr *)&in6, sizeof(in6));
	} else {
		inet_pton(AF_INET, host, &in.sin_addr);
		r = connect(fd, (struct sockaddr *)&in, sizeof(in));
	}
	close(fd);
	return r == 0;
}

static bool has_ipv6(void)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool has = fd >= 0 && bind(fd, (struct sockaddr *)&in6, sizeof(in6)) == 0;

	if (fd >= 0)
		close(fd);
	return has;
}

/* From one set of addresses to another, at one port. */
struct change_case {
	const char *name;
	const char *before, *after;
	int result;
	unsigned int failed;
	const char *shared; /* for each address after: 's' the socket of before, 'n' a new one */
	bool v6;
};

static const struct change_case change_cases[] = {
	{"the same", "127.0.0.1:P", "127.0.0.1:P", 0, 0, "s", false},
	{"another host", "127.0.0.1:P", "127.0.0.2:P", 0, 0, "n", false},
	{"one more", "127.0.0.1:P", "127.0.0.2:P 127.0.0.1:P", 0, 0, "ns", false},
	{"one less", "127.0.0.2:P 127.0.0.1:P", "127.0.0.1:P", 0, 0, "s", false},
	{"to the wildcard", "127.0.0.1:P", "0.0.0.0:P", 0, 0, "n", false},
	{"from the wildcard", "0.0.0.0:P", "127.0.0.1:P", 0, 0, "n", false},
	{"from the wildcard to two", "0.0.0.0:P", "127.0.0.1:P 127.0.0.2:P", 0, 0, "nn", false},
	{"from two to the wildcard", "127.0.0.1:P 127.0.0.2:P", "0.0.0.0:P", 0, 0, "n", false},
	{"to both families", "127.0.0.1:P", ":P", 0, 0, "n", true},
	{"from both families", ":P", "127.0.0.1:P", 0, 0, "n", true},
	{"from both to IPv6", ":P", "[::1]:P", 0, 0, "n", true},
	{"from both to all of IPv6", ":P", "[::]:P", 0, 0, "n", true},
	{"from all of IPv6 to both", "[::]:P", ":P", 0, 0, "n", true},
	{"from both to all of IPv4", ":P", "0.0.0.0:P", 0, 0, "n", true},
	{"IPv6 beside IPv4", "127.0.0.1:P", "127.0.0.1:P [::1]:P", 0, 0, "sn", true},
	{"given twice", "127.0.0.1:P", "127.0.0.1:P 127.0.0.1:P", -EADDRINUSE, 1, "", false},
	{"overlapping", "127.0.0.1:P", "127.0.0.1:P 0.0.0.0:P", -EADDRINUSE, 1, "", false},
	{"no address", "127.0.0.1:P", "127.0.0.1:P nonsense", -EINVAL, 1, "", false},
	{"not ours", "127.0.0.1:P", "127.0.0.1:P 192.0.2.1:P", -EADDRNOTAVAIL, 1, "", false},
};

static bool is_shared(const struct http_listeners *before, int fd)
{
	for (unsigned int i = 0; i < before->count; i++)
		if (is_same_socket(before->items[i].fd, fd))
			return true;
	return false;
}

static void check_sockets(const struct change_case *c, const struct http_listeners *before,
			  const struct http_listeners *after)
{
	for (unsigned int i = 0; i < before->count; i++)
		cr_assert(!reuses_port(before->items[i].fd), "%s: before %u", c->name, i);
	for (unsigned int i = 0; after && i < after->count; i++) {
		cr_assert(!reuses_port(after->items[i].fd), "%s: after %u", c->name, i);
		cr_assert_eq(is_shared(before, after->items[i].fd), c->shared[i] == 's', "%s: %u",
			     c->name, i);
	}
}

static void check_change(const struct change_case *c)
{
	struct http_listeners *before, *after = NULL;
	unsigned int failed = 0;
	uint16_t port = must_find_port();
	int r;

	before = must_listen_to(c->before, port, NULL);
	r = listen_to(c->after, port, before, &after, &failed);
	cr_assert_eq(r, c->result, "%s: %s", c->name, strerror(-r));
	cr_assert_eq(failed, c->failed, "%s: %u", c->name, failed);
	check_sockets(c, before, after);
	if (r < 0)
		cr_assert(reaches("127.0.0.1", port), "%s: the old is gone", c->name);
	http_listeners_free(before);
	if (r == 0)
		cr_assert_eq(http_listeners_port(after, 0), port, "%s", c->name);
	http_listeners_free(after);
	cr_assert(!reaches("127.0.0.1", port), "%s: a socket is left", c->name);
}

Test(http_listeners, changes)
{
	for (size_t i = 0; i < ARRAY_SIZE(change_cases); i++)
		if (!change_cases[i].v6 || has_ipv6())
			check_change(&change_cases[i]);
}

/* What the new set takes in, after the old one has gone. */
Test(http_listeners, new_sockets_serve)
{
	uint16_t port = must_find_port();
	struct http_listeners *before = must_listen_to("127.0.0.1:P", port, NULL);
	struct http_listeners *after = must_listen_to("0.0.0.0:P", port, before);

	http_listeners_free(before);
	cr_assert(reaches("127.0.0.1", port));
	cr_assert(reaches("127.0.0.3", port));
	before = after;
	after = must_listen_to("127.0.0.3:P", port, before);
	http_listeners_free(before);
	cr_assert(!reaches("127.0.0.1", port));
	cr_assert(reaches("127.0.0.3", port));
	http_listeners_free(after);
}

/* Letting ourselves in beside ourselves lets in nobody else. */
Test(http_listeners, stay_alone)
{
	uint16_t port = must_find_port();
	struct http_listeners *before = must_listen_to("127.0.0.1:P", port, NULL);
	struct http_listeners *after = must_listen_to("0.0.0.0:P", port, before);
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	http_listeners_free(before);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	in.sin_addr.s_addr = htonl(INADDR_ANY);
	cr_assert_eq(bind(fd, (struct sockaddr *)&in, sizeof(in)), -1);
	cr_assert_eq(errno, EADDRINUSE);
	close(fd);
	http_listeners_free(after);
}

Test(http_listeners, taken_by_another)
{
	uint16_t port = must_find_port(), other;
	struct http_listeners *foreign = must_listen_to("127.0.0.1:P", port, NULL);
	struct http_listeners *ours = must_listen_to("127.0.0.2:0", 0, NULL);
	struct http_listeners *l = NULL;
	unsigned int failed = 9;

	other = http_listeners_port(ours, 0);
	cr_assert_eq(listen_to("127.0.0.1:P", port, NULL, &l, &failed), -EADDRINUSE);
	cr_assert_eq(failed, 0);
	cr_assert_eq(listen_to("127.0.0.2:0 127.0.0.3:0 0.0.0.0:P", port, ours, &l, &failed),
		     -EADDRINUSE);
	cr_assert_eq(failed, 2);
	cr_assert_null(l);
	cr_assert(reaches("127.0.0.2", other));
	http_listeners_free(ours);
	http_listeners_free(foreign);
}

/* Part of what overlaps is ours, part is not. */
Test(http_listeners, taken_by_another_and_by_us)
{
	uint16_t port = must_find_port();
	struct http_listeners *foreign = must_listen_to("127.0.0.1:P", port, NULL);
	struct http_listeners *ours = must_listen_to("127.0.0.2:P", port, NULL);
	struct http_listeners *l = NULL;
	unsigned int failed = 9;

	cr_assert_eq(listen_to("0.0.0.0:P", port, ours, &l, &failed), -EADDRINUSE);
	cr_assert_eq(failed, 0);
	cr_assert(!reuses_port(ours->items[0].fd));
	http_listeners_free(ours);
	http_listeners_free(foreign);
}

/* A flood fits in, and who comes with it need not come again. */
Test(http_listeners, queue_is_the_hosts)
{
	struct http_listeners *l = must_listen_to("127.0.0.1:0", 0, NULL);
	struct tcp_info info;
	socklen_t len = sizeof(info);
	unsigned int host_limit = 0;
	FILE *f = fopen("/proc/sys/net/core/somaxconn", "re");

	if (!f || fscanf(f, "%u", &host_limit) != 1) {
		printf("SKIPPED: no /proc/sys\n");
		return;
	}
	fclose(f);
	/* Of a listening socket, this is the limit of its queue. */
	cr_assert_eq(getsockopt(l->items[0].fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	cr_assert_eq(info.tcpi_sacked, MIN(host_limit, (unsigned int)SOMAXCONN));
	http_listeners_free(l);
}

struct family_case {
	const char *address;
	bool v4, v6;
};

static const struct family_case family_cases[] = {
	{":P", true, true},           {"0.0.0.0:P", true, false}, {"[::]:P", false, true},
	{"127.0.0.1:P", true, false}, {"[::1]:P", false, true},
};

Test(http_listeners, families)
{
	struct http_listeners *l;
	uint16_t port = must_find_port();

	if (!has_ipv6()) {
		printf("SKIPPED: no IPv6\n");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(family_cases); i++) {
		l = must_listen_to(family_cases[i].address, port, NULL);
		cr_assert_eq(reaches("127.0.0.1", port), family_cases[i].v4, "%s",
			     family_cases[i].address);
		cr_assert_eq(reaches("::1", port), family_cases[i].v6, "%s",
			     family_cases[i].address);
		http_listeners_free(l);
	}
}

/* A host that was booted without IPv6, for this process. */
static int forget_ipv6(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_socket, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = ARRAY_SIZE(filter), .filter = filter};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		return -errno;
	return 0;
}

Test(http_listeners, all_addresses_without_ipv6)
{
	struct http_listeners *l, *other;
	unsigned int failed;
	uint16_t port;

	if (forget_ipv6() < 0) {
		printf("SKIPPED: no seccomp filters\n");
		return;
	}
	l = must_listen_to(":0", 0, NULL);
	port = http_listeners_port(l, 0);
	cr_assert(reaches("127.0.0.1", port));
	other = must_listen_to("127.0.0.1:P", port, l);
	http_listeners_free(l);
	cr_assert(reaches("127.0.0.1", port));
	http_listeners_free(other);
	cr_assert_eq(listen_to("[::1]:0", 0, NULL, &l, &failed), -EAFNOSUPPORT);
}

Test(http_listeners, port_zero_stays_where_it_is)
{
	struct http_listeners *before = must_listen_to("127.0.0.1:0", 0, NULL);
	struct http_listeners *after = must_listen_to("127.0.0.1:0", 0, before);
	uint16_t port = http_listeners_port(before, 0);

	cr_assert_eq(http_listeners_port(after, 0), port);
	http_listeners_free(before);
	cr_assert(reaches("127.0.0.1", port));
	http_listeners_free(after);
	http_listeners_free(NULL);
}
