/* SPDX-License-Identifier: Apache-2.0 */
/* Trees of files in place of /proc, and the real one. */
#include "collectors/procfs_dump.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(procfs_dump);

#define HEAD "  sl  local_address rem_address   st tx_queue\n"
#define LISTEN                                                                                    \
	"   0: 0100007F:%04X 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 %u 1 0 " \
	"1 0 0 1 0\n"
#define ESTAB                                                                                     \
	"   0: 0100007F:%04X 0100007F:1000 01 00000000:00000000 00:00000000 00000000 0 0 %u 1 0 " \
	"1 0 0 1 0\n"

struct fixture {
	char root[64];
	struct procfs_dump dump;
	struct sock_batch batch;
	unsigned int rows, listeners, last_port;
	unsigned int steps;
	enum poll_failure failure;
};

static void write_file(const struct fixture *f, const char *name, const char *text, size_t n)
{
	char path[160];
	int fd;

	snprintf(path, sizeof(path), "%s/self/net/%s", f->root, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, n), (ssize_t)n);
	close(fd);
}

static void fixture_init(struct fixture *f)
{
	char path[80];

	*f = (struct fixture){0};
	strcpy(f->root, "/tmp/procfs_dump.XXXXXX");
	cr_assert(mkdtemp(f->root));
	snprintf(path, sizeof(path), "%s/self", f->root);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/self/net", f->root);
	mkdir(path, 0755);
	procfs_dump_init(&f->dump, f->root);
}

static void fixture_done(struct fixture *f)
{
	static const char *const names[] = {"net/tcp", "net/tcp6", "net/sockstat6", "net", ""};
	char path[160];

	procfs_dump_done(&f->dump);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/self/%s", f->root, names[i]);
		remove(path);
	}
	rmdir(f->root);
}

/* A whole walk; whether it ended well. */
static bool walk(struct fixture *f, bool heads_only)
{
	enum sock_step step = SOCK_STEP_MORE;

	f->rows = 0;
	f->listeners = 0;
	f->steps = 0;
	f->failure = procfs_dump_start(&f->dump, POLL_FAMILY_TCP, heads_only);
	if (f->failure != POLL_FAILURE_NONE)
		return false;
	while (step == SOCK_STEP_MORE) {
		step = procfs_dump_step(&f->dump, &f->batch, &f->failure);
		for (unsigned int i = 0; i < f->batch.count; i++) {
			f->listeners += f->batch.records[i].state == SOCK_LISTEN;
			f->last_port = f->batch.records[i].local_port;
		}
		f->rows += f->batch.count;
		f->steps++;
	}
	cr_assert_not(f->dump.running);
	return step == SOCK_STEP_DONE;
}

static char big[1 << 20];

/* LISTENERS rows, then CONNECTIONS. */
static size_t print_table(unsigned int listeners, unsigned int connections)
{
	int n = sprintf(big, HEAD);

	for (unsigned int i = 0; i < listeners; i++)
		n += sprintf(big + n, LISTEN, 1 + i, 1 + i);
	for (unsigned int i = 0; i < connections; i++)
		n += sprintf(big + n, ESTAB, 1 + i, 1 + i);
	return (size_t)n;
}

Test(procfs_dump, all_rows_whatever_their_number)
{
	static const unsigned int sizes[] = {0, 1, 26, 27, 28, 150, 151, 152, 5000};
	static struct fixture f;

	fixture_init(&f);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		write_file(&f, "tcp", big, print_table(3, sizes[i]));
		cr_assert(walk(&f, false), "%u", sizes[i]);
		cr_assert_eq(f.rows, 3 + sizes[i], "%u: %u", sizes[i], f.rows);
		cr_assert_eq(f.listeners, 3, "%u", sizes[i]);
		cr_assert_eq(f.dump.malformed_lines, 0, "%u", sizes[i]);
	}
	cr_assert_gt(f.steps, 30, "the collector's loop turns in between");
	fixture_done(&f);
}

Test(procfs_dump, both_files)
{
	static struct fixture f;

	fixture_init(&f);
	write_file(&f, "tcp", big, print_table(1, 2));
	write_file(&f, "tcp6", big, print_table(3, 4));
	cr_assert(walk(&f, false));
	cr_assert_eq(f.rows, 10);
	cr_assert(walk(&f, true));
	cr_assert_eq(f.rows, 4, "heads only");
	cr_assert_eq(f.listeners, 4);
	write_file(&f, "sockstat6", "TCP6: inuse 0\n", 14);
	cr_assert(walk(&f, true));
	cr_assert_eq(f.rows, 1, "no IPv6");
	cr_assert(walk(&f, false));
	cr_assert_eq(f.rows, 10, "but time-wait sockets are not counted there");
	write_file(&f, "sockstat6", "TCP6: inuse 3\n", 14);
	cr_assert(walk(&f, true));
	cr_assert_eq(f.rows, 4);
	fixture_done(&f);
}

