/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/aggregate.h"

#include <errno.h>
#include <string.h>

#include "daemon/core/listener_dump.h"
#include "daemon/core/tcp_info.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"

#define FACT(name) (1U << METRIC_WHEN_##name)

static void find_pairs_metric(struct aggregate *a)
{
	a->pairs_metric = -1;
	for (unsigned int i = 0; i < metric_count; i++)
		if (a->groups.catalogue->on[i] && metrics[i].scope == METRIC_CLIENT)
			a->pairs_metric = (int)i;
}

int aggregate_init(struct aggregate *a, const struct group_settings *settings, uint64_t seed)
{
	int r;

	*a = (struct aggregate){0};
	heavy_hitters_init(&a->pairs, seed);
	r = group_table_init(&a->groups, settings);
	connections_init(&a->connections, &a->groups, &a->plans, seed);
	a->delivered_slot = catalogue_slot(settings->catalogue, TCP_INFO_DELIVERED);
	find_pairs_metric(a);
	return r;
}

void aggregate_done(struct aggregate *a)
{
	connections_done(&a->connections);
	group_table_done(&a->groups);
	heavy_hitters_done(&a->pairs);
	memset(a, 0, sizeof(*a));
}

int aggregate_prepare(struct aggregate *a, const struct group_settings *settings)
{
	return group_table_prepare(&a->groups, settings);
}

void aggregate_apply(struct aggregate *a, const struct group_settings *settings)
{
	group_table_apply(&a->groups, settings);
	aggregate_plans_clear(&a->plans);
	find_pairs_metric(a);
}

int aggregate_configure(struct aggregate *a, const struct group_settings *settings)
{
	int r = aggregate_prepare(a, settings);

	if (r == 0)
		aggregate_apply(a, settings);
	return r;
}

void aggregate_begin(struct aggregate *a, const struct aggregate_poll *poll)
{
	/* The poll before was begun anew, without an end. */
	if (a->connections.is_polling)
		aggregate_abort(a);
	a->is_following = poll->has_cookies;
	if (a->is_following)
		connections_begin(&a->connections);
	group_table_begin(&a->groups, poll->budget, poll->realtime_ms);
	heavy_hitters_clear(&a->pairs);
	memset(&a->poll_present, 0, sizeof(a->poll_present));
	a->poll_rows = 0;
	a->poll_started_ns = poll->now_ns;
	a->elapsed_ms = a->has_polled ? (poll->now_ns - a->started_ns) / NSEC_PER_MSEC : 0;
}

/* Whether the socket has a new RTT sample: it sent data, and an ACK came, since the good poll
 * before. Its last values say so, if that poll left them; else its clocks do, of which that of the
 * last data sent is also set by the handshake. */
static bool is_active(const struct aggregate *a, const struct sock_record *record,
		      const struct sight *sight)
{
	const uint8_t *info = record->tcp_info;

	if (record->state != SOCK_ESTABLISHED || !tcp_info_has(record, TCP_INFO_RTT, 4))
		return false;
	if (tcp_info_has(record, TCP_INFO_DATA_SEGS_OUT, 4) &&
	    sock_load_u32(info, TCP_INFO_DATA_SEGS_OUT) == 0)
		return false;
	if (sight->track && sight->was_open && !a->is_behind &&
	    tcp_info_has(record, TCP_INFO_DELIVERED, 4))
		return sock_load_u32(info, TCP_INFO_DELIVERED) !=
		       sock_load_u32(sight->track->values, a->delivered_slot);
	return sock_load_u32(info, TCP_INFO_LAST_ACK_RECV) <= a->elapsed_ms &&
	       sock_load_u32(info, TCP_INFO_LAST_DATA_SENT) <=
		       a->elapsed_ms + sock_load_u32(info, TCP_INFO_RTT) / 1000;
}

/* No process holds it: it is closing, has no inode, and is a full socket, not a timewait one. */
static bool is_orphan(const struct sock_record *record)
{
	const unsigned int closing = SOCK_STATE_BIT(SOCK_FIN_WAIT1) |
				     SOCK_STATE_BIT(SOCK_FIN_WAIT2) |
				     SOCK_STATE_BIT(SOCK_LAST_ACK) | SOCK_STATE_BIT(SOCK_CLOSING);

	return record->inode == 0 && SOCK_STATE_BIT(record->state) & closing &&
	       record->timer != SOCK_TIMER_TIME_WAIT;
}

