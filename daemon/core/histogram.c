/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/histogram.h"

#include <assert.h>
#include <stddef.h>

/* A bound of 0.0001 s is 100 µs, also where the product comes out as 99.99999999999999. */
#define ROUNDING (1 + 1e-12)

void histogram_bounds_init(struct histogram_bounds *b, const double *bounds, unsigned int count,
			   double divisor)
{
	assert(count <= HISTOGRAM_BOUNDS_MAX);

	b->native = NULL;
	b->count = count;
	for (unsigned int i = 0; i < count; i++) {
		double upper = bounds[i] * divisor * ROUNDING;

		b->le[i] = bounds[i];
		b->upper[i] = upper < 0x1p64 ? (uint64_t)upper : UINT64_MAX;
	}
}

unsigned int histogram_cells(const struct histogram_bounds *b)
{
	return b->count + 3 + (b->native ? 1 + b->native->count : 0);
}

unsigned int histogram_series(const struct histogram_bounds *b)
{
	return b->count + 3;
}

static void add_to_sum(uint64_t *sum, uint64_t low, uint64_t high)
{
	sum[1] += high + __builtin_add_overflow(sum[0], low, &sum[0]);
}

void histogram_observe(uint64_t *cells, const struct histogram_bounds *b, uint64_t value)
{
	unsigned int low = 0;
	unsigned int high = b->count;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (value <= b->upper[middle])
			high = middle;
		else
			low = middle + 1;
	}
	cells[low]++;
	add_to_sum(cells + b->count + 1, value, 0);
	if (b->native)
		cells[b->count + 3 + (value ? 1 + native_buckets_find(b->native, value) : 0)]++;
}

void histogram_add(uint64_t *cells, const uint64_t *from, const struct histogram_bounds *b)
{
	const uint64_t *sum = from + b->count + 1;

	for (unsigned int i = 0; i <= b->count; i++)
		cells[i] += from[i];
	add_to_sum(cells + b->count + 1, sum[0], sum[1]);
	for (unsigned int i = b->count + 3; i < histogram_cells(b); i++)
		cells[i] += from[i];
}

const uint64_t *histogram_native(const uint64_t *cells, const struct histogram_bounds *b)
{
	return cells + b->count + 3;
}

uint64_t histogram_count(const uint64_t *cells, const struct histogram_bounds *b)
{
	uint64_t count = 0;

	for (unsigned int i = 0; i <= b->count; i++)
		count += cells[i];
	return count;
}

double histogram_sum(const uint64_t *cells, const struct histogram_bounds *b, double divisor)
{
	const uint64_t *sum = cells + b->count + 1;

	return ((double)sum[1] * 0x1p64 + (double)sum[0]) / divisor;
}
