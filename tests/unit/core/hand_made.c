/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/core/hand_made.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/expose_text.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"

/* What systemd escapes, it does with a backslash. */
static const struct owner ssh_owner = {
	.labels = {"ssh\\x2dtest.service", "", "/system.slice/ssh\\x2dtest.service", "0"},
};

static const struct owner other_owner = {
	.labels = {"docker.scope", "multiple", "multiple", "multiple"},
};

static const struct snapshot_listener listeners[HAND_MADE_LISTENERS] = {
	[HAND_MADE_SSH] =
		{
			.address = "0.0.0.0",
			.port = "22",
			.values =
				{
					.info = 1,
					.sockets = 2,
					.length = 3,
					.limit = 256,
					.peak = 129,
					.peak_ratio_nano = 1000000000,
					.full_ns = 1250000000,
					.drops = 1234567,
					.stray_drops = 1000000,
					.sk_drops = 5,
					.last_drop_ms = 1700000000123,
					.syn_queue = 4,
					.syn_queue_retransmitting = 1,
					.unaccepted_oldest_ms = 2041,
					.unaccepted_closed = 1,
					.unaccepted_reset = 2,
				},
		},
	[HAND_MADE_GONE] =
		{
			.address = "[fe80::1]%eth0",
			.port = "8080",
			.values =
				{
					.info = 1,
					.sockets = 0,
					.length = METRIC_ABSENT,
					.limit = METRIC_ABSENT,
					.peak = METRIC_ABSENT,
					.peak_ratio_nano = METRIC_ABSENT,
					.full_ns = 0,
					.drops = 7,
					.stray_drops = 0,
					.sk_drops = METRIC_ABSENT,
					.last_drop_ms = METRIC_ABSENT,
					.syn_queue = METRIC_ABSENT,
					.syn_queue_retransmitting = METRIC_ABSENT,
					.unaccepted_oldest_ms = METRIC_ABSENT,
					.unaccepted_closed = METRIC_ABSENT,
					.unaccepted_reset = METRIC_ABSENT,
				},
		},
	[HAND_MADE_OTHER] =
		{
			.address = "other",
			.port = "other",
			.values =
				{
					.info = 1,
					.sockets = 12,
					.limit = 49152,
					.peak_ratio_nano = 333333333,
				},
		},
};

#define GROUP(which, label)                                                                \
	{                                                                                  \
		.side = GROUP_##which, .is_port = true, .is_shown = true, .port = (label), \
	}

static const struct snapshot_group groups[HAND_MADE_GROUPS] = {
	[HAND_MADE_SERVER_22] = GROUP(SERVER, "22"),
	[HAND_MADE_SERVER_EPHEMERAL] = GROUP(SERVER, "ephemeral"),
	[HAND_MADE_CLIENT_443] = GROUP(CLIENT, "443"),
	[HAND_MADE_CLIENT_OTHER] = GROUP(CLIENT, "other"),
	[HAND_MADE_UDP_53] = GROUP(SERVER, "53"),
	[HAND_MADE_UDP_EPHEMERAL] = GROUP(SERVER, "ephemeral"),
	[HAND_MADE_MPTCP_443] = GROUP(SERVER, "443"),
};

/* Where a family's groups begin. */
static const unsigned int first_groups[POLL_FAMILY_PORTS + 1] = {
	[POLL_FAMILY_TCP] = HAND_MADE_SERVER_22,
	[POLL_FAMILY_UDP] = HAND_MADE_UDP_53,
	[POLL_FAMILY_MPTCP] = HAND_MADE_MPTCP_443,
	[POLL_FAMILY_PORTS] = HAND_MADE_GROUPS,
};

static unsigned int family_of(unsigned int group)
{
	unsigned int family = POLL_FAMILY_TCP;

	while (group >= first_groups[family + 1])
		family++;
	return family;
}

