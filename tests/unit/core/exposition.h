/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strict reader of the text format 0.0.4, stricter than Prometheus: each family is one block with
 * its head, HELP before TYPE before at least one sample; no family and no series comes twice; only
 * the escapes of the format; UTF-8 throughout; lower case in names; no timestamps, no other
 * comments, no empty lines.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPOSITION_LABELS_MAX 8
#define EXPOSITION_VALUE_MAX  512

struct exposition_series {
	char name[96]; /* with its suffix */
	unsigned int label_count;
	struct exposition_label {
		char name[32];
		char value[EXPOSITION_VALUE_MAX]; /* as it was before it was escaped */
	} labels[EXPOSITION_LABELS_MAX];
	const char *key; /* name and labels, in the text */
	size_t key_len;
	char number[32];
	double value;
};

struct exposition_family {
	char name[96];
	char help[512];
	char type[16];
	uint32_t first, count; /* its series */
};

struct exposition {
	struct exposition_family *families;
	struct exposition_series *series;
	uint32_t family_count, series_count;
	uint32_t family_cap, series_cap;
};

#define EXPOSITION_INIT \
	{               \
		0       \
	}

/* 0, or the number of the first line that is at fault, from 1. The series refer to TEXT. */
unsigned int exposition_parse(struct exposition *e, const char *text, size_t n);
void exposition_done(struct exposition *e);

/* NULL if it is not there. */
const struct exposition_family *exposition_find(const struct exposition *e, const char *name);
/* The value of a label, NULL if there is none. */
const char *exposition_label(const struct exposition_series *s, const char *name);
/* The first series at or after FIRST that breaks what holds of a histogram's: bounds rise, counts
 * do not fall, the last bucket is +Inf and equals the count, then the sum, then the count. The
 * number of all series if none does. */
uint32_t exposition_broken_histogram(const struct exposition *e);
