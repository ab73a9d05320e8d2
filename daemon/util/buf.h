/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growable byte buffer with a sticky error: when memory runs out it keeps what it has, ignores
 * what follows, and says so once, in buf.error, so that a renderer checks at its end only.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "daemon/util/macros.h"

struct buf {
	char *data; /* NULL while nothing was added; not terminated */
	size_t len;
	size_t cap;
	int error; /* 0 or -ENOMEM */
};

#define BUF_INIT  \
	{         \
		0 \
	}

void buf_done(struct buf *b);
/* Forgets content and error, keeps the memory. */
void buf_clear(struct buf *b);

void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_add_str(struct buf *b, const char *text);
void buf_add_char(struct buf *b, char c);
void buf_add_u64(struct buf *b, uint64_t n);
void buf_add_format(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);

/* The decimal digits of N, at most 20, not terminated; returns how many. */
unsigned int buf_write_u64(char *digits, uint64_t n);
