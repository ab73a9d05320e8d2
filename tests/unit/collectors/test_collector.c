/* SPDX-License-Identifier: Apache-2.0 */
/* The same sockets from either source. */
#include "collectors/collector.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/collectors/own_namespace.h"

TEST_SUITE(collector);

static struct sock_batch batch;

static void wait_for_step(const struct collector *c)
{
	struct pollfd p = {.fd = collector_fd(c), .events = POLLIN};

	if (p.fd >= 0)
		cr_assert_eq(poll(&p, 1, 10000), 1);
}

/* How many rows a walk brings. */
static unsigned int walk(struct collector *c, enum poll_source source, enum poll_family family,
			 uint32_t states)
{
	const struct collector_query query = {family, states, 0};
	enum sock_step step = SOCK_STEP_MORE;
	enum poll_failure failure;
	unsigned int rows = 0;

	cr_assert_eq(collector_start(c, source, &query), POLL_FAILURE_NONE);
	cr_assert_eq(collector_fd(c) >= 0, source == POLL_SOURCE_NETLINK);
	while (step == SOCK_STEP_MORE) {
		wait_for_step(c);
		step = collector_step(c, &batch, false, &failure);
		cr_assert_neq(step, SOCK_STEP_FAILED, "%s", poll_failure_name(failure));
		rows += batch.count;
	}
	return rows;
}

static int listen_somewhere(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	cr_assert_eq(listen(fd, 1), 0);
	return fd;
}

Test(collector, both_sources_bring_the_same)
{
	static const uint32_t states[] = {SOCK_STATE_BIT(SOCK_LISTEN), SOCK_STATES_ALL};
	static const enum poll_source sources[] = {POLL_SOURCE_NETLINK, POLL_SOURCE_PROCFS,
						   POLL_SOURCE_NETLINK};
	struct collector c = COLLECTOR_INIT;
	int fds[3];

	if (!own_namespace_enter())
		return;
	fds[0] = listen_somewhere(AF_INET);
	fds[1] = listen_somewhere(AF_INET6);
	fds[2] = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	collector_init(&c, "/proc");
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(states); j++)
			cr_assert_eq(walk(&c, sources[i], POLL_FAMILY_TCP, states[j]), 2,
				     "source %zu, states %zu", i, j);
		cr_assert_geq(walk(&c, sources[i], POLL_FAMILY_UNIX, UINT32_MAX), 1);
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	collector_done(&c);
}

/* Whatever is under way, the next walk begins anew. */
Test(collector, cancelled)
{
	static const struct collector_query query = {POLL_FAMILY_TCP, SOCK_STATES_ALL, 0};
	struct collector c = COLLECTOR_INIT;

	if (!own_namespace_enter())
		return;
	collector_init(&c, "/proc");
	for (unsigned int source = 0; source < POLL_SOURCE_END; source++) {
		cr_assert_eq(collector_start(&c, source, &query), POLL_FAILURE_NONE);
		collector_cancel(&c);
		collector_cancel(&c);
		cr_assert_not(c.netlink.running || c.procfs.running);
		cr_assert_eq(walk(&c, source, POLL_FAMILY_TCP, SOCK_STATES_ALL), 0);
	}
	collector_done(&c);
}
