/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/native_buckets.h"

#include <assert.h>
#include <math.h>

#include "daemon/util/macros.h"

/* The largest integer that is not above the bound of a bucket. */
static uint64_t upper_of(int index, double divisor)
{
	double bound = divisor * exp2((double)index / NATIVE_PER_DOUBLING);

	return bound < 0x1p64 ? (uint64_t)bound : UINT64_MAX;
}

void native_buckets_init(struct native_buckets *b, double divisor, unsigned int bits)
{
	uint64_t largest = UINT64_MAX >> (64 - bits);
	unsigned int place = 0;

	assert(bits > 0 && bits <= 64);

	b->first = (int)ceil(-log2(divisor) * NATIVE_PER_DOUBLING);
	b->count = 0;
	do
		b->upper[b->count] = upper_of(b->first + (int)b->count, divisor);
	while (b->upper[b->count++] < largest && b->count < NATIVE_BUCKETS_MAX);
	b->begin[0] = 0;
	for (unsigned int i = 1; i < ARRAY_SIZE(b->begin); i++) {
		while (place + 1 < b->count && b->upper[place] < UINT64_C(1) << (i - 1))
			place++;
		b->begin[i] = (uint16_t)place;
	}
}

unsigned int native_buckets_find(const struct native_buckets *b, uint64_t value)
{
	unsigned int place;

	assert(value > 0);

	place = b->begin[64 - __builtin_clzll(value)];
	while (place + 1 < b->count && b->upper[place] < value)
		place++;
	return place;
}
