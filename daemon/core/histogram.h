/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Histograms as plain cells: one count a bucket (not cumulative), one for what lies above the last
 * bound, and the sum in 128 bits, low word first, so that it never wraps. Values are integers in
 * the unit in which the kernel gives them; a divisor turns them into base units when rendered. A
 * histogram may be native as well: then a count of zeros follows, and one for each native bucket.
 */
#pragma once

#include "daemon/core/native_buckets.h"

#define HISTOGRAM_BOUNDS_MAX 64

struct histogram_bounds {
	unsigned int count;
	uint64_t upper[HISTOGRAM_BOUNDS_MAX]; /* inclusive, in the unit of the values */
	double le[HISTOGRAM_BOUNDS_MAX];      /* the same in base units, as configured */
	const struct native_buckets *native;  /* NULL: it is not native */
};

/* BOUNDS in base units, rising; a value is a base unit times DIVISOR. */
void histogram_bounds_init(struct histogram_bounds *b, const double *bounds, unsigned int count,
			   double divisor);

/* The number of cells of one histogram; and of series: buckets, sum and count. */
unsigned int histogram_cells(const struct histogram_bounds *b);
unsigned int histogram_series(const struct histogram_bounds *b);
void histogram_observe(uint64_t *cells, const struct histogram_bounds *b, uint64_t value);
/* Adds the cells of FROM, which has the same bounds. */
void histogram_add(uint64_t *cells, const uint64_t *from, const struct histogram_bounds *b);
/* The count of zeros, and those of the native buckets, of a histogram that is native. */
const uint64_t *histogram_native(const uint64_t *cells, const struct histogram_bounds *b);
/* The number of observations, and their sum in base units. */
uint64_t histogram_count(const uint64_t *cells, const struct histogram_bounds *b);
double histogram_sum(const uint64_t *cells, const struct histogram_bounds *b, double divisor);
