/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fail_alloc.h"

#include <errno.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAVE_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
#define HAVE_SANITIZER 1
#endif
#endif

static _Thread_local struct {
	bool is_active;
	size_t fail_at;
	struct fail_alloc_result result;
} state;

void fail_alloc_start(size_t number)
{
	state.fail_at = number;
	state.result = (struct fail_alloc_result){0};
	state.is_active = true;
}

struct fail_alloc_result fail_alloc_stop(void)
{
	state.is_active = false;
	return state.result;
}

#ifdef HAVE_SANITIZER

bool fail_alloc_is_possible(void)
{
	return false;
}

#else

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);
void __libc_free(void *p);

bool fail_alloc_is_possible(void)
{
	return true;
}

/* Whether this allocation is the one. */
static bool is_failing(void)
{
	if (!state.is_active || ++state.result.allocations != state.fail_at)
		return false;
	errno = ENOMEM;
	return true;
}

static void *count(void *p)
{
	state.result.not_freed += state.is_active && p;
	return p;
}

__attribute__((visibility("default"))) void *malloc(size_t size)
{
	return is_failing() ? NULL : count(__libc_malloc(size));
}

__attribute__((visibility("default"))) void *calloc(size_t n, size_t size)
{
	return is_failing() ? NULL : count(__libc_calloc(n, size));
}

__attribute__((visibility("default"))) void *realloc(void *p, size_t size)
{
	void *moved;

	if (is_failing())
		return NULL;
	moved = __libc_realloc(p, size);
	return p ? moved : count(moved);
}

__attribute__((visibility("default"))) void *reallocarray(void *p, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(p, total);
}

__attribute__((visibility("default"))) void free(void *p)
{
	state.result.not_freed -= state.is_active && p;
	__libc_free(p);
}

#endif
