/* SPDX-License-Identifier: Apache-2.0 */
/* Read by protobuf-c's own unpacker, and held against the text of the same snapshot. */
#include "daemon/core/expose_protobuf.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/metrics.pb-c.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"
#include "tests/unit/core/hand_made.h"
#include "tests/unit/core/label_model.h"

TEST_SUITE(expose_protobuf);

/* The family at AT, which moves behind it; NULL: the end. The caller frees it. */
static Prometheus__MetricFamily *next_family(const struct buf *b, size_t *at)
{
	Prometheus__MetricFamily *family;
	unsigned int shift = 0;
	size_t len = 0;

	if (*at == b->len)
		return NULL;
	do {
		cr_assert_lt(*at, b->len);
		len |= (size_t)(b->data[*at] & 0x7f) << shift;
		shift += 7;
	} while (b->data[(*at)++] & 0x80);
	cr_assert(len < 0x80 || len >> (shift - 7) > 0, "a length is as short as can be");
	cr_assert_leq(len, b->len - *at);
	family = prometheus__metric_family__unpack(NULL, len, (const uint8_t *)b->data + *at);
	cr_assert(family);
	*at += len;
	return family;
}

static void free_family(Prometheus__MetricFamily *family)
{
	prometheus__metric_family__free_unpacked(family, NULL);
}

/* The samples of a text, of which each metric takes some. */
struct text {
	const struct exposition *exposition;
	uint32_t next;
};

static void take(struct text *t, const Prometheus__MetricFamily *f, const Prometheus__Metric *m,
		 const char *suffix, double value)
{
	const struct exposition_series *s = &t->exposition->series[t->next++];
	char name[128];

	cr_assert_leq(t->next, t->exposition->series_count);
	snprintf(name, sizeof(name), "%s%s", f->name, suffix);
	cr_assert_str_eq(s->name, name);
	cr_assert_eq(s->value, value, "%s: %.17g and %.17g", name, s->value, value);
	cr_assert_eq(m->n_label, s->label_count - (strcmp(suffix, "_bucket") == 0), "%s", name);
	for (size_t i = 0; i < m->n_label; i++) {
		cr_assert_str_eq(m->label[i]->name, s->labels[i].name, "%s", name);
		cr_assert_str_eq(m->label[i]->value, s->labels[i].value, "%s", name);
	}
}

static void take_bucket(struct text *t, const Prometheus__MetricFamily *f,
			const Prometheus__Metric *m, double bound, uint64_t count)
{
	take(t, f, m, "_bucket", (double)count);
	cr_assert_eq(strtod(exposition_label(&t->exposition->series[t->next - 1], "le"), NULL),
		     bound, "%s", f->name);
}

static void take_metric(struct text *t, const Prometheus__MetricFamily *f,
			const Prometheus__Metric *m)
{
	const Prometheus__Histogram *h = m->histogram;

	cr_assert_eq(m->counter != NULL, f->type == PROMETHEUS__METRIC_TYPE__COUNTER, "%s",
		     f->name);
	cr_assert_eq(m->gauge != NULL, f->type == PROMETHEUS__METRIC_TYPE__GAUGE, "%s", f->name);
	cr_assert_eq(h != NULL, f->type == PROMETHEUS__METRIC_TYPE__HISTOGRAM, "%s", f->name);
	if (m->counter)
		take(t, f, m, "", m->counter->value);
	if (m->gauge)
		take(t, f, m, "", m->gauge->value);
	if (!h)
		return;
	for (size_t i = 0; i < h->n_bucket; i++)
		take_bucket(t, f, m, h->bucket[i]->upper_bound, h->bucket[i]->cumulative_count);
	take_bucket(t, f, m, INFINITY, h->sample_count);
	take(t, f, m, "_sum", h->sample_sum);
	take(t, f, m, "_count", (double)h->sample_count);
	cr_assert(!h->has_schema && h->n_positive_span == 0 && !h->has_zero_threshold,
		  "no native histogram was asked for");
}

static void assert_head(const struct exposition *e, const Prometheus__MetricFamily *f)
{
	const struct exposition_family *expected = exposition_find(e, f->name);
	const struct metric *m = &metrics[core_metric(f->name)];

	cr_assert(expected, "%s", f->name);
	cr_assert_str_eq(f->help, m->help, "%s", f->name);
	cr_assert(f->has_type, "%s", f->name);
	cr_assert_str_eq(expected->type, metric_type_name(m));
	if (metric_unit(m))
		cr_assert_str_eq(f->unit, metric_unit(m), "%s", f->name);
	else
		cr_assert_str_empty(f->unit ? f->unit : "", "%s", f->name);
}

