/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk from a snapshot to an exposition: which families, which samples, with which labels, is
 * decided here once; how they are written, by a format.
 */
#pragma once

#include "daemon/core/collectors.h"
#include "daemon/core/self_values.h"
#include "daemon/core/snapshot_unix.h"
#include "daemon/util/buf.h"

#define EXPOSE_LABELS_MAX 6
/* A label's value is cut at so many bytes, between two characters. */
#define EXPOSE_LABEL_VALUE_MAX 256

/* The labels of a series, and since when it counts. */
struct expose_series {
	unsigned int count;
	struct expose_label {
		const char *name;
		const char *value; /* any bytes; the format escapes and cuts */
	} items[EXPOSE_LABELS_MAX];
	uint64_t created_ms; /* realtime; 0: that is not to be told */
};

struct expose_format {
	/* What precedes a family's samples; and, NULL: nothing, what is to be done when all are
	 * there, which begin at START. */
	void (*family)(struct buf *out, const struct metric *m);
	void (*family_end)(struct buf *out, size_t start);
	/* N divided by the metric's divisor. */
	void (*value)(struct buf *out, const struct metric *m, const struct expose_series *labels,
		      uint64_t n);
	void (*histogram)(struct buf *out, const struct metric *m,
			  const struct expose_series *labels, const struct histogram_bounds *bounds,
			  const uint64_t *cells);
	bool has_created; /* each count that tells of its beginning has a series more */
	const char *end;  /* of an exposition */
	const char *content_type;
};

/* Whether the gauges of data of this age are still shown. */
bool expose_is_fresh(const struct snapshot_age *age, uint64_t now_boottime_ns);

/* Each writes its families and returns how many series they have. */
uint64_t expose_listeners(struct buf *out, const struct expose_format *format,
			  const struct snapshot_listeners *part, uint64_t now_boottime_ns);
uint64_t expose_sockets(struct buf *out, const struct expose_format *format,
			const struct snapshot_sockets *part, bool fresh);
uint64_t expose_unix(struct buf *out, const struct expose_format *format,
		     const struct snapshot_unix *part, uint64_t now_boottime_ns);
/* COLLECTORS: whose families, as COLLECTOR_BIT() says them. */
uint64_t expose_host(struct buf *out, const struct expose_format *format,
		     const struct snapshot_host *part, uint64_t now_boottime_ns,
		     unsigned int collectors);
/* Sets values->series, which is the last family, to SERIES plus its own. */
uint64_t expose_self(struct buf *out, const struct expose_format *format,
		     const struct catalogue *catalogue, struct self_values *values,
		     uint64_t series);
