/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cleanup by attribute: a variable that owns something lets go of it at the end of its scope,
 * unless the ownership was taken with take_ptr() or take_fd().
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(fn) __attribute__((cleanup(fn)))
#define _free_        _cleanup_(cleanup_free)
#define _close_       _cleanup_(cleanup_close)
#define _fclose_      _cleanup_(cleanup_fclose)

/* Defines cleanup_NAME for pointers to TYPE, which calls FN unless the pointer is NULL. */
#define DEFINE_CLEANUP(type, name, fn)             \
	static inline void cleanup_##name(type *p) \
	{                                          \
		if (*p)                            \
			fn(*p);                    \
	}                                          \
	struct cleanup_##name##_semicolon

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

/* The pointer (or descriptor), which the variable then no longer owns. */
#define take_ptr(p)                         \
	({                                  \
		__typeof__(p) taken_ = (p); \
		(p) = NULL;                 \
		taken_;                     \
	})

static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}