static const struct self_values self = {
	.source = {{1, 0}},
	.polls = {36000, 720},
	.poll_duration = {{0, 30000, 5900, 90, 9, 1, [SELF_DURATION_BOUNDS + 1] = 1234567890},
			  {[10] = 700, [11] = 20, [SELF_DURATION_BOUNDS + 1] = 99000000001}},
	.poll_cpu_ns = {1100000000, 88000000000},
	.poll_sockets = {14, 2000001},
	.poll_failures = {{[POLL_FAILURE_BUSY - 1] = 1}, {[POLL_FAILURE_OVERRUN - 1] = 2}},
	.poll_rows_ignored = {{0}, {[POLL_IGNORED_STATE] = 3}},
	.polls_skipped = {0, 4},
	.poll_success = {1, 0},
	.poll_last_success_ms = {1700000000250, 1699999995000},
	.poll_interval_ns = {100000000, 5500000000},
	.loop_busy = {5, 4, 3, 2, 1, [SELF_DURATION_BOUNDS + 1] = 61},
	.folded = {0, 17, 0},
	.reload_successful = 1,
	.reload_success_ms = 1699990000000,
	.http_requests = {{[SELF_STATUS_200] = 240},
			  {0},
			  {[SELF_STATUS_200] = 3},
			  {0},
			  {0},
			  {[SELF_STATUS_404] = 1, [SELF_STATUS_405] = 2}},
	.http_connections = 2,
	.build_info = 1,
	.process_cpu_us = 89100000,
	.process_open_fds = 14,
	.process_max_fds = METRIC_ABSENT,
	.process_resident_bytes = 3 << 20,
	.process_virtual_bytes = UINT64_C(160) << 20,
	.process_virtual_max_bytes = METRIC_ABSENT,
	.process_start_ms = 1699990000010,
	.process_threads = 2,
	.series_limit = 10000,
};

static const struct aggregate_algorithms algorithms = {
	.names = {"cubic", "bbr"},
	.count = 2,
	.has_others = true,
};

/* A histogram's cells: NTH in the NTH bucket, and a sum; else NUMBER and those that follow it. None
 * depends on where in the table the family is. */
static void fill(const struct catalogue *c, unsigned int metric, uint64_t number, uint64_t *cells)
{
	unsigned int count = catalogue_cells(c, metric);
	unsigned int bounds =
		metrics[metric].type == METRIC_HISTOGRAM ? c->bounds[metric]->count : 0;

	for (unsigned int i = 0; i < count; i++)
		cells[i] = metrics[metric].type == METRIC_HISTOGRAM ? i : number + i;
	if (metrics[metric].type != METRIC_HISTOGRAM)
		return;
	cells[bounds + 1] = number * 1000;
	cells[bounds + 2] = 0;
}

static void fill_cells(struct hand_made *h)
{
	const struct catalogue *c = h->catalogue;

	for (unsigned int i = 0; i < metric_count; i++) {
		bool is_bytes = strstr(metrics[i].name, "_bytes") != NULL;

		if (!c->on[i])
			continue;
		if (metrics[i].scope == METRIC_LISTENER && metrics[i].type == METRIC_HISTOGRAM)
			for (unsigned int j = 0; j < HAND_MADE_LISTENERS; j++)
				fill(c, i, (j + 1) * 100000,
				     h->cells + j * c->listener_cells + c->cell[i]);
		if (metrics[i].scope == METRIC_HOST)
			fill(c, i, is_bytes ? 4096 : 7, h->host->cells + c->cell[i]);
		for (unsigned int j = 0; j < HAND_MADE_GROUPS; j++)
			if (metric_is_of_groups(&metrics[i], family_of(j)))
				fill(c, i, is_bytes ? (j + 1) * 1000003 : (j + 1) * 10,
				     hand_made_cell(h, j, metrics[i].name));
	}
}

static void make_unix(struct hand_made *h, const struct snapshot_age *age)
{
	static const struct unix_listener item = {
		.path = "/run/app/\"*\".sock",
		.sockets = 1,
		.values = {.length = 3, .limit = 128, .peak = 129},
	};
	struct unix_listeners t = {.items = (struct unix_listener *)&item, .count = 1};

	t.other = (struct unix_listener){
		.path = "other", .sockets = 2, .values = {.length = 0, .limit = 256, .peak = 0}};
	h->unix_listeners = snapshot_unix_new(&t, h->catalogue, age);
	cr_assert(h->unix_listeners);
}

static void make_parts(struct hand_made *h)
{
	struct snapshot_age age = {
		.taken_ns = h->now_ns - NSEC_PER_SEC,
		.stale_after_ns = 30 * NSEC_PER_SEC,
	};

	memcpy(h->listener_items, listeners, sizeof(listeners));
	h->listener_items[HAND_MADE_SSH].owner = (struct owner *)&ssh_owner;
	h->listener_items[HAND_MADE_OTHER].owner = (struct owner *)&other_owner;
	memcpy(h->group_items, groups, sizeof(groups));
	h->listeners = (struct snapshot_listeners){
		.catalogue = h->catalogue,
		.age = age,
		.slow_age = age,
		.count = HAND_MADE_LISTENERS,
		.items = h->listener_items,
	};
	for (unsigned int i = 0; i < POLL_FAMILY_PORTS; i++)
		h->sockets[i] = (struct snapshot_sockets){
			.family = i,
			.catalogue = h->catalogue,
			.age = age,
			.algorithms = algorithms,
			.count = first_groups[i + 1] - first_groups[i],
			.items = h->group_items + first_groups[i],
		};
	for (unsigned int i = 0; i < metric_count; i++)
		for (unsigned int j = 0; j < POLL_FAMILY_PORTS; j++)
			metric_set_add(&h->sockets[j].present, i);
	h->host = snapshot_host_new(h->catalogue, &age);
	cr_assert(h->host);
	make_unix(h, &age);
}

