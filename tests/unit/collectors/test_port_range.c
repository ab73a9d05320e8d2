/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/port_range.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/support/test_support.h"

TEST_SUITE(port_range);

Test(port_range, parse)
{
	static const struct {
		const char *text;
		int result;
		uint16_t low, high;
	} cases[] = {
		{"32768\t60999\n", 0, 32768, 60999},
		{"1024\t65535\n", 0, 1024, 65535},
		{"5000\t5000\n", 0, 5000, 5000},
		{"", -EBADMSG, 0, 0},
		{"\n", -EBADMSG, 0, 0},
		{"\t\n", -EBADMSG, 0, 0},
		{"32768\n", -EBADMSG, 0, 0},
		{"32768\t60999", -EBADMSG, 0, 0},
		{"32768\n60999\t", -EBADMSG, 0, 0},
		{"32768\t60999\n\n", -EBADMSG, 0, 0},
		{"32768\t60999\t3\n", -EBADMSG, 0, 0},
		{"32768 60999\n", -EBADMSG, 0, 0},
		{"32768\t65536\n", -EBADMSG, 0, 0},
		{"-1\t60999\n", -EBADMSG, 0, 0},
		{"60999\t32768\n", -EBADMSG, 0, 0},
		{"a\tb\n", -EBADMSG, 0, 0},
		{"00000000000000032768\t00000000060999\n", -EBADMSG, 0, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint16_t low = 0, high = 0;

		cr_assert_eq(port_range_parse(cases[i].text, &low, &high), cases[i].result,
			     "\"%s\"", cases[i].text);
		cr_assert_eq(low, cases[i].low, "\"%s\"", cases[i].text);
		cr_assert_eq(high, cases[i].high, "\"%s\"", cases[i].text);
	}
}

Test(port_range, read)
{
	static const char text[] = "40000\t50000\n";
	int fd = memfd_create("port_range", MFD_CLOEXEC);
	uint16_t low, high;
	char path[64];

	cr_assert_eq(write(fd, text, sizeof(text) - 1), (ssize_t)sizeof(text) - 1);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	cr_assert_eq(port_range_read(path, &low, &high), 0);
	cr_assert_eq(low, 40000);
	cr_assert_eq(high, 50000);
	close(fd);
}

Test(port_range, read_what_is_not_there)
{
	uint16_t low, high;

	cr_assert_eq(port_range_read("/nonexistent/range", &low, &high), -ENOENT);
	cr_assert_eq(port_range_read("/", &low, &high), -EISDIR);
}
