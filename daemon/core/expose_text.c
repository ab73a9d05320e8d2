/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/expose_text.h"

#include <string.h>

#include "daemon/core/expose_number.h"
#include "daemon/util/units.h"
#include "daemon/util/utf8.h"

static void add_escaped(struct buf *out, const char *character, size_t n, bool quotes)
{
	if (*character == '\\')
		buf_add_str(out, "\\\\");
	else if (*character == '\n')
		buf_add_str(out, "\\n");
	else if (*character == '"' && quotes)
		buf_add_str(out, "\\\"");
	else
		buf_add(out, character, n);
}

static void add_text(struct buf *out, const char *text, size_t max, bool quotes)
{
	const char *character;
	size_t at = 0, n;

	while ((n = utf8_next(text, max, &at, &character)) > 0)
		add_escaped(out, character, n, quotes);
}

static void add_meta(struct buf *out, const char *what, const char *name, size_t len)
{
	buf_add_str(out, what);
	buf_add(out, name, len);
	buf_add_char(out, ' ');
}

static void add_family(struct buf *out, const struct metric *m)
{
	add_meta(out, "# HELP ", m->name, strlen(m->name));
	add_text(out, m->help, strlen(m->help), false);
	add_meta(out, "\n# TYPE ", m->name, strlen(m->name));
	buf_add_str(out, metric_type_name(m));
	buf_add_char(out, '\n');
}

static void add_openmetrics_family(struct buf *out, const struct metric *m)
{
	size_t len = metric_family_length(m);
	const char *unit = metric_unit(m);

	add_meta(out, "# TYPE ", m->name, len);
	buf_add_str(out, metric_type_name(m));
	if (unit) {
		add_meta(out, "\n# UNIT ", m->name, len);
		buf_add_str(out, unit);
	}
	add_meta(out, "\n# HELP ", m->name, len);
	add_text(out, m->help, strlen(m->help), true);
	buf_add_char(out, '\n');
}

/* The labels, without braces. */
static void add_labels(struct buf *out, const struct expose_series *series)
{
	for (unsigned int i = 0; i < series->count; i++) {
		if (i > 0)
			buf_add_char(out, ',');
		buf_add_str(out, series->items[i].name);
		buf_add_str(out, "=\"");
		add_text(out, series->items[i].value, EXPOSE_LABEL_VALUE_MAX, true);
		buf_add_char(out, '"');
	}
}

/* LEN of the name, a suffix, the labels, and the space before the value. */
static void begin_line(struct buf *out, const struct metric *m, size_t len, const char *suffix,
		       const struct expose_series *series)
{
	buf_add(out, m->name, len);
	buf_add_str(out, suffix);
	if (series->count > 0) {
		buf_add_char(out, '{');
		add_labels(out, series);
		buf_add_char(out, '}');
	}
	buf_add_char(out, ' ');
}

static void add_value(struct buf *out, const struct metric *m, const struct expose_series *series,
		      uint64_t n)
{
	begin_line(out, m, strlen(m->name), "", series);
	if (m->divisor)
		expose_double(out, (double)n / metric_divisor(m));
	else
		expose_u64(out, n);
	buf_add_char(out, '\n');
}

static void add_bucket(struct buf *out, const struct metric *m, const struct expose_series *series,
		       const double *le, uint64_t count)
{
	buf_add_str(out, m->name);
	buf_add_str(out, "_bucket{");
	add_labels(out, series);
	buf_add_str(out, series->count > 0 ? ",le=\"" : "le=\"");
	if (le)
		expose_le(out, *le);
	else
		buf_add_str(out, "+Inf");
	buf_add_str(out, "\"} ");
	expose_u64(out, count);
	buf_add_char(out, '\n');
}

static void add_histogram(struct buf *out, const struct metric *m,
			  const struct expose_series *series, const struct histogram_bounds *b,
			  const uint64_t *cells)
{
	uint64_t count = 0;

	for (unsigned int i = 0; i <= b->count; i++) {
		count += __atomic_load_n(&cells[i], __ATOMIC_RELAXED);
		add_bucket(out, m, series, i < b->count ? &b->le[i] : NULL, count);
	}
	begin_line(out, m, strlen(m->name), "_sum", series);
	expose_double(out, histogram_sum(cells, b, metric_divisor(m)));
	buf_add_char(out, '\n');
	begin_line(out, m, strlen(m->name), "_count", series);
	expose_u64(out, count);
	buf_add_char(out, '\n');
}

static void add_created(struct buf *out, const struct metric *m, const struct expose_series *series)
{
	if (!series->created_ms)
		return;
	begin_line(out, m, metric_family_length(m), "_created", series);
	expose_double(out, (double)series->created_ms / MSEC_PER_SEC);
	buf_add_char(out, '\n');
}

static void add_openmetrics_value(struct buf *out, const struct metric *m,
				  const struct expose_series *series, uint64_t n)
{
	add_value(out, m, series, n);
	add_created(out, m, series);
}

static void add_openmetrics_histogram(struct buf *out, const struct metric *m,
				      const struct expose_series *series,
				      const struct histogram_bounds *b, const uint64_t *cells)
{
	add_histogram(out, m, series, b, cells);
	add_created(out, m, series);
}

const struct expose_format expose_text = {
	.family = add_family,
	.value = add_value,
	.histogram = add_histogram,
	.end = "",
	.content_type = "text/plain; version=0.0.4; charset=utf-8",
};

const struct expose_format expose_openmetrics = {
	.family = add_openmetrics_family,
	.value = add_openmetrics_value,
	.histogram = add_openmetrics_histogram,
	.has_created = true,
	.end = "# EOF\n",
	.content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8",
};