void hand_made_init(struct hand_made *h, struct catalogue *catalogue)
{
	unsigned int cells = HAND_MADE_LISTENERS * catalogue->listener_cells;
	unsigned int at = cells;

	*h = (struct hand_made){
		.catalogue = catalogue, .now_ns = 1000 * NSEC_PER_SEC, .self = self};
	for (unsigned int i = 0; i < HAND_MADE_GROUPS; i++)
		cells += catalogue->groups[family_of(i)].cells;
	h->cells = calloc(cells, sizeof(uint64_t));
	cr_assert(h->cells);
	make_parts(h);
	for (unsigned int i = 0; i < HAND_MADE_LISTENERS; i++)
		h->listener_items[i].cells = h->cells + i * catalogue->listener_cells;
	for (unsigned int i = 0; i < HAND_MADE_GROUPS; i++) {
		h->group_items[i].cells = h->cells + at;
		at += catalogue->groups[family_of(i)].cells;
	}
	fill_cells(h);
}

void hand_made_done(struct hand_made *h)
{
	exposition_done(&h->exposition);
	buf_done(&h->text);
	snapshot_unix_unref(h->unix_listeners);
	snapshot_host_unref(h->host);
	catalogue_unref(h->catalogue);
	free(h->cells);
}

uint64_t *hand_made_cell(struct hand_made *h, enum hand_made_group group, const char *name)
{
	return h->cells + (core_cells(h->catalogue, h->group_items[group].cells, name) - h->cells);
}

uint64_t hand_made_render_as(struct hand_made *h, const struct expose_format *format)
{
	uint64_t series;

	buf_clear(&h->text);
	series = expose_listeners(&h->text, format, &h->listeners, h->now_ns);
	for (unsigned int i = 0; i < POLL_FAMILY_PORTS; i++)
		series += expose_sockets(&h->text, format, &h->sockets[i],
					 expose_is_fresh(&h->sockets[i].age, h->now_ns));
	series += expose_unix(&h->text, format, h->unix_listeners, h->now_ns);
	series += expose_host(&h->text, format, h->host, h->now_ns, COLLECTORS_ALL);
	series += expose_self(&h->text, format, h->catalogue, &h->self, series);
	cr_assert_eq(h->text.error, 0);
	return series;
}

uint64_t hand_made_render(struct hand_made *h)
{
	uint64_t series = hand_made_render_as(h, &expose_text);
	unsigned int line;

	exposition_done(&h->exposition);
	line = exposition_parse(&h->exposition, h->text.data, h->text.len);
	cr_assert_eq(line, 0, "line %u is at fault of:\n%.*s", line, (int)h->text.len,
		     h->text.data);
	return series;
}

uint32_t hand_made_count(const struct hand_made *h, const char *family)
{
	const struct exposition_family *f = exposition_find(&h->exposition, family);

	return f ? f->count : 0;
}

/* Whether a series has each label of "NAME=VALUE,NAME=VALUE". */
static bool has_labels(const struct exposition_series *s, const char *labels)
{
	char text[256], *rest = text, *word;

	snprintf(text, sizeof(text), "%s", labels);
	while ((word = strsep(&rest, ",")) && *word) {
		char *value = strchr(word, '=');
		const char *found;

		*value++ = '\0';
		found = exposition_label(s, word);
		if (!found || strcmp(found, value) != 0)
			return false;
	}
	return true;
}

double hand_made_value(const struct hand_made *h, const char *name, const char *labels)
{
	const struct exposition_series *found = NULL;

	for (uint32_t i = 0; i < h->exposition.series_count; i++) {
		const struct exposition_series *s = &h->exposition.series[i];

		if (strcmp(s->name, name) != 0 || !has_labels(s, labels))
			continue;
		cr_assert_null(found, "%s{%s} is there more than once", name, labels);
		found = s;
	}
	cr_assert(found, "no %s{%s}", name, labels);
	return found->value;
}