/* Every family and every sample of the text, in its order, and nothing else. */
Test(expose_protobuf, says_what_the_text_says)
{
	for (int extended = 0; extended < 2; extended++) {
		struct text text = {0};
		struct hand_made h;
		Prometheus__MetricFamily *f;
		size_t at = 0;
		uint32_t families = 0;
		uint64_t series;

		hand_made_init(&h, core_catalogue(extended));
		series = hand_made_render(&h);
		cr_assert_eq(hand_made_render_as(&h, &expose_protobuf), series);
		text.exposition = &h.exposition;
		while ((f = next_family(&h.text, &at))) {
			assert_head(&h.exposition, f);
			cr_assert_gt(f->n_metric, 0, "%s", f->name);
			for (size_t i = 0; i < f->n_metric; i++)
				take_metric(&text, f, f->metric[i]);
			families++;
			free_family(f);
		}
		cr_assert_eq(families, h.exposition.family_count);
		cr_assert_eq(text.next, h.exposition.series_count);
		hand_made_done(&h);
	}
}

/* One family with one sample. */
static Prometheus__MetricFamily *write(const struct metric *m, const struct expose_series *series,
				       uint64_t n)
{
	Prometheus__MetricFamily *f;
	struct buf out = BUF_INIT;
	size_t at = 0;

	expose_protobuf.family(&out, m);
	expose_protobuf.value(&out, m, series, n);
	expose_protobuf.family_end(&out, 0);
	f = next_family(&out, &at);
	cr_assert_eq(at, out.len);
	buf_done(&out);
	return f;
}

/* Whatever bytes are in a value, it is UTF-8 and the same as in the text. */
Test(expose_protobuf, any_bytes_in_labels)
{
	static const struct metric m = {"a", "Help.", METRIC_GAUGE};
	uint64_t state = 1;

	for (int i = 0; i < 5000; i++) {
		char value[400] = "", expected[LABEL_MODEL_MAX];
		const struct expose_series series = {2, {{"x", value}, {"y", "behind"}}};
		size_t len = core_random(&state, sizeof(value));
		Prometheus__MetricFamily *f;

		for (size_t j = 0; j < len; j++)
			value[j] =
				(char)(core_random(&state, 3) ? 1 + core_random(&state, 255) : 'a');
		label_model(value, expected);
		f = write(&m, &series, 7);
		cr_assert_str_eq(f->metric[0]->label[0]->value, expected);
		cr_assert_str_eq(f->metric[0]->label[1]->value, "behind");
		cr_assert_eq(f->metric[0]->gauge->value, 7);
		free_family(f);
	}
}

Test(expose_protobuf, created)
{
	static const struct metric counter = {"a_total", "Help.", METRIC_COUNTER, .divisor = 1000};
	struct expose_series series = {.created_ms = 1700000000123};
	Prometheus__MetricFamily *f = write(&counter, &series, 2500);

	cr_assert_str_eq(f->name, "a_total");
	cr_assert_eq(f->metric[0]->counter->value, 2.5);
	cr_assert_eq(f->metric[0]->counter->start_timestamp->seconds, 1700000000);
	cr_assert_eq(f->metric[0]->counter->start_timestamp->nanos, 123000000);
	free_family(f);
	series.created_ms = 0;
	f = write(&counter, &series, 2500);
	cr_assert_null(f->metric[0]->counter->start_timestamp);
	free_family(f);
}

Test(expose_protobuf, created_of_a_histogram)
{
	static const struct metric histogram = {"a_bytes", "Help.", METRIC_HISTOGRAM};
	struct expose_series series = {.created_ms = 1700000000123};
	uint64_t cells[] = {2, 3, 0};
	struct histogram_bounds b;

	histogram_bounds_init(&b, NULL, 0, 1);
	for (int told = 1; told >= 0; told--) {
		Prometheus__MetricFamily *f;
		struct buf out = BUF_INIT;
		size_t at = 0;

		series.created_ms *= (uint64_t)told;
		expose_protobuf.family(&out, &histogram);
		expose_protobuf.histogram(&out, &histogram, &series, &b, cells);
		expose_protobuf.family_end(&out, 0);
		f = next_family(&out, &at);
		cr_assert_eq(f->metric[0]->histogram->start_timestamp != NULL, told);
		if (told)
			cr_assert_eq(f->metric[0]->histogram->start_timestamp->seconds, 1700000000);
		free_family(f);
		buf_done(&out);
	}
}

