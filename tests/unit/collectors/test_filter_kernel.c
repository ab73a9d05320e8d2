/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters at random over real sockets: what the kernel sends when it is asked for them, what is
 * matched here of everything that it has, and what ss shows, are the same.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collectors/inetdiag_dump.h"
#include "collectors/interface_name.h"
#include "daemon/util/macros.h"
#include "tests/support/filter_random.h"
#include "tests/support/test_support.h"
#include "tests/unit/collectors/own_namespace.h"

TEST_SUITE(filter_kernel);

#define ROWS_MAX 512

struct rows {
	struct sock_record records[ROWS_MAX]; /* without what they borrowed */
	unsigned int count;
};

static struct sock_batch batch;
static struct rows all, sent;
static struct filter_request request;

static int compare_cookies(const void *a, const void *b)
{
	uint64_t left = ((const struct sock_record *)a)->cookie;
	uint64_t right = ((const struct sock_record *)b)->cookie;

	return left < right ? -1 : left > right;
}

static void dump(const struct filter_request *filter, bool by_family, struct rows *ret_rows,
		 const char *text)
{
	struct inetdiag_dump d = INETDIAG_DUMP_INIT;
	enum poll_failure failure = POLL_FAILURE_NONE;
	enum sock_step step = SOCK_STEP_MORE;

	d.states = SOCK_STATES_ALL;
	d.filter = filter;
	d.no_legacy = by_family;
	ret_rows->count = 0;
	cr_assert_eq(inetdiag_dump_start(&d), POLL_FAILURE_NONE);
	while (step == SOCK_STEP_MORE) {
		struct pollfd p = {.fd = d.socket.fd, .events = POLLIN};

		cr_assert_eq(poll(&p, 1, 10000), 1, "the kernel does not answer");
		step = inetdiag_dump_step(&d, &batch, false, &failure);
		cr_assert_leq(ret_rows->count + batch.count, ROWS_MAX);
		memcpy(ret_rows->records + ret_rows->count, batch.records,
		       batch.count * sizeof(batch.records[0]));
		ret_rows->count += batch.count;
	}
	cr_assert_eq(step, SOCK_STEP_DONE, "%s: %s", text, poll_failure_name(failure));
	inetdiag_dump_done(&d);
	qsort(ret_rows->records, ret_rows->count, sizeof(ret_rows->records[0]), compare_cookies);
}

static struct sockaddr_in6 address(const char *text, uint16_t port)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	cr_assert_eq(inet_pton(AF_INET6, text, &a.sin6_addr), 1);
	return a;
}

static int bound(const struct sockaddr_in6 *to)
{
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1, off = 0;

	cr_assert_geq(fd, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	cr_assert_eq(bind(fd, (const struct sockaddr *)to, sizeof(*to)), 0, "port %u",
		     ntohs(to->sin6_port));
	return fd;
}

static int listener(const char *text, uint16_t port)
{
	struct sockaddr_in6 a = address(text, port);
	int fd = bound(&a);

	cr_assert_eq(listen(fd, 64), 0);
	return fd;
}

/* A connection from a port to a listener; closed by one end or the other, by neither or both. */
static void connection(const char *from, uint16_t from_port, const char *to, int server,
		       unsigned int closed)
{
	struct sockaddr_in6 a = address(from, from_port), b;
	socklen_t len = sizeof(b);
	struct sockaddr_in6 target;
	int fd = bound(&a), accepted;

	cr_assert_eq(getsockname(server, (struct sockaddr *)&b, &len), 0);
	target = address(to, ntohs(b.sin6_port));
	cr_assert_eq(connect(fd, (struct sockaddr *)&target, sizeof(target)), 0, "%s %u", from,
		     from_port);
	accepted = accept(server, NULL, NULL);
	cr_assert_geq(accepted, 0);
	if (closed & 1)
		cr_assert_eq(shutdown(fd, SHUT_WR), 0);
	if (closed & 2)
		cr_assert_eq(shutdown(accepted, SHUT_WR), 0);
	if (closed == 3) {
		close(fd);
		close(accepted);
	}
}

static void plain_listener(uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = inet_addr("127.1.0.1");
	cr_assert_geq(fd, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	cr_assert_eq(listen(fd, 1), 0);
}

/* Both families, mapped addresses, several states, the ports that filters ask for. */
static void make_sockets(void)
{
	static const uint16_t clients[] = {1, 5001, 32768, 40000, 60999, 65535, 1234};
	int any = listener("::", 443), mapped = listener("::ffff:127.0.0.1", 80);
	int proper = listener("::1", 5000);

	plain_listener(5001);
	for (unsigned int i = 0; i < ARRAY_SIZE(clients); i++) {
		connection("::1", clients[i], "::1", any, i % 4);
		connection("::ffff:127.0.0.2", clients[i], "::ffff:127.0.0.1", any, (i + 1) % 4);
		connection("::ffff:127.0.0.1", clients[i], "::ffff:127.0.0.1", mapped, (i + 2) % 4);
		connection("::1", clients[i], "::1", proper, (i + 3) % 4);
	}
}

static bool is_settled(void)
{
	for (unsigned int i = 0; i < all.count; i++)
		if (all.records[i].state == SOCK_FIN_WAIT1 ||
		    all.records[i].state == SOCK_CLOSING || all.records[i].state == SOCK_LAST_ACK)
			return false;
	return true;
}

/* Everything that there is, once every FIN was acknowledged. */
static void dump_everything(void)
{
	do
		dump(NULL, false, &all, "everything");
	while (!is_settled());
	cr_assert_gt(all.count, 50);
}

static uint64_t no_cgroup(const char *path)
{
	(void)path;
	return 0;
}

static uint32_t find_interface(const char *name)
{
	return strcmp(name, "lo") == 0 ? 1 : 0;
}

static struct filter *parse(const char *text)
{
	static const struct filter_names names = {32768, 60999, find_interface, no_cgroup};
	static const struct filter_world world;
	struct filter_error error;
	struct filter *f = NULL;

	cr_assert_eq(filter_parse(text, &world, &error, &f), 0, "%s: %s", text, error.what);
	filter_resolve(f, &names);
	return f;
}

/* Keeps of ROWS what is matched. */
static void keep(const struct filter *f, struct rows *rows)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < rows->count; i++)
		if (filter_match(f, &rows->records[i]))
			rows->records[count++] = rows->records[i];
	rows->count = count;
}

