/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/expose.h"

#include <stddef.h>
#include <string.h>

#include "daemon/util/macros.h"

/* One family being written: its head comes with its first sample, so that one without is absent. */
struct family {
	struct buf *out;
	const struct expose_format *format;
	const struct metric *metric;
	const struct histogram_bounds *bounds; /* of a histogram */
	const struct aggregate_algorithms *algorithms;
	const struct owner *owner; /* of the series being written */
	bool tells_created;
	uint64_t since_ms; /* of what is configured about it */
	size_t start;      /* in OUT */
	uint64_t series;
};

static void begin_sample(struct family *f)
{
	if (f->series > 0)
		return;
	f->start = f->out->len;
	f->format->family(f->out, f->metric);
}

/* How many series it has. */
static uint64_t end_family(const struct family *f)
{
	if (f->series > 0 && f->format->family_end)
		f->format->family_end(f->out, f->start);
	return f->series;
}

static void add_label(struct expose_series *series, const char *name, const char *value)
{
	series->items[series->count++] = (struct expose_label){name, value};
}

static void add_texts(struct expose_series *series, const struct family *f)
{
	for (const struct metric_text *t = f->metric->texts; t && t->name; t++)
		add_label(series, t->name, t->value ? t->value : owner_label(f->owner, t->owner));
}

static void write_sample(struct family *f, const struct expose_series *series,
			 const uint64_t *cells)
{
	if (f->metric->hides_zero && self_get(cells) == 0)
		return;
	begin_sample(f);
	if (f->bounds) {
		f->format->histogram(f->out, f->metric, series, f->bounds, cells);
		f->series += histogram_series(f->bounds);
	} else {
		f->format->value(f->out, f->metric, series, self_get(cells));
		f->series++;
	}
	f->series += series->created_ms && f->format->has_created;
}

static unsigned int value_count(const struct family *f, const struct metric_label *label)
{
	if (!label)
		return 1;
	if (!label->value)
		return f->algorithms->count + f->algorithms->has_others;
	return label->count;
}

static const char *label_value(const struct family *f, const struct metric_label *label,
			       unsigned int index)
{
	if (label->value)
		return label->value(index);
	return index < f->algorithms->count ? f->algorithms->names[index] : "other";
}

/* Where the cell of a label's value lies: "other" algorithms have the last, however few have
 * names. */
static unsigned int cell_index(const struct family *f, const struct metric_label *label,
			       unsigned int index)
{
	if (label && !label->value && index >= f->algorithms->count)
		return label->count - 1;
	return index;
}

/* All values of one group, listener or of the daemon: one, or one for each value of the labels. */
static void write_samples(struct family *f, const struct expose_series *base, const uint64_t *cells)
{
	const struct metric_label *outer = f->metric->labels[0];
	const struct metric_label *inner = f->metric->labels[1];
	unsigned int stride = f->bounds ? histogram_cells(f->bounds) : 1;
	unsigned int inner_size = inner ? inner->count : 1;

	for (unsigned int i = 0; i < value_count(f, outer); i++) {
		for (unsigned int j = 0; j < value_count(f, inner); j++) {
			struct expose_series series = *base;
			unsigned int at = cell_index(f, outer, i) * inner_size + j;

			if (outer)
				add_label(&series, outer->name, label_value(f, outer, i));
			if (inner)
				add_label(&series, inner->name, label_value(f, inner, j));
			add_texts(&series, f);
			if (f->bounds || self_get(&cells[at]) != METRIC_ABSENT)
				write_sample(f, &series, cells + (size_t)at * stride);
		}
	}
}

bool expose_is_fresh(const struct snapshot_age *age, uint64_t now_boottime_ns)
{
	return age->taken_ns && (now_boottime_ns <= age->taken_ns ||
				 now_boottime_ns - age->taken_ns <= age->stale_after_ns);
}

/* Counters stay when a lane's data grow old; gauges go, but for what joins labels to counters. What
 * /proc cannot tell is not there while it is the source, and comes back where it was. */
static bool is_shown(const struct metric *m, const struct snapshot_age *age, bool fresh)
{
	if (m->needs_netlink && age->is_from_procfs)
		return false;
	return fresh || m->type != METRIC_GAUGE || m->texts;
}

static struct family begin_family(struct buf *out, const struct expose_format *format,
				  const struct catalogue *catalogue, unsigned int metric)
{
	static const struct aggregate_algorithms none;

	return (struct family){
		.out = out,
		.algorithms = &none,
		.format = format,
		.metric = &metrics[metric],
		.bounds = catalogue->bounds[metric],
		.tells_created = catalogue->created && metric_tells_created(&metrics[metric]),
		.since_ms = catalogue->since_ms[metric],
	};
}

/* When counts began that a reload begins anew where it changes what is counted. */
static uint64_t created(const struct family *f, uint64_t since_ms, uint64_t born_ms)
{
	return f->tells_created ? MAX(born_ms, since_ms) : 0;
}

static void write_listeners(struct family *f, const struct snapshot_listeners *part,
			    unsigned int cell)
{
	for (uint32_t i = 0; i < part->count; i++) {
		const struct snapshot_listener *item = &part->items[i];
		struct expose_series series = {0};
		const char *values = (const char *)&item->values;

		add_label(&series, "address", item->address);
		add_label(&series, "port", item->port);
		series.created_ms = created(f, f->bounds ? f->since_ms : 0, item->born_ms);
		f->owner = item->owner;
		write_samples(
			f, &series,
			f->bounds ? item->cells + cell
				  : (const uint64_t *)(const void *)(values + f->metric->offset));
	}
}