static unsigned int find_facts(const struct aggregate *a, const struct sock_record *record,
			       const struct sight *sight)
{
	unsigned int facts = FACT(ANY) | sight->facts;

	if (record->state != SOCK_LISTEN)
		facts |= FACT(CONNECTION);
	if (is_orphan(record))
		facts |= FACT(ORPHAN);
	if (a->has_polled && is_active(a, record, sight))
		facts |= FACT(ACTIVE);
	return facts;
}

static unsigned int find_algorithm(struct aggregate_algorithms *t, const char *name)
{
	size_t size = strlen(name) + 1;

	for (unsigned int i = 0; i < t->count; i++)
		if (strcmp(t->names[i], name) == 0)
			return i;
	if (t->count < METRIC_ALGORITHMS_MAX && size <= sizeof(t->names[0])) {
		memcpy(t->names[t->count], name, size);
		return t->count++;
	}
	t->has_others = true;
	return METRIC_ALGORITHMS_MAX;
}

/* Lets the listener of a row count it, and says whose side the row is on. */
static int find_side(struct aggregate *a, struct listener_table *listeners,
		     const struct sock_record *record, enum group_side *ret_side)
{
	struct listener *l;
	int r;

	*ret_side = GROUP_SERVER;
	if (record->state == SOCK_LISTEN) {
		r = listener_dump_see(listeners, record, a->poll_started_ns);
		return r == -ENOSPC ? 0 : r;
	}
	l = listener_table_match(listeners, record);
	if (l)
		listener_dump_observe(l, record);
	else
		*ret_side = GROUP_CLIENT;
	return 0;
}

static struct group *find_group(struct aggregate *a, const struct listener_table *listeners,
				const struct sock_record *record, enum group_side side,
				struct sock_class class)
{
	if (side == GROUP_CLIENT && a->pairs_metric >= 0 &&
	    heavy_hitters_observe(&a->pairs, record) < 0)
		return NULL;
	return group_table_get(&a->groups, side,
			       side == GROUP_SERVER ? record->local_port : record->remote_port,
			       class, listeners);
}

int aggregate_add(struct aggregate *a, struct listener_table *listeners,
		  const struct sock_record *record)
{
	const struct aggregate_plan *plan;
	struct sight sight;
	unsigned int algorithm = 0;
	enum group_side side;
	struct group *g;
	int r;

	r = find_side(a, listeners, record, &side);
	if (r < 0)
		return r;
	sight = connections_see(&a->connections, listeners, record, side);
	g = find_group(a, listeners, record, sight.track ? sight.track->side : side,
		       connections_class(&a->connections, &sight, record));
	if (!g) {
		connections_forget(&a->connections, &sight);
		return -ENOMEM;
	}
	plan = aggregate_plans_get(&a->plans, a->groups.catalogue, record);
	g->poll_sockets++;
	a->poll_rows++;
	metric_set_merge(&a->poll_present, &plan->present);
	if (plan->counts_algorithms)
		algorithm = find_algorithm(&a->algorithms, record->algorithm);
	aggregate_plan_run(plan, record, find_facts(a, record, &sight), algorithm, g->poll);
	connections_count(&sight, plan, record, g->poll);
	return 0;
}

static void count_pairs(struct aggregate *a)
{
	unsigned int cell = a->groups.catalogue->cell[a->pairs_metric];

	for (uint32_t i = 0; i < a->pairs.count; i++) {
		const struct heavy_hitter *pair = &a->pairs.items[i];
		struct group *g = group_table_find(&a->groups, GROUP_CLIENT, pair->remote_port);

		if (g)
			g->poll[cell] = MAX(g->poll[cell], pair->count);
	}
}

void aggregate_commit(struct aggregate *a, const struct listener_table *listeners, uint64_t now_ns)
{
	if (a->is_following)
		connections_commit(&a->connections, listeners, now_ns);
	if (a->pairs_metric >= 0)
		count_pairs(a);
	group_table_commit(&a->groups, now_ns);
	metric_set_merge(&a->present, &a->poll_present);
	metric_set_merge(&a->present, &a->connections.present);
	a->rows = a->poll_rows;
	a->started_ns = a->poll_started_ns;
	a->has_polled = true;
	a->is_behind = !a->is_following;
}

void aggregate_abort(struct aggregate *a)
{
	connections_abort(&a->connections);
	a->is_behind = true;
}