static void assert_same(const struct rows *a, const struct rows *b, const char *text)
{
	cr_assert_eq(a->count, b->count, "%u and %u rows of %s", a->count, b->count, text);
	for (unsigned int i = 0; i < a->count; i++)
		cr_assert_eq(a->records[i].cookie, b->records[i].cookie, "%s", text);
}

Test(filter_kernel, what_is_sent_is_what_is_matched)
{
	static struct rows matched;
	struct filter_random r = {.state = 2463534242};
	unsigned int some = 0, wholes = 0;
	char text[FILTER_RANDOM_MAX];

	if (!own_namespace_enter())
		return;
	make_sockets();
	dump_everything();
	for (unsigned int i = 0; i < 4000; i++) {
		struct filter *f;

		filter_random_text(&r, text);
		f = parse(text);
		matched = all;
		keep(f, &matched);
		filter_request_make(&request, f, false);
		dump(&request, i % 2, &sent, text);
		wholes += request.is_whole;
		if (!request.is_whole)
			keep(f, &sent);
		assert_same(&sent, &matched, text);
		some += matched.count > 0 && matched.count < all.count;
		filter_free(f);
	}
	cr_assert(some > 1000 && wholes > 1000, "%u %u", some, wholes);
}

struct ports {
	unsigned int local, remote;
};

static int compare_ports(const void *a, const void *b)
{
	const struct ports *left = a, *right = b;

	if (left->local != right->local)
		return left->local < right->local ? -1 : 1;
	return left->remote < right->remote ? -1 : left->remote > right->remote;
}

/* The port after the last colon; 0 for *. */
static unsigned int port_of(const char *word)
{
	return (unsigned int)strtoul(strrchr(word, ':') + 1, NULL, 10);
}

static unsigned int ask_ss(const char *text, struct ports found[ROWS_MAX])
{
	char command[FILTER_RANDOM_MAX + 64], line[512], local[128], remote[128];
	unsigned int count = 0;
	FILE *f;

	snprintf(command, sizeof(command), "ss -HtanO '%s'", text);
	f = popen(command, "r");
	cr_assert(f);
	while (fgets(line, sizeof(line), f)) {
		cr_assert_lt(count, ROWS_MAX);
		cr_assert_eq(sscanf(line, "%*s %*s %*s %127s %127s", local, remote), 2, "%s", line);
		found[count++] = (struct ports){port_of(local), port_of(remote)};
	}
	cr_assert_eq(pclose(f), 0, "ss does not know %s", text);
	qsort(found, count, sizeof(*found), compare_ports);
	return count;
}

static void assert_as_ss(const char *text)
{
	static struct ports shown[ROWS_MAX], ours[ROWS_MAX];
	struct filter *f = parse(text);
	unsigned int count = 0, by_ss = ask_ss(text, shown);

	for (unsigned int i = 0; i < all.count; i++)
		if (filter_match(f, &all.records[i]))
			ours[count++] = (struct ports){all.records[i].local_port,
						       all.records[i].remote_port};
	qsort(ours, count, sizeof(*ours), compare_ports);
	cr_assert_eq(count, by_ss, "%u rows, ss has %u of %s", count, by_ss, text);
	cr_assert_eq(memcmp(ours, shown, count * sizeof(*ours)), 0, "%s", text);
	filter_free(f);
}

Test(filter_kernel, as_ss_means_it)
{
	static const char *const fixed[] = {
		"src 127.0.0.1:80",
		"src 0.0.0.0/0",
		"dst ::/0",
		"dst 0.0.0.0/1 or src ::/8",
		"dst [::1]:443 or src [::1]:443",
		"! ( sport = :443 | dport = :443 )",
		"dev lo",
		"dev != lo and sport = :443",
		"sport gt :1000 && sport lt :40001",
	};
	struct filter_random r = {.state = 1181783497, .only_kernel = true};
	char text[FILTER_RANDOM_MAX];

	if (!own_namespace_enter())
		return;
	make_sockets();
	dump_everything();
	for (unsigned int i = 0; i < ARRAY_SIZE(fixed); i++)
		assert_as_ss(fixed[i]);
	for (unsigned int i = 0; i < 300; i++) {
		filter_random_text(&r, text);
		assert_as_ss(text);
	}
}
