/* SPDX-License-Identifier: Apache-2.0 */
/* What every Criterion suite of ours needs. */
#pragma once

#include <criterion/criterion.h>

/* Criterion hides leaks: under ASan a leaking test passes. So each test ends with this, which
 * aborts if memory was leaked (an assertion here would not fail the run). */
void test_check_leaks(void);

/* Instead of TestSuite(): the suite whose tests are checked for leaks. */
#define TEST_SUITE(name) TestSuite(name, .fini = test_check_leaks)

/* Reads a file of tests/fixtures or tests/golden (path from the source's root) whole; the caller
 * frees it. Fails the test if it is not there. */
char *test_read_file(const char *path, size_t *ret_len);
