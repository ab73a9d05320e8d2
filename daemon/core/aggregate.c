/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/aggregate.h"

#include <errno.h>
#include <string.h>

#include "daemon/core/listener_dump.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"

/* struct tcp_info, include/uapi/linux/tcp.h. */
#define LAST_DATA_SENT_OFFSET 44 /* ms */
#define LAST_ACK_RECV_OFFSET  56 /* ms */
#define RTT_OFFSET            68 /* µs */
#define DATA_SEGS_OUT_OFFSET  156

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
	find_pairs_metric(a);
	return r;
}

void aggregate_done(struct aggregate *a)
{
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
	a->plan_count = 0;
	find_pairs_metric(a);
}

int aggregate_configure(struct aggregate *a, const struct group_settings *settings)
{
	int r = aggregate_prepare(a, settings);

	if (r == 0)
		aggregate_apply(a, settings);
	return r;
}

void aggregate_begin(struct aggregate *a, uint32_t budget, uint64_t now_ns)
{
	group_table_begin(&a->groups, budget);
	heavy_hitters_clear(&a->pairs);
	memset(&a->poll_present, 0, sizeof(a->poll_present));
	a->poll_rows = 0;
	a->poll_started_ns = now_ns;
	a->elapsed_ms = a->has_polled ? (now_ns - a->started_ns) / NSEC_PER_MSEC : 0;
}

static const struct aggregate_plan *get_plan(struct aggregate *a, const struct sock_record *record)
{
	struct aggregate_plan *p;

	for (unsigned int i = 0; i < a->plan_count; i++)
		if (aggregate_plan_fits(&a->plans[i], record))
			return &a->plans[i];
	if (a->plan_count < AGGREGATE_PLANS)
		a->next_plan = a->plan_count++;
	else
		a->next_plan = (a->next_plan + 1) % AGGREGATE_PLANS;
	p = &a->plans[a->next_plan];
	aggregate_plan_make(p, a->groups.catalogue, record);
	return p;
}

/* Whether the socket has a new RTT sample: it sent data, and an ACK came, since the poll before.
 * The kernel sets the time of the last data sent also at the handshake, so that alone is not
 * enough. */
static bool is_active(const struct aggregate *a, const struct sock_record *record)
{
	const uint8_t *info = record->tcp_info;

	if (record->state != SOCK_ESTABLISHED || record->tcp_info_len < RTT_OFFSET + 4 ||
	    sock_load_u32(info, LAST_ACK_RECV_OFFSET) > a->elapsed_ms ||
	    sock_load_u32(info, LAST_DATA_SENT_OFFSET) >
		    a->elapsed_ms + sock_load_u32(info, RTT_OFFSET) / 1000)
		return false;
	return record->tcp_info_len < DATA_SEGS_OUT_OFFSET + 4 ||
	       sock_load_u32(info, DATA_SEGS_OUT_OFFSET) > 0;
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

static unsigned int find_facts(const struct aggregate *a, const struct sock_record *record)
{
	unsigned int facts = FACT(ANY);

	if (record->state != SOCK_LISTEN)
		facts |= FACT(CONNECTION);
	if (is_orphan(record))
		facts |= FACT(ORPHAN);
	if (a->has_polled && is_active(a, record))
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

/* Finds the side and the group of a row, and lets its listener count it. */
static int find_group(struct aggregate *a, struct listener_table *listeners,
		      const struct sock_record *record, struct group **ret_group)
{
	enum group_side side = GROUP_SERVER;
	struct listener *l;
	int r = 0;

	if (record->state == SOCK_LISTEN) {
		r = listener_dump_see(listeners, record, a->poll_started_ns);
	} else {
		l = listener_table_match(listeners, record);
		if (l)
			listener_dump_observe(l, record);
		else
			side = GROUP_CLIENT;
	}
	if (r == 0 && side == GROUP_CLIENT && a->pairs_metric >= 0)
		r = heavy_hitters_observe(&a->pairs, record);
	if (r < 0 && r != -ENOSPC)
		return r;
	*ret_group = group_table_get(
		&a->groups, side, side == GROUP_SERVER ? record->local_port : record->remote_port,
		listeners);
	return *ret_group ? 0 : -ENOMEM;
}

int aggregate_add(struct aggregate *a, struct listener_table *listeners,
		  const struct sock_record *record)
{
	const struct aggregate_plan *plan = get_plan(a, record);
	unsigned int algorithm = 0;
	struct group *g;
	int r;

	r = find_group(a, listeners, record, &g);
	if (r < 0)
		return r;
	g->poll_sockets++;
	a->poll_rows++;
	metric_set_merge(&a->poll_present, &plan->present);
	if (plan->counts_algorithms)
		algorithm = find_algorithm(&a->algorithms, record->algorithm);
	aggregate_plan_run(plan, record, find_facts(a, record), algorithm, g->poll);
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

void aggregate_commit(struct aggregate *a, uint64_t now_ns)
{
	if (a->pairs_metric >= 0)
		count_pairs(a);
	group_table_commit(&a->groups, now_ns);
	metric_set_merge(&a->present, &a->poll_present);
	a->rows = a->poll_rows;
	a->started_ns = a->poll_started_ns;
	a->has_polled = true;
}
