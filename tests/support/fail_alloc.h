/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes one allocation of this thread fail, whoever asks for it, and counts what is not freed. It
 * replaces malloc(), so it is compiled into a test of its own, and does nothing under a sanitizer,
 * which needs malloc() for itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

bool fail_alloc_is_possible(void);

/* From now on allocations are counted; the one with this number, from 1, fails; 0: none does. */
void fail_alloc_start(size_t number);

struct fail_alloc_result {
	size_t allocations;
	long not_freed; /* allocated since the start and not freed */
};

struct fail_alloc_result fail_alloc_stop(void);
