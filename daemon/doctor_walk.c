/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/doctor_walk.h"

#include <poll.h>
#include <stdlib.h>

#include "collectors/collector.h"
#include "daemon/io/clock.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"

#define DEADLINE_NS (5 * NSEC_PER_SEC)

/* Everything that the daemon's own walks ask for. */
static struct collector_query query_of(enum poll_family family)
{
	struct collector_query query = {.family = family, .states = UINT32_MAX};

	if (family == POLL_FAMILY_TCP)
		query.states = SOCK_STATES_ALL;
	if (family == POLL_FAMILY_TCP || family == POLL_FAMILY_UDP)
		query.extensions = INETDIAG_EXT_INFO | INETDIAG_EXT_SKMEM | INETDIAG_EXT_CONG;
	return query;
}

static void note_cgroup(struct doctor_walk *w, uint64_t id)
{
	if (!id || w->cgroup_count == DOCTOR_CGROUPS)
		return;
	for (unsigned int i = 0; i < w->cgroup_count; i++)
		if (w->cgroups[i] == id)
			return;
	w->cgroups[w->cgroup_count++] = id;
}

static void observe(struct doctor_walk *w, enum poll_family family, const struct sock_batch *batch)
{
	w->sockets += batch->count;
	for (unsigned int i = 0; family == POLL_FAMILY_TCP && i < batch->count; i++) {
		const struct sock_record *r = &batch->records[i];

		w->tcp_info_len = MAX(w->tcp_info_len, r->tcp_info_len);
		w->skmem_len = MAX(w->skmem_len, r->skmem_len);
		w->has_algorithm |= r->algorithm != NULL;
		w->has_cgroup |= r->cgroup_id != 0;
		if (r->state == SOCK_LISTEN)
			note_cgroup(w, r->cgroup_id);
	}
}

/* Whether a step is due. */
static bool wait_for(const struct collector *c, uint64_t deadline_ns)
{
	struct pollfd p = {.fd = collector_fd(c), .events = POLLIN};
	uint64_t now_ns = clock_monotonic_ns();

	if (now_ns >= deadline_ns)
		return false;
	return p.fd < 0 || poll(&p, 1, (int)((deadline_ns - now_ns) / NSEC_PER_MSEC) + 1) == 1;
}

static void walk(struct doctor_walk *w, struct collector *c, enum poll_family family,
		 struct sock_batch *batch)
{
	uint64_t deadline_ns = clock_monotonic_ns() + DEADLINE_NS;
	enum sock_step step = SOCK_STEP_MORE;

	while (step == SOCK_STEP_MORE) {
		if (!wait_for(c, deadline_ns)) {
			w->failure = POLL_FAILURE_TIMEOUT;
			return;
		}
		step = collector_step(c, batch, true, &w->failure);
		if (step != SOCK_STEP_FAILED)
			observe(w, family, batch);
	}
}

struct doctor_walk doctor_walk_run(const char *procfs, enum poll_family family,
				   enum poll_source source)
{
	const struct collector_query query = query_of(family);
	struct sock_batch *batch = malloc(sizeof(*batch));
	struct doctor_walk w = {.failure = POLL_FAILURE_MEMORY};
	struct collector c = COLLECTOR_INIT;

	if (!batch)
		return w;
	collector_init(&c, procfs);
	w.failure = collector_start(&c, source, &query);
	if (w.failure == POLL_FAILURE_NONE)
		walk(&w, &c, family, batch);
	collector_done(&c);
	free(batch);
	return w;
}
