/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The buckets of native histograms (prometheus/docs, native histograms): they need no bounds chosen
 * in advance. Bucket I has the values, in base units, of 2^((I - 1) / 2^schema) exclusive to
 * 2^(I / 2^schema) inclusive; 0 has one of its own.
 */
#pragma once

#include <stdint.h>

/* Eight buckets for each doubling: a quantile is at most 9 % off. */
#define NATIVE_SCHEMA       3
#define NATIVE_PER_DOUBLING (1 << NATIVE_SCHEMA)
/* Of values that are integers of up to 64 bits, and one for where the unit makes the first odd. */
#define NATIVE_BUCKETS_MAX (64 * NATIVE_PER_DOUBLING + 2)
/* 0 is what is no more than this, as Prometheus' own clients say it. */
#define NATIVE_ZERO_THRESHOLD 0x1p-128

struct native_buckets {
	int first; /* the I of the first, which is that of the value 1 */
	unsigned int count;
	uint16_t begin[65]; /* where those begin that values of so many bits can be in */
	uint64_t upper[NATIVE_BUCKETS_MAX]; /* inclusive, in the unit of the values */
};

/* Of values that are a base unit times DIVISOR, 1 to 10^18, in an integer of BITS bits. */
void native_buckets_init(struct native_buckets *b, double divisor, unsigned int bits);
/* The place of the bucket of a value that is not 0; of one that has too many bits, the last. */
unsigned int native_buckets_find(const struct native_buckets *b, uint64_t value);