uint64_t expose_listeners(struct buf *out, const struct expose_format *format,
			  const struct snapshot_listeners *part, uint64_t now_boottime_ns)
{
	bool fresh = expose_is_fresh(&part->age, now_boottime_ns);
	bool slow_fresh = expose_is_fresh(&part->slow_age, now_boottime_ns);
	uint64_t series = 0;

	for (unsigned int i = 0; i < metric_count; i++) {
		const struct metric *m = &metrics[i];
		struct family f = begin_family(out, format, part->catalogue, i);

		if (m->scope != METRIC_LISTENER || !part->catalogue->on[i] ||
		    !is_shown(m, m->slow ? &part->slow_age : &part->age,
			      m->slow ? slow_fresh : fresh))
			continue;
		write_listeners(&f, part, part->catalogue->cell[i]);
		series += end_family(&f);
	}
	return series;
}

static bool has_value(const struct metric *m, const struct snapshot_group *item)
{
	return m->scope == METRIC_CLIENT ? item->is_port && item->side == GROUP_CLIENT
					 : item->is_shown;
}

static void add_class(struct expose_series *series, const struct class_names *names,
		      struct sock_class class)
{
	if (names->views)
		add_label(series, "view", class_view_name(names, class.view));
	if (names->peers)
		add_label(series, "peer", class_peer_name(names, class.peer));
}

static void write_groups(struct family *f, const struct snapshot_sockets *part, unsigned int cell)
{
	bool is_of_connections = f->metric->scope == METRIC_CONNECTION;

	for (uint32_t i = 0; i < part->count; i++) {
		const struct snapshot_group *item = &part->items[i];
		struct expose_series series = {0};

		if (!has_value(f->metric, item))
			continue;
		if (is_of_connections)
			add_label(&series, "side", group_side_name(item->side));
		add_label(&series, "port", item->port);
		series.created_ms = created(f, f->since_ms, item->born_ms);
		if (is_of_connections)
			add_class(&series, &part->catalogue->names, item->class);
		write_samples(f, &series, item->cells + cell);
	}
}

/* Whether there are kernels that do not tell it. */
static bool may_be_unknown(const struct metric *m)
{
	return m->needs_netlink || m->combine == METRIC_DROPS;
}

uint64_t expose_sockets(struct buf *out, const struct expose_format *format,
			const struct snapshot_sockets *part, bool fresh)
{
	uint64_t series = 0;

	for (unsigned int i = 0; i < metric_count; i++) {
		const struct metric *m = &metrics[i];
		struct family f = begin_family(out, format, part->catalogue, i);

		if (!metric_is_of_groups(m, part->family) || !part->catalogue->on[i] ||
		    !is_shown(m, &part->age, fresh) ||
		    (may_be_unknown(m) && !metric_set_has(&part->present, i)))
			continue;
		f.algorithms = &part->algorithms;
		write_groups(&f, part, part->catalogue->cell[i]);
		series += end_family(&f);
	}
	return series;
}

static void write_unix(struct family *f, const struct snapshot_unix *part)
{
	for (uint32_t i = 0; i < part->count; i++) {
		const struct snapshot_unix_listener *item = &part->items[i];
		const char *values = (const char *)&item->values;
		struct expose_series series = {0};

		add_label(&series, "path", item->path);
		write_samples(f, &series,
			      (const uint64_t *)(const void *)(values + f->metric->offset));
	}
}

uint64_t expose_unix(struct buf *out, const struct expose_format *format,
		     const struct snapshot_unix *part, uint64_t now_boottime_ns)
{
	bool fresh = expose_is_fresh(&part->age, now_boottime_ns);
	uint64_t series = 0;

	for (unsigned int i = 0; i < metric_count; i++) {
		const struct metric *m = &metrics[i];
		struct family f = begin_family(out, format, part->catalogue, i);

		if (m->scope != METRIC_UNIX || !part->catalogue->on[i] ||
		    !is_shown(m, &part->age, fresh))
			continue;
		write_unix(&f, part);
		series += end_family(&f);
	}
	return series;
}

uint64_t expose_host(struct buf *out, const struct expose_format *format,
		     const struct snapshot_host *part, uint64_t now_boottime_ns,
		     unsigned int collectors)
{
	static const struct expose_series none;
	bool fresh = expose_is_fresh(&part->age, now_boottime_ns);
	uint64_t series = 0;

	for (unsigned int i = 0; i < metric_count; i++) {
		const struct metric *m = &metrics[i];
		struct family f = begin_family(out, format, part->catalogue, i);

		if (m->scope != METRIC_HOST || !part->catalogue->on[i] ||
		    !(collectors & COLLECTOR_BIT(collector_of(m))) ||
		    !is_shown(m, &part->age, fresh))
			continue;
		write_samples(&f, &none, part->cells + part->catalogue->cell[i]);
		series += end_family(&f);
	}
	return series;
}

uint64_t expose_self(struct buf *out, const struct expose_format *format,
		     const struct catalogue *catalogue, struct self_values *values, uint64_t series)
{
	uint64_t own = 0;

	for (unsigned int i = 0; i < metric_count; i++) {
		const struct metric *m = &metrics[i];
		struct family f = begin_family(out, format, catalogue, i);
		const char *base = (const char *)values;
		struct expose_series labels = {0};

		if (m->scope != METRIC_SELF || !catalogue->on[i])
			continue;
		if (m->offset == offsetof(struct self_values, series))
			self_set(&values->series, series + own + 1);
		if (f.tells_created && values->process_start_ms != METRIC_ABSENT)
			labels.created_ms = values->process_start_ms;
		write_samples(&f, &labels, (const uint64_t *)(const void *)(base + m->offset));
		own += end_family(&f);
	}
	return own;
}
