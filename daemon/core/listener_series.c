/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/listener_series.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/util/cleanup.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"

static uint64_t *new_cells(const struct catalogue *catalogue)
{
	return calloc(MAX(catalogue->listener_cells, 1), sizeof(uint64_t));
}

static void forget_gauges(struct listener_values *v)
{
	v->length = METRIC_ABSENT;
	v->limit = METRIC_ABSENT;
	v->peak = METRIC_ABSENT;
	v->peak_ratio_nano = METRIC_ABSENT;
	v->sk_drops = METRIC_ABSENT;
}

static void forget_queues(struct listener_values *v)
{
	v->syn_queue = METRIC_ABSENT;
	v->syn_queue_retransmitting = METRIC_ABSENT;
	v->unaccepted_oldest_ms = METRIC_ABSENT;
	v->unaccepted_closed = METRIC_ABSENT;
	v->unaccepted_reset = METRIC_ABSENT;
}

struct listener_series *listener_series_new(const struct catalogue *catalogue, const char *address,
					    const char *port, uint64_t peak_window_ns,
					    uint64_t now_ns)
{
	_free_ struct listener_series *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->cells = new_cells(catalogue);
	if (!s->cells)
		return NULL;
	snprintf(s->address, sizeof(s->address), "%s", address);
	snprintf(s->port, sizeof(s->port), "%s", port);
	s->values.info = 1;
	s->values.drops = METRIC_ABSENT;
	s->values.stray_drops = METRIC_ABSENT;
	s->values.last_drop_ms = METRIC_ABSENT;
	forget_gauges(&s->values);
	forget_queues(&s->values);
	peak_window_init(&s->peak, peak_window_ns, now_ns);
	peak_window_init(&s->peak_ratio, peak_window_ns, now_ns);
	return take_ptr(s);
}

void listener_series_free(struct listener_series *s)
{
	if (!s)
		return;
	free(s->cells);
	free(s->next_cells);
	owner_unref(s->owner);
	free(s);
}

int listener_series_prepare(struct listener_series *s, const struct catalogue *to)
{
	free(s->next_cells);
	s->next_cells = to ? new_cells(to) : NULL;
	return !to || s->next_cells ? 0 : -ENOMEM;
}

void listener_series_carry(struct listener_series *s, const struct catalogue *from,
			   const struct catalogue *to)
{
	for (unsigned int i = 0; i < metric_count; i++)
		if (metrics[i].scope == METRIC_LISTENER && metrics[i].type == METRIC_HISTOGRAM &&
		    catalogue_same(from, to, i))
			memcpy(s->next_cells + to->cell[i], s->cells + from->cell[i],
			       catalogue_cells(to, i) * sizeof(uint64_t));
	free(s->cells);
	s->cells = take_ptr(s->next_cells);
}

void listener_series_begin_poll(struct listener_series *s)
{
	memset(&s->poll, 0, sizeof(s->poll));
}

/* The kernel's test of fullness is length > limit, so a queue holds limit + 1 (sk_acceptq_is_full
 * in include/net/sock.h). */
static uint64_t fill_ratio_nano(const struct listener_share *share)
{
	return share->length * NSEC_PER_SEC / ((uint64_t)share->limit + 1);
}

void listener_series_add(struct listener_series *s, const struct catalogue *catalogue,
			 const struct listener_share *share)
{
	uint64_t ratio_nano = fill_ratio_nano(share);

	s->poll.sockets++;
	s->poll.length += share->length;
	s->poll.sk_drops += share->sk_drops;
	s->poll.has_drops |= share->has_drops;
	if (!share->has_limit)
		return;
	s->poll.has_limit = true;
	s->poll.limit += share->limit;
	s->poll.ratio_nano = MAX(s->poll.ratio_nano, ratio_nano);
	s->poll.full |= share->length > share->limit;
	for (unsigned int i = 0; i < metric_count; i++)
		if (catalogue->on[i] && metrics[i].buckets == METRIC_BUCKETS_FILL_RATIO)
			histogram_observe(s->cells + catalogue->cell[i], catalogue->bounds[i],
					  ratio_nano);
}

static void count_drops(struct listener_series *s, uint64_t realtime_ms)
{
	struct listener_values *v = &s->values;

	if (v->drops == METRIC_ABSENT) {
		if (!s->poll.has_drops)
			return;
		v->drops = 0;
		v->stray_drops = 0;
	}
	v->drops += s->poll.drops;
	v->stray_drops += s->poll.strays;
	if (s->poll.drops > 0)
		v->last_drop_ms = realtime_ms;
}

void listener_series_end_poll(struct listener_series *s, const struct listener_poll *poll,
			      uint64_t elapsed_ns, bool knows_drops)
{
	struct listener_values *v = &s->values;

	if (s->born_ms == 0)
		s->born_ms = poll->realtime_ms;
	v->sockets = s->poll.sockets;
	if (knows_drops)
		count_drops(s, poll->realtime_ms);
	if (s->poll.full)
		v->full_ns += MIN(elapsed_ns, 2 * poll->interval_ns);
	if (s->poll.sockets == 0) {
		forget_gauges(v);
		forget_queues(v);
		return;
	}
	peak_window_observe(&s->peak, poll->now_ns, s->poll.length);
	if (s->poll.has_limit)
		peak_window_observe(&s->peak_ratio, poll->now_ns, s->poll.ratio_nano);
	v->length = s->poll.length;
	v->limit = s->poll.has_limit ? s->poll.limit : METRIC_ABSENT;
	v->peak = peak_window_max(&s->peak, poll->now_ns);
	v->peak_ratio_nano = peak_window_max(&s->peak_ratio, poll->now_ns);
	v->sk_drops = s->poll.has_drops ? s->poll.sk_drops : METRIC_ABSENT;
}

void listener_series_begin_dump(struct listener_series *s)
{
	memset(&s->queues, 0, sizeof(s->queues));
	s->has_queues = false;
}

void listener_series_add_queues(struct listener_series *s, const struct listener_queues *queues)
{
	s->queues.syn_queue += queues->syn_queue;
	s->queues.retransmitting += queues->retransmitting;
	s->queues.closed += queues->closed;
	s->queues.oldest_ms = MAX(s->queues.oldest_ms, queues->oldest_ms);
	/* A row may have come into the queue after its LISTEN row was written: never below 0. */
	s->queues.length += queues->length - MIN(queues->length, queues->visible);
	s->has_queues = true;
}

void listener_series_end_dump(struct listener_series *s, bool is_filtered)
{
	struct listener_values *v = &s->values;

	forget_queues(v);
	if (!s->has_queues)
		return;
	v->syn_queue = s->queues.syn_queue;
	v->syn_queue_retransmitting = s->queues.retransmitting;
	v->unaccepted_oldest_ms = s->queues.oldest_ms;
	v->unaccepted_closed = s->queues.closed;
	/* Of rows that did not come one cannot say that there are none. */
	if (!is_filtered)
		v->unaccepted_reset = s->queues.length;
}