Test(procfs_dump, the_head_of_a_large_file_is_read_and_no_more)
{
	static struct fixture f;

	fixture_init(&f);
	write_file(&f, "tcp", big, print_table(2, 5000));
	cr_assert(walk(&f, true));
	cr_assert_eq(f.rows, 2);
	cr_assert_leq(f.steps, 2);
	write_file(&f, "tcp", big, print_table(1000, 3000));
	cr_assert(walk(&f, true));
	cr_assert_eq(f.rows, 1000);
	fixture_done(&f);
}

Test(procfs_dump, what_is_no_line_is_counted)
{
	static const struct {
		const char *name, *text;
		unsigned int rows, malformed;
	} cases[] = {
		{"nothing", "", 0, 0},
		{"a heading", HEAD, 0, 0},
		{"a heading that is cut", "  sl  loc", 0, 1},
		{"garbage", HEAD "garbage\n\n", 0, 2},
		{"cut at the end", HEAD "   0: 0100007F:0016 0000", 0, 1},
	};
	static struct fixture f;

	fixture_init(&f);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		f.dump.malformed_lines = 0;
		write_file(&f, "tcp", cases[i].text, strlen(cases[i].text));
		cr_assert(walk(&f, false), "%s", cases[i].name);
		cr_assert_eq(f.rows, cases[i].rows, "%s", cases[i].name);
		cr_assert_eq(f.dump.malformed_lines, cases[i].malformed, "%s: %lu", cases[i].name,
			     (unsigned long)f.dump.malformed_lines);
	}
	fixture_done(&f);
}

/* One line without an end is one line, and the next is read. */
Test(procfs_dump, endless_lines)
{
	static const size_t sizes[] = {511, 512, 513, 16383, 16384, 16385, 20000, 100000};
	static struct fixture f;

	fixture_init(&f);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t n = (size_t)sprintf(big, HEAD);

		memset(big + n, 'x', sizes[i]);
		n += sizes[i];
		n += (size_t)sprintf(big + n, "\n" ESTAB, 7, 7);
		f.dump.malformed_lines = 0;
		write_file(&f, "tcp", big, n);
		cr_assert(walk(&f, false), "%zu", sizes[i]);
		cr_assert_eq(f.rows, 1, "%zu", sizes[i]);
		cr_assert_eq(f.last_port, 7, "%zu", sizes[i]);
		cr_assert_eq(f.dump.malformed_lines, 1, "%zu: %lu", sizes[i],
			     (unsigned long)f.dump.malformed_lines);
	}
	fixture_done(&f);
}

Test(procfs_dump, a_table_that_is_not_there)
{
	static struct fixture f;

	fixture_init(&f);
	cr_assert_not(walk(&f, false));
	cr_assert_eq(f.failure, POLL_FAILURE_TABLE);
	procfs_dump_init(&f.dump, "/nonexistent");
	cr_assert_not(walk(&f, false));
	cr_assert_eq(f.failure, POLL_FAILURE_TABLE);
	fixture_done(&f);
}

/* Who reads on where the table has ended finds more as long as sockets are made faster than it is
 * walked. Here nobody makes any, and who reads on waits for ever. */
Test(procfs_dump, what_comes_behind_the_end_is_not_waited_for)
{
	static struct fixture f;
	char path[160];
	size_t n = print_table(1, 2);
	int fd;

	fixture_init(&f);
	snprintf(path, sizeof(path), "%s/self/net/tcp", f.root);
	cr_assert_eq(mkfifo(path, 0600), 0);
	fd = open(path, O_RDWR);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, big, n), (ssize_t)n);
	alarm(10);
	cr_assert(walk(&f, false));
	alarm(0);
	cr_assert_eq(f.rows, 3);
	close(fd);
	fixture_done(&f);
}

Test(procfs_dump, the_kernel)
{
	static struct fixture f;

	procfs_dump_init(&f.dump, "/proc");
	cr_assert(walk(&f, false));
	cr_assert_eq(f.dump.malformed_lines, 0);
	cr_assert_eq(f.dump.unknown_states, 0);
	cr_assert(walk(&f, true));
	cr_assert_eq(f.rows, f.listeners);
	procfs_dump_done(&f.dump);
}
