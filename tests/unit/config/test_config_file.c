/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/test_support.h"

TEST_SUITE(config_file);

Test(config_file, reads_what_fits)
{
	char path[] = "/tmp/config-file-XXXXXX";
	struct buf text = BUF_INIT;
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, "12345", 5), 5);
	close(fd);
	cr_assert_eq(config_file_read(path, 5, &text), 0);
	cr_assert_eq(text.len, 5);
	cr_assert_eq(memcmp(text.data, "12345", 5), 0);
	buf_clear(&text);
	cr_assert_eq(config_file_read(path, 4, &text), -EFBIG);
	unlink(path);
	cr_assert_eq(config_file_read(path, 5, &text), -ENOENT);
	cr_assert_eq(config_file_read("/tmp", 5, &text), -EISDIR);
	buf_done(&text);
}
