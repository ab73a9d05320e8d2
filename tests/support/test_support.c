/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_support.h"

#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define HAVE_LSAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_LSAN 1
#endif
#endif

#ifdef HAVE_LSAN
#include <sanitizer/lsan_interface.h>
#endif

void test_check_leaks(void)
{
#ifdef HAVE_LSAN
	if (__lsan_do_recoverable_leak_check())
		abort();
#endif
}

char *test_read_file(const char *path, size_t *ret_len)
{
	const char *root = getenv("SOURCE_ROOT");
	char full[4096];
	FILE *f;
	char *text;
	long size;

	snprintf(full, sizeof(full), "%s/%s", root ? root : ".", path);
	f = fopen(full, "rb");
	cr_assert(f, "%s is not there", full);
	cr_assert_eq(fseek(f, 0, SEEK_END), 0);
	size = ftell(f);
	cr_assert(size >= 0);
	rewind(f);
	text = malloc((size_t)size + 1);
	cr_assert(text);
	cr_assert_eq(fread(text, 1, (size_t)size, f), (size_t)size);
	text[size] = '\0';
	fclose(f);
	if (ret_len)
		*ret_len = (size_t)size;
	return text;
}
