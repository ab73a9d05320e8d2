/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each sample is packed as a family of one metric and appended: messages that follow one another
 * are one message with the repeated fields of all (protobuf's encoding, "Last One Wins"), so that
 * no family is ever held as a tree.
 */
#include "daemon/core/expose_protobuf.h"

#include <string.h>

#include "daemon/core/metrics.pb-c.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"
#include "daemon/util/utf8.h"

/* A varint of 32 bits. */
#define LENGTH_BYTES_MAX 5
/* A byte that is none of a character takes the three of its replacement. */
#define VALUE_BYTES_MAX (3 * EXPOSE_LABEL_VALUE_MAX + 1)

struct appender {
	ProtobufCBuffer base;
	struct buf *out;
};

static void append(ProtobufCBuffer *base, size_t len, const uint8_t *bytes)
{
	buf_add(container_of(base, struct appender, base)->out, bytes, len);
}

static void pack(struct buf *out, const Prometheus__MetricFamily *family)
{
	struct appender a = {.base = {.append = append}, .out = out};

	protobuf_c_message_pack_to_buffer(&family->base, &a.base);
}

/* Its length comes in front of it, when it is known. */
static void begin_family(struct buf *out, const struct metric *m)
{
	static const Prometheus__MetricType types[] = {
		[METRIC_COUNTER] = PROMETHEUS__METRIC_TYPE__COUNTER,
		[METRIC_GAUGE] = PROMETHEUS__METRIC_TYPE__GAUGE,
		[METRIC_HISTOGRAM] = PROMETHEUS__METRIC_TYPE__HISTOGRAM,
	};
	Prometheus__MetricFamily family = PROMETHEUS__METRIC_FAMILY__INIT;

	buf_add(out, (const char[LENGTH_BYTES_MAX]){0}, LENGTH_BYTES_MAX);
	family.name = (char *)m->name;
	family.help = (char *)m->help;
	family.has_type = true;
	family.type = types[m->type];
	family.unit = (char *)metric_unit(m);
	pack(out, &family);
}

static unsigned int write_varint(uint8_t *bytes, size_t n)
{
	unsigned int len = 0;

	for (; n >= 0x80; n >>= 7)
		bytes[len++] = (uint8_t)(n | 0x80);
	bytes[len++] = (uint8_t)n;
	return len;
}

static void end_family(struct buf *out, size_t start)
{
	uint8_t bytes[10];
	unsigned int len;

	if (out->error)
		return;
	len = write_varint(bytes, out->len - start - LENGTH_BYTES_MAX);
	memmove(out->data + start + len, out->data + start + LENGTH_BYTES_MAX,
		out->len - start - LENGTH_BYTES_MAX);
	memcpy(out->data + start, bytes, len);
	out->len -= LENGTH_BYTES_MAX - len;
}

/* A metric with its labels, for the caller to give it a value. */
struct sample {
	Prometheus__MetricFamily family;
	Prometheus__Metric metric, *metrics[1];
	Prometheus__LabelPair labels[EXPOSE_LABELS_MAX], *label_items[EXPOSE_LABELS_MAX];
	char values[EXPOSE_LABELS_MAX][VALUE_BYTES_MAX];
	Prometheus__Timestamp created;
};

static void copy_text(const char *text, char ret_copy[VALUE_BYTES_MAX])
{
	const char *character;
	size_t at = 0, n;

	while ((n = utf8_next(text, EXPOSE_LABEL_VALUE_MAX, &at, &character)) > 0) {
		memcpy(ret_copy, character, n);
		ret_copy += n;
	}
	*ret_copy = '\0';
}

static void sample_init(struct sample *s, const struct expose_series *series)
{
	prometheus__metric_family__init(&s->family);
	prometheus__metric__init(&s->metric);
	s->metrics[0] = &s->metric;
	s->family.metric = s->metrics;
	s->family.n_metric = 1;
	for (unsigned int i = 0; i < series->count; i++) {
		prometheus__label_pair__init(&s->labels[i]);
		copy_text(series->items[i].value, s->values[i]);
		s->labels[i].name = (char *)series->items[i].name;
		s->labels[i].value = s->values[i];
		s->label_items[i] = &s->labels[i];
	}
	s->metric.label = s->label_items;
	s->metric.n_label = series->count;
	prometheus__timestamp__init(&s->created);
	s->created.has_seconds = true;
	s->created.seconds = (int64_t)(series->created_ms / MSEC_PER_SEC);
	s->created.has_nanos = true;
	s->created.nanos = (int32_t)(series->created_ms % MSEC_PER_SEC * NSEC_PER_MSEC);
}

static void add_value(struct buf *out, const struct metric *m, const struct expose_series *series,
		      uint64_t n)
{
	Prometheus__Counter counter = PROMETHEUS__COUNTER__INIT;
	Prometheus__Gauge gauge = PROMETHEUS__GAUGE__INIT;
	struct sample s;

	sample_init(&s, series);
	if (m->type == METRIC_COUNTER) {
		counter.has_value = true;
		counter.value = (double)n / metric_divisor(m);
		counter.start_timestamp = series->created_ms ? &s.created : NULL;
		s.metric.counter = &counter;
	} else {
		gauge.has_value = true;
		gauge.value = (double)n / metric_divisor(m);
		s.metric.gauge = &gauge;
	}
	pack(out, &s.family);
}

/* The classic buckets; the last, which is all, is the count. */
struct buckets {
	Prometheus__Bucket items[HISTOGRAM_BOUNDS_MAX], *pointers[HISTOGRAM_BOUNDS_MAX];
};

static void add_buckets(struct buckets *to, Prometheus__Histogram *h,
			const struct histogram_bounds *b, const uint64_t *cells)
{
	for (unsigned int i = 0; i <= b->count; i++) {
		h->sample_count += __atomic_load_n(&cells[i], __ATOMIC_RELAXED);
		if (i == b->count)
			break;
		prometheus__bucket__init(&to->items[i]);
		to->items[i].has_cumulative_count = true;
		to->items[i].cumulative_count = h->sample_count;
		to->items[i].has_upper_bound = true;
		to->items[i].upper_bound = b->le[i];
		to->pointers[i] = &to->items[i];
	}
	h->has_sample_count = true;
	h->bucket = to->pointers;
	h->n_bucket = b->count;
}

/* The native ones that are not empty: runs of them, and by how much each differs from the one
 * before, which keeps the numbers small. */
struct native {
	Prometheus__BucketSpan spans[NATIVE_BUCKETS_MAX / 2 + 1];
	Prometheus__BucketSpan *pointers[NATIVE_BUCKETS_MAX / 2 + 1];
	int64_t deltas[NATIVE_BUCKETS_MAX];
};

/* A run that begins OFFSET buckets after the one before, or after bucket 0. */
static void begin_span(struct native *to, Prometheus__Histogram *h, int offset)
{
	Prometheus__BucketSpan *span = &to->spans[h->n_positive_span];

	prometheus__bucket_span__init(span);
	span->has_offset = true;
	span->offset = offset;
	span->has_length = true;
	to->pointers[h->n_positive_span++] = span;
}

static void add_runs(struct native *to, Prometheus__Histogram *h, const struct native_buckets *b,
		     const uint64_t *counts)
{
	int end = -b->first;
	uint64_t before = 0;

	for (int i = 0; i < (int)b->count; i++) {
		if (counts[i] == 0)
			continue;
		if (h->n_positive_span == 0 || i != end)
			begin_span(to, h, i - end);
		to->spans[h->n_positive_span - 1].length++;
		to->deltas[h->n_positive_delta++] = (int64_t)(counts[i] - before);
		before = counts[i];
		end = i + 1;
	}
	/* An empty run says that the histogram is native and has none. */
	if (h->n_positive_span == 0)
		begin_span(to, h, 0);
}

static void add_native(struct native *to, Prometheus__Histogram *h,
		       const struct histogram_bounds *b, const uint64_t *cells)
{
	const uint64_t *counts = histogram_native(cells, b);

	h->has_schema = true;
	h->schema = NATIVE_SCHEMA;
	h->has_zero_threshold = true;
	h->zero_threshold = NATIVE_ZERO_THRESHOLD;
	h->has_zero_count = true;
	h->zero_count = counts[0];
	h->positive_span = to->pointers;
	h->positive_delta = to->deltas;
	add_runs(to, h, b->native, counts + 1);
}

static void add_histogram(struct buf *out, const struct metric *m,
			  const struct expose_series *series, const struct histogram_bounds *b,
			  const uint64_t *cells)
{
	Prometheus__Histogram h = PROMETHEUS__HISTOGRAM__INIT;
	struct buckets buckets;
	struct native native;
	struct sample s;

	sample_init(&s, series);
	add_buckets(&buckets, &h, b, cells);
	if (b->native)
		add_native(&native, &h, b, cells);
	h.has_sample_sum = true;
	h.sample_sum = histogram_sum(cells, b, metric_divisor(m));
	h.start_timestamp = series->created_ms ? &s.created : NULL;
	s.metric.histogram = &h;
	pack(out, &s.family);
}

const struct expose_format expose_protobuf = {
	.family = begin_family,
	.family_end = end_family,
	.value = add_value,
	.histogram = add_histogram,
	.end = "",
	.content_type = "application/vnd.google.protobuf; "
			"proto=io.prometheus.client.MetricFamily; encoding=delimited",
};
