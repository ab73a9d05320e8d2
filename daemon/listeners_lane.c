/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <linux/unix_diag.h>

#include "daemon/core/listener_poll.h"
#include "daemon/core/self_values.h"
#include "daemon/core/unix_listeners.h"
#include "daemon/evidence.h"
#include "daemon/io/clock.h"
#include "daemon/io/log.h"
#include "daemon/lanes.h"
#include "daemon/listen_drops.h"
#include "daemon/polling.h"
#include "daemon/publishing.h"
#include "daemon/unit_search.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"

static const struct filter_request *begin(void *userdata, enum poll_family family,
					  enum poll_source source)
{
	struct polling *p = userdata;

	(void)family;
	p->sources_of[LANE_LISTENERS] = source;
	listener_poll_begin(&p->listeners);
	/* Whose side a connection is on, all of them say. */
	return NULL;
}

/* A listening socket beyond what the table may hold. */
static void note_excess(struct polling *p)
{
	self_add(&p->self->poll_rows_ignored[LANE_LISTENERS][POLL_IGNORED_EXCESS], 1);
	if (!p->has_excess)
		log_warn("more listening sockets than can be known; the rest is ignored",
			 "limit=%d", LISTENER_MEMBERS_MAX);
	p->has_excess = true;
}

static enum poll_failure add(void *userdata, enum poll_family family,
			     const struct sock_batch *batch)
{
	struct polling *p = userdata;
	uint64_t now_ns = p->lanes[LANE_LISTENERS].started_ns;
	int r;

	(void)family;
	for (unsigned int i = 0; i < batch->count; i++) {
		if (batch->records[i].state != SOCK_LISTEN)
			continue;
		r = listener_poll_add(&p->listeners, &batch->records[i], now_ns);
		if (r == -ENOMEM)
			return POLL_FAILURE_MEMORY;
		if (r < 0)
			note_excess(p);
	}
	return POLL_FAILURE_NONE;
}

/* Entries of directories at a time: a hundredth of the interval's worth, and a millisecond's. */
#define SEARCH_ENTRIES_MIN 64
#define SEARCH_ENTRIES_MAX 2048
#define SEARCH_ENTRY_NS    40000
/* The same when a daemon starts: a tenth to a quarter of a second's worth. */
#define SEARCH_ENTRIES_FIRST 262144

static unsigned int search_entries(const struct polling *p)
{
	uint64_t entries = p->lanes[LANE_LISTENERS].pace.current_ns / SEARCH_ENTRY_NS;

	/* There is no second time. */
	if (p->is_once)
		return UINT_MAX;
	if (unit_search_is_first(p->unit_search))
		return SEARCH_ENTRIES_FIRST;
	return (unsigned int)MAX(SEARCH_ENTRIES_MIN, MIN(entries, SEARCH_ENTRIES_MAX));
}

static void search_units(struct polling *p, uint64_t now_ns)
{
	bool is_first = unit_search_is_first(p->unit_search);

	/* No poll will take so long again, so the first must not slow the lane down. */
	if (is_first)
		cpu_meter_switch(&p->meter, NULL);
	unit_search_run(p->unit_search, &p->listeners, search_entries(p), now_ns);
	if (is_first)
		cpu_meter_switch(&p->meter, &p->lanes[LANE_LISTENERS].cpu_ns);
}

static enum poll_failure commit(void *userdata, enum poll_family family)
{
	struct polling *p = userdata;
	uint64_t now_ns = clock_monotonic_ns();
	struct listener_poll poll = {
		.now_ns = now_ns,
		.realtime_ms = clock_realtime_ns() / NSEC_PER_MSEC,
		.interval_ns = p->lanes[LANE_LISTENERS].pace.current_ns,
	};

	(void)family;
	if (p->sources_of[LANE_LISTENERS] == POLL_SOURCE_NETLINK)
		poll.listen_drops =
			listen_drops_read(p->listen_drops, now_ns,
					  listener_poll_wants_listen_drops(&p->listeners), p->self);
	if (listener_poll_commit(&p->listeners, &poll) < 0)
		return POLL_FAILURE_MEMORY;
	search_units(p, now_ns);
	evidence_tell(&p->listeners, p->procfs, now_ns);
	return POLL_FAILURE_NONE;
}

static enum poll_failure publish(void *userdata)
{
	struct polling *p = userdata;

	p->ages[LANE_LISTENERS] = polling_age(p, LANE_LISTENERS, clock_boottime_ns());
	return publishing_run(p, false);
}

static void ended(void *userdata, bool well)
{
	struct polling *p = userdata;

	p->ended(p, LANE_LISTENERS, well);
}

static bool wants_unix(void *userdata)
{
	const struct polling *p = userdata;

	return p->catalogue->unix_series > 0;
}

static const struct filter_request *begin_unix(void *userdata, enum poll_family family,
					       enum poll_source source)
{
	struct polling *p = userdata;

	(void)family;
	(void)source;
	unix_listeners_begin(p->unix_listeners);
	return NULL;
}

static enum poll_failure add_unix(void *userdata, enum poll_family family,
				  const struct sock_batch *batch)
{
	struct polling *p = userdata;

	(void)family;
	for (unsigned int i = 0; i < batch->count; i++)
		if (unix_listeners_add(p->unix_listeners, &batch->records[i]) < 0)
			return POLL_FAILURE_MEMORY;
	return POLL_FAILURE_NONE;
}

static enum poll_failure commit_unix(void *userdata, enum poll_family family)
{
	struct polling *p = userdata;

	(void)family;
	unix_listeners_commit(p->unix_listeners, clock_monotonic_ns(), clock_boottime_ns());
	return POLL_FAILURE_NONE;
}

static const struct walk_ops ops = {begin, add, commit, NULL, NULL};
static const struct walk_ops unix_ops = {begin_unix, add_unix, commit_unix, NULL, wants_unix};

static const struct lane_walk walks[] = {
	{{POLL_FAMILY_TCP, SOCK_STATE_BIT(SOCK_LISTEN), INETDIAG_EXT_SKMEM}, &ops, false},
	{{POLL_FAMILY_UNIX, SOCK_STATE_BIT(SOCK_LISTEN), UDIAG_SHOW_NAME | UDIAG_SHOW_RQLEN},
	 &unix_ops,
	 true},
};

const struct lane_definition listeners_lane = {
	.walks = walks,
	.walk_count = ARRAY_SIZE(walks),
	.ops = {publish, ended},
};
