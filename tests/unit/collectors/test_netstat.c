/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/netstat.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/support/test_support.h"

TEST_SUITE(netstat);

#define UNTOUCHED UINT64_C(0xdead)

Test(netstat, parse)
{
	static const struct {
		const char *name, *text;
		int result;
		uint64_t value;
	} cases[] = {
		{"the only column", "TcpExt: ListenDrops\nTcpExt: 7\n", 0, 7},
		{"by its name", "TcpExt: A ListenDrops B\nTcpExt: 1 2 3\n", 0, 2},
		{"the whole name",
		 "TcpExt: XListenDrops Listen ListenDrops ListenDropsX\nTcpExt: 1 2 3 4\n", 0, 3},
		{"after other blocks",
		 "Ip: ListenDrops\nIp: 1\nTcpExtra: ListenDrops\nTcpExtra: 2\n"
		 "TcpExt: ListenDrops\nTcpExt: 3\nIpExt: ListenDrops\nIpExt: 4\n",
		 0, 3},
		{"the largest", "TcpExt: ListenDrops\nTcpExt: 18446744073709551615\n", 0,
		 UINT64_MAX},
		{"another is negative", "TcpExt: MaxConn ListenDrops\nTcpExt: -1 5\n", 0, 5},
		{"nothing", "", -ENOENT, UNTOUCHED},
		{"no block", "Ip: ListenDrops\nIp: 1\n", -ENOENT, UNTOUCHED},
		{"no column", "TcpExt: A\nTcpExt: 1\n", -ENOENT, UNTOUCHED},
		{"an empty block", "TcpExt:\nTcpExt:\n", -ENOENT, UNTOUCHED},
		{"no values", "TcpExt: ListenDrops\n", -EBADMSG, UNTOUCHED},
		{"values of another", "TcpExt: ListenDrops\nIpExt: 1\n", -EBADMSG, UNTOUCHED},
		{"an empty line of values", "TcpExt: ListenDrops\n\n", -EBADMSG, UNTOUCHED},
		{"too few values", "TcpExt: ListenDrops A\nTcpExt: 1\n", -EBADMSG, UNTOUCHED},
		{"too many values", "TcpExt: ListenDrops\nTcpExt: 1 2\n", -EBADMSG, UNTOUCHED},
		{"cut in the number", "TcpExt: ListenDrops\nTcpExt: 12", -EBADMSG, UNTOUCHED},
		{"negative", "TcpExt: ListenDrops\nTcpExt: -1\n", -EBADMSG, UNTOUCHED},
		{"no number", "TcpExt: ListenDrops\nTcpExt: 1x\n", -EBADMSG, UNTOUCHED},
		{"too large", "TcpExt: ListenDrops\nTcpExt: 18446744073709551616\n", -EBADMSG,
		 UNTOUCHED},
		{"a digit too long", "TcpExt: ListenDrops\nTcpExt: 000000000000000000001\n",
		 -EBADMSG, UNTOUCHED},
		{"too long", "TcpExt: ListenDrops\nTcpExt: 000000000000000000000000001\n", -EBADMSG,
		 UNTOUCHED},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t value = UNTOUCHED;

		cr_assert_eq(netstat_parse(cases[i].text, strlen(cases[i].text),
					   "TcpExt:", "ListenDrops", &value),
			     cases[i].result, "%s", cases[i].name);
		cr_assert_eq(value, cases[i].value, "%s", cases[i].name);
	}
}

Test(netstat, what_a_kernel_wrote)
{
	static const struct {
		const char *file, *prefix, *name;
		uint64_t value;
	} cases[] = {
		{"tests/fixtures/netstat/netstat", "TcpExt:", "ListenDrops", 5},
		{"tests/fixtures/netstat/netstat", "TcpExt:", "ListenOverflows", 5},
		{"tests/fixtures/netstat/snmp", "Tcp:", "RtoMax", 120000},
		{"tests/fixtures/netstat/snmp", "Tcp:", "ActiveOpens", 7},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t value = UNTOUCHED;
		size_t n;
		char *text = test_read_file(cases[i].file, &n);

		cr_assert_eq(netstat_parse(text, n, cases[i].prefix, cases[i].name, &value), 0,
			     "%s", cases[i].name);
		cr_assert_eq(value, cases[i].value, "%s", cases[i].name);
		free(text);
	}
}

/* A file of N columns before the one that is looked for. */
static void write_netstat(int fd, unsigned int columns, unsigned int drops)
{
	FILE *f = fdopen(dup(fd), "w");

	cr_assert(f);
	cr_assert_eq(ftruncate(fd, 0), 0);
	rewind(f);
	for (int line = 0; line < 2; line++) {
		fputs("TcpExt:", f);
		for (unsigned int i = 0; i < columns; i++)
			fputs(line ? " 1234567" : " Counter", f);
		if (line)
			fprintf(f, " %u\n", drops);
		else
			fputs(" ListenDrops\n", f);
	}
	cr_assert_eq(fclose(f), 0);
}

