/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/evidence.h"

#include <inttypes.h>
#include <string.h>

#include "collectors/procfs.h"
#include "daemon/core/listener_overflow.h"
#include "daemon/io/clock.h"
#include "daemon/io/log.h"
#include "daemon/util/buf.h"
#include "daemon/util/parse_num.h"
#include "daemon/util/units.h"

/* As the journal's catalog knows them (systemd/sockstatd.catalog): never to be changed. */
#define OVERFLOW_BEGAN_ID "ee40c656f1fe4f23ae36772894733ae3"
#define OVERFLOW_ENDED_ID "bccc760c12524b9faa5dff24af60b2fd"

#define SOMAXCONN_PATH "sys/net/core/somaxconn"

static void add_time(struct buf *b, const char *key, uint64_t realtime_ms)
{
	char text[CLOCK_UTC_BYTES];

	buf_add_format(b, " %s=%s", key, clock_utc(realtime_ms, text));
}

/* Whether a higher limit takes a higher sysctl, and not only a higher backlog. */
static void add_limit(struct buf *b, const struct overflow *o, const char *procfs)
{
	char text[32], *end;
	uint64_t somaxconn;

	if (!o->now.has_limit)
		return;
	buf_add_format(b, " limit=%" PRIu64, o->now.limit);
	if (procfs_read(procfs, SOMAXCONN_PATH, text, sizeof(text)) < 0)
		return;
	end = strchr(text, '\n');
	if (!end)
		return;
	*end = '\0';
	if (parse_u64(text, 0, UINT32_MAX, &somaxconn) == 0)
		buf_add_format(b, " limit_is_somaxconn=%s",
			       o->now.limit == o->listener->members * somaxconn ? "yes" : "no");
}

static void add_queues(struct buf *b, const struct overflow *o)
{
	if (!o->has_queues)
		return;
	if (o->has_age)
		buf_add_format(b, " oldest_seconds=%" PRIu64 ".%03u", o->oldest_ms / MSEC_PER_SEC,
			       (unsigned int)(o->oldest_ms % MSEC_PER_SEC));
	buf_add_format(b, " closed=%" PRIu64, o->closed);
	if (o->has_reset)
		buf_add_format(b, " reset=%" PRIu64, o->reset);
}

/* Nothing is said of one that is not known, nor where others share what is known. */
static void add_unit(struct buf *b, const struct listener *l)
{
	bool is_own = l->series && l->series->listeners == 1;
	const char *unit = owner_label(is_own ? l->series->owner : NULL, OWNER_UNIT);
	char quoted[2 * UNIT_NAME_MAX];

	if (*unit)
		buf_add_format(b, " unit=%s", log_quote(unit, quoted, sizeof(quoted)));
}

static void describe(struct buf *b, const struct overflow *o, const char *procfs)
{
	char quoted[2 * LISTENER_ADDRESS_MAX];

	buf_add_format(b, "address=%s port=%u queue=%" PRIu64,
		       log_quote(o->listener->address, quoted, sizeof(quoted)),
		       o->listener->key.port, o->now.length);
	add_unit(b, o->listener);
	add_limit(b, o, procfs);
	buf_add_format(b, " peak=%" PRIu64, o->peak);
	if (o->now.has_drops)
		buf_add_format(b, " drops=%" PRIu64, o->drops);
	add_queues(b, o);
	add_time(b, "since", o->began_ms);
	if (!o->is_on)
		add_time(b, "until", o->changed_ms);
}

static const struct news {
	const char *id, *message;
} all_news[] = {
	[OVERFLOW_BEGAN] = {OVERFLOW_BEGAN_ID, "accept queue overflows"},
	[OVERFLOW_ENDED] = {OVERFLOW_ENDED_ID, "accept queue no longer overflows"},
};

void evidence_tell(struct listener_table *t, const char *procfs, uint64_t now_ns)
{
	struct buf fields = BUF_INIT;
	const struct overflow *o;
	enum overflow_news news;

	while ((o = listener_overflow_next(t, now_ns, &news))) {
		buf_clear(&fields);
		describe(&fields, o, procfs);
		if (t->overflows.missed > 0)
			buf_add_format(&fields, " not_followed=%" PRIu64, t->overflows.missed);
		t->overflows.missed = 0;
		log_write(LOG_LEVEL_WARN, all_news[news].id, all_news[news].message, "%.*s",
			  (int)fields.len, fields.data ? fields.data : "");
	}
	buf_done(&fields);
}
