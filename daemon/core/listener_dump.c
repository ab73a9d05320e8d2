/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/listener_dump.h"

#include <string.h>

#include "daemon/core/listener_overflow.h"
#include "daemon/core/tcp_info.h"
#include "daemon/util/macros.h"

void listener_dump_begin(struct listener_table *t)
{
	t->dump++;
	listener_table_forget_matches(t);
	for (uint32_t i = 0; i < t->count; i++)
		memset(&t->items[i]->queues, 0, sizeof(t->items[i]->queues));
}

int listener_dump_see(struct listener_table *t, const struct sock_record *record, uint64_t now_ns)
{
	struct listener *l;
	int r;

	r = listener_table_get(t, record, now_ns, &l);
	if (r < 0)
		return r;
	if (l->dump != t->dump && l->members == 0)
		listener_table_forget_matches(t);
	l->dump = t->dump;
	l->queues.length += record->receive_queue;
	return 0;
}

static void observe_request(struct listener_queues *q, const struct sock_record *record)
{
	q->syn_queue++;
	q->retransmitting += record->retransmits > 0;
}

/* Nothing of a connection that waits to be accepted has an inode. Its age is that of the last ACK:
 * data on the fast path do not refresh it, so it is a lower bound. A Fast Open child waits in
 * SYN_RECV with a clock that was never set. */
static void observe_unaccepted(struct listener_queues *q, const struct sock_record *record)
{
	q->visible++;
	q->closed += record->state == SOCK_CLOSE_WAIT;
	if (record->state == SOCK_SYN_RECV || !tcp_info_has(record, TCP_INFO_LAST_ACK_RECV, 4))
		return;
	q->has_age = true;
	q->oldest_ms = MAX(q->oldest_ms, sock_load_u32(record->tcp_info, TCP_INFO_LAST_ACK_RECV));
}

void listener_dump_observe(struct listener *l, const struct sock_record *record)
{
	if (record->state == SOCK_SYN_RECV && !record->tcp_info)
		observe_request(&l->queues, record);
	else if (record->inode == 0 &&
		 (record->state == SOCK_ESTABLISHED || record->state == SOCK_CLOSE_WAIT ||
		  record->state == SOCK_SYN_RECV))
		observe_unaccepted(&l->queues, record);
}

void listener_dump_commit(struct listener_table *t, bool is_filtered)
{
	for (uint32_t i = 0; i < t->series_count; i++)
		listener_series_begin_dump(t->series[i]);
	for (uint32_t i = 0; i < t->count; i++) {
		struct listener *l = t->items[i];

		if (!l->series || l->members == 0 || l->dump != t->dump)
			continue;
		listener_series_add_queues(l->series, &l->queues);
		listener_overflow_dump(t, l, is_filtered);
	}
	for (uint32_t i = 0; i < t->series_count; i++)
		listener_series_end_dump(t->series[i], is_filtered);
}