struct netstat_file {
	int fd;
	struct netstat_reader reader;
};

static void netstat_file_init(struct netstat_file *file)
{
	char path[64];

	file->fd = memfd_create("netstat", MFD_CLOEXEC);
	file->reader = (struct netstat_reader)NETSTAT_READER_INIT;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file->fd);
	cr_assert_eq(netstat_reader_open(&file->reader, path), 0);
}

static void netstat_file_done(struct netstat_file *file)
{
	netstat_reader_done(&file->reader);
	netstat_reader_done(&file->reader);
	close(file->fd);
}

Test(netstat, reader_sees_each_new_value)
{
	struct netstat_file file;
	uint64_t drops;

	netstat_file_init(&file);
	for (unsigned int i = 0; i < 3; i++) {
		write_netstat(file.fd, 100, i * 1000);
		cr_assert_eq(netstat_reader_listen_drops(&file.reader, &drops), 0);
		cr_assert_eq(drops, i * 1000);
	}
	netstat_file_done(&file);
}

Test(netstat, reader_grows_to_a_bound)
{
	static const struct {
		unsigned int columns;
		int result;
	} cases[] = {
		{10, 0}, {509, 0}, {510, 0}, {511, 0}, {2000, 0}, {4000, 0}, {4100, -EFBIG},
	};
	struct netstat_file file;

	netstat_file_init(&file);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t drops = UNTOUCHED;

		write_netstat(file.fd, cases[i].columns, 42);
		cr_assert_eq(netstat_reader_listen_drops(&file.reader, &drops), cases[i].result,
			     "%u", cases[i].columns);
		cr_assert_eq(drops, cases[i].result ? UNTOUCHED : 42, "%u", cases[i].columns);
	}
	netstat_file_done(&file);
}

Test(netstat, reader_of_an_empty_file)
{
	struct netstat_file file;
	uint64_t drops;

	netstat_file_init(&file);
	cr_assert_eq(netstat_reader_listen_drops(&file.reader, &drops), -ENOENT);
	netstat_file_done(&file);
}

Test(netstat, reader_of_what_is_no_file)
{
	struct netstat_reader r = NETSTAT_READER_INIT;
	uint64_t drops;

	cr_assert_eq(netstat_reader_open(&r, "/nonexistent/netstat"), -ENOENT);
	cr_assert_eq(netstat_reader_open(&r, "/"), 0);
	cr_assert_eq(netstat_reader_listen_drops(&r, &drops), -EISDIR);
	netstat_reader_done(&r);
}

Test(netstat, reader_of_this_kernel)
{
	struct netstat_reader r = NETSTAT_READER_INIT;
	uint64_t first, second;

	if (netstat_reader_open(&r, "/proc/self/net/netstat") < 0) {
		printf("SKIPPED: no /proc/self/net/netstat here\n");
		return;
	}
	cr_assert_eq(netstat_reader_listen_drops(&r, &first), 0);
	cr_assert_eq(netstat_reader_listen_drops(&r, &second), 0);
	cr_assert_geq(second, first);
	netstat_reader_done(&r);
}

Test(netstat, tcp_opens)
{
	static const struct {
		const char *text;
		int result;
		uint64_t opens;
	} cases[] = {
		{"Tcp: ActiveOpens PassiveOpens\nTcp: 7 2\n", 0, 9},
		{"Tcp: MaxConn ActiveOpens PassiveOpens\nTcp: -1 0 0\n", 0, 0},
		{"Tcp: ActiveOpens\nTcp: 7\n", -ENOENT, UNTOUCHED},
		{"Tcp: PassiveOpens\nTcp: 7\n", -ENOENT, UNTOUCHED},
		{"Udp: ActiveOpens PassiveOpens\nUdp: 7 2\n", -ENOENT, UNTOUCHED},
		{"Tcp: ActiveOpens PassiveOpens\nTcp: 7 x\n", -EBADMSG, UNTOUCHED},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct netstat_file file;
		uint64_t opens = UNTOUCHED;
		size_t n = strlen(cases[i].text);

		netstat_file_init(&file);
		cr_assert_eq(pwrite(file.fd, cases[i].text, n, 0), (ssize_t)n);
		cr_assert_eq(netstat_reader_tcp_opens(&file.reader, &opens), cases[i].result, "%s",
			     cases[i].text);
		cr_assert_eq(opens, cases[i].opens, "%s", cases[i].text);
		netstat_file_done(&file);
	}
}