/* Lengths that take one byte, two and three. */
Test(expose_protobuf, family_of_any_size)
{
	static const struct metric m = {"a", "b", METRIC_GAUGE};
	static const unsigned int samples[] = {1, 10, 100, 1000, 10000};

	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		static const struct expose_series series = {1, {{"x", "some value"}}};
		Prometheus__MetricFamily *f;
		struct buf out = BUF_INIT;
		size_t at = 5;

		buf_add_str(&out, "first");
		expose_protobuf.family(&out, &m);
		for (unsigned int j = 0; j < samples[i]; j++)
			expose_protobuf.value(&out, &m, &series, j);
		expose_protobuf.family_end(&out, at);
		f = next_family(&out, &at);
		cr_assert_eq(f->n_metric, samples[i]);
		cr_assert_eq(f->metric[samples[i] - 1]->gauge->value, samples[i] - 1);
		cr_assert_eq(at, out.len);
		cr_assert_arr_eq(out.data, "first", 5);
		free_family(f);
		buf_done(&out);
	}
}

/* What ran out of memory is not finished: its beginning may lie beyond what there is. */
Test(expose_protobuf, without_memory)
{
	static const struct metric m = {"a", "b", METRIC_GAUGE};
	static const struct expose_series none;
	struct buf out = {.error = -ENOMEM};

	expose_protobuf.family(&out, &m);
	expose_protobuf.value(&out, &m, &none, 1);
	expose_protobuf.family_end(&out, 0);
	cr_assert_eq(out.len, 0);
	buf_done(&out);
}

/* Adds up the runs of a native histogram in the places of the buckets. */
static uint64_t read_native(const Prometheus__Histogram *h, const struct native_buckets *b,
			    uint64_t *ret_counts)
{
	int index = 0;
	size_t delta = 0;
	int64_t count = 0;
	uint64_t sum = h->zero_count;

	for (size_t i = 0; i < h->n_positive_span; i++) {
		const Prometheus__BucketSpan *span = h->positive_span[i];

		cr_assert(i == 0 || span->offset > 0, "runs that touch are one");
		index += span->offset;
		for (uint32_t j = 0; j < span->length; j++, index++) {
			cr_assert_lt(delta, h->n_positive_delta);
			cr_assert(index >= b->first && index < b->first + (int)b->count);
			count += h->positive_delta[delta++];
			cr_assert_gt(count, 0);
			ret_counts[index - b->first] = (uint64_t)count;
			sum += (uint64_t)count;
		}
	}
	cr_assert_eq(delta, h->n_positive_delta);
	return sum;
}

/* Whichever buckets are not empty, and in whichever unit. */
Test(expose_protobuf, native_histograms)
{
	static const struct metric m = {"a_seconds", "Help.", METRIC_HISTOGRAM, .divisor = 1000000};
	static const struct expose_series series = {1, {{"x", "1"}}};
	static const double bounds[] = {0.001, 1};
	static struct native_buckets native;
	uint64_t state = 11;

	native_buckets_init(&native, 1e6, 32);
	for (unsigned int n = 0; n < 300; n++) {
		static uint64_t cells[5 + 1 + NATIVE_BUCKETS_MAX], found[NATIVE_BUCKETS_MAX];
		struct histogram_bounds b;
		Prometheus__MetricFamily *f;
		const Prometheus__Histogram *h;
		struct buf out = BUF_INIT;
		size_t at = 0;

		memset(cells, 0, sizeof(cells));
		memset(found, 0, sizeof(found));
		histogram_bounds_init(&b, bounds, ARRAY_SIZE(bounds), 1e6);
		b.native = &native;
		for (unsigned int i = 0; i < n; i++)
			histogram_observe(cells, &b,
					  core_random(&state, UINT32_MAX) >>
						  core_random(&state, 33) % 32);
		expose_protobuf.family(&out, &m);
		expose_protobuf.histogram(&out, &m, &series, &b, cells);
		expose_protobuf.family_end(&out, 0);
		f = next_family(&out, &at);
		h = f->metric[0]->histogram;
		cr_assert_eq(h->schema, 3);
		cr_assert_eq(h->zero_threshold, 0x1p-128);
		cr_assert_eq(h->zero_count, histogram_native(cells, &b)[0]);
		cr_assert_eq(h->sample_count, n);
		cr_assert_gt(h->n_positive_span, 0, "it is native, though it be empty");
		cr_assert_eq(h->n_bucket, 2, "and classic as well");
		cr_assert_eq(read_native(h, &native, found), n);
		cr_assert_arr_eq(found, histogram_native(cells, &b) + 1,
				 native.count * sizeof(*found));
		free_family(f);
		buf_done(&out);
	}
}
