/* SPDX-License-Identifier: Apache-2.0 */
/* A tree in place of /proc, and the real one. */
#include "collectors/host_counters.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/core/catalogue.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(host_counters);

struct fixture {
	char root[64];
	struct catalogue *catalogue;
	struct host_counters *host;
	uint64_t cells[512];
};

static void write_file(const struct fixture *f, const char *name, const char *text)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", f->root, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static const struct {
	const char *name, *text;
} tree[] = {
	{"self/net/snmp", "Tcp: MaxConn CurrEstab RetransSegs\nTcp: -1 12 34\n"
			  "Udp: NoPorts RcvbufErrors\nUdp: 5 6\n"},
	{"self/net/netstat", "TcpExt: ListenDrops ListenOverflows\nTcpExt: 78 56\n"},
	{"self/net/sockstat", "sockets: used 151\nTCP: inuse 5 orphan 1 tw 7 alloc 9 mem 2\n"
			      "UDP: inuse 3 mem 1\nUDPLITE: inuse 0\nRAW: inuse 4\n"
			      "FRAG: inuse 2 memory 100\n"},
	{"self/net/sockstat6", "TCP6: inuse 6\nUDP6: inuse 7\nUDPLITE6: inuse 0\nRAW6: inuse 1\n"
			       "FRAG6: inuse 1 memory 11\n"},
	{"sys/net/core/somaxconn", "4096\n"},
	{"sys/net/ipv4/tcp_max_orphans", "8192\n"},
	{"sys/net/ipv4/ip_local_port_range", "32768\t60999\n"},
	{"sys/net/ipv4/tcp_mem", "10\t20\t30\n"},
};

static void fixture_init(struct fixture *f)
{
	static const char *const directories[] = {"self",    "self/net",     "sys",
						  "sys/net", "sys/net/core", "sys/net/ipv4"};
	const struct catalogue_settings settings = {0};
	char path[256];

	*f = (struct fixture){.root = "/tmp/host_counters.XXXXXX"};
	cr_assert(mkdtemp(f->root));
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->root, directories[i]);
		mkdir(path, 0755);
	}
	for (size_t i = 0; i < ARRAY_SIZE(tree); i++)
		write_file(f, tree[i].name, tree[i].text);
	cr_assert_eq(catalogue_new(&settings, &f->catalogue), 0);
	cr_assert_leq(f->catalogue->host_cells, ARRAY_SIZE(f->cells));
	f->host = host_counters_new(f->root);
	cr_assert(f->host);
}

static int remove_one(const char *path, const struct stat *s, int flag, struct FTW *ftw)
{
	(void)s;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void fixture_done(struct fixture *f)
{
	nftw(f->root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	host_counters_free(f->host);
	catalogue_unref(f->catalogue);
}

static uint64_t value(const struct fixture *f, const char *name, unsigned int index)
{
	for (unsigned int i = 0; i < metric_count; i++)
		if (strcmp(metrics[i].name, name) == 0)
			return f->cells[f->catalogue->cell[i] + index];
	cr_assert_fail("%s", name);
	return 0;
}

static void read_all(struct fixture *f)
{
	host_counters_read(f->host, f->catalogue, f->cells);
}

Test(host_counters, values)
{
	static struct fixture f;
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	const struct {
		const char *name;
		unsigned int index;
		uint64_t value;
	} expected[] = {
		{"sockstat_sockets_used", 0, 151},
		{"sockstat_protocol_sockets", 0, 5},
		{"sockstat_protocol_sockets", 1, 6},
		{"sockstat_protocol_sockets", 3, 7},
		{"sockstat_protocol_sockets", 7, 1},
		{"sockstat_protocol_sockets", 8, 2},
		{"sockstat_protocol_memory_bytes", 0, 2 * page},
		{"sockstat_protocol_memory_bytes", 1, page},
		{"sockstat_protocol_memory_bytes", 2, 111},
		{"sockstat_tcp_overview_established", 0, 12},
		{"sockstat_tcp_overview_closed", 0, 9 - 5 - 6 + 7},
		{"sockstat_tcp_overview_orphaned", 0, 1},
		{"sockstat_tcp_overview_time_wait", 0, 7},
		{"sockstat_netstat_listen_overflows_total", 0, 56},
		{"sockstat_netstat_listen_drops_total", 0, 78},
		{"sockstat_netstat_tcp_retransmitted_segments_total", 0, 34},
		{"sockstat_netstat_udp_receive_buffer_errors_total", 0, 6},
		{"sockstat_netstat_tcp_timeouts_total", 0, METRIC_ABSENT},
		{"sockstat_limit_somaxconn", 0, 4096},
		{"sockstat_limit_ephemeral_ports", 0, 28232},
		{"sockstat_limit_tcp_memory_bytes", 0, 10 * page},
		{"sockstat_limit_tcp_memory_bytes", 2, 30 * page},
		{"sockstat_limit_udp_memory_bytes", 0, METRIC_ABSENT},
		{"sockstat_limit_tcp_syncookies", 0, METRIC_ABSENT},
	};

	fixture_init(&f);
	read_all(&f);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		cr_assert_eq(value(&f, expected[i].name, expected[i].index), expected[i].value,
			     "%s %u: %lu", expected[i].name, expected[i].index,
			     (unsigned long)value(&f, expected[i].name, expected[i].index));
	fixture_done(&f);
}

/* A file that is not there, cut, or not a number takes its own values away, and no others. */
Test(host_counters, what_cannot_be_read_is_absent)
{
	static const struct {
		const char *file, *text, *absent, *present;
	} cases[] = {
		{"self/net/snmp", "", "sockstat_tcp_overview_established",
		 "sockstat_netstat_listen_drops_total"},
		{"self/net/netstat", "TcpExt: ListenDrops\nTcpExt: 7",
		 "sockstat_netstat_listen_drops_total", "sockstat_tcp_overview_established"},
		{"self/net/sockstat", "TCP: inuse 5 orphan 1 tw 7 alloc 9\n",
		 "sockstat_sockets_used", "sockstat_tcp_overview_closed"},
		{"sys/net/core/somaxconn", "40", "sockstat_limit_somaxconn",
		 "sockstat_limit_ephemeral_ports"},
		{"sys/net/core/somaxconn", "many\n", "sockstat_limit_somaxconn",
		 "sockstat_limit_ephemeral_ports"},
		{"sys/net/ipv4/ip_local_port_range", "32768\n", "sockstat_limit_ephemeral_ports",
		 "sockstat_limit_somaxconn"},
		{"sys/net/ipv4/tcp_max_orphans", "", "sockstat_tcp_overview_closed",
		 "sockstat_tcp_overview_time_wait"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		static struct fixture f;

		fixture_init(&f);
		read_all(&f);
		cr_assert_neq(value(&f, cases[i].absent, 0), METRIC_ABSENT, "%s", cases[i].absent);
		write_file(&f, cases[i].file, cases[i].text);
		read_all(&f);
		cr_assert_eq(value(&f, cases[i].absent, 0), METRIC_ABSENT, "%s", cases[i].file);
		cr_assert_neq(value(&f, cases[i].present, 0), METRIC_ABSENT, "%s", cases[i].file);
		fixture_done(&f);
	}
}

/* A kernel without IPv6 has no such file: its sockets are none. */
Test(host_counters, without_ipv6)
{
	static struct fixture f;
	char path[256];

	fixture_init(&f);
	snprintf(path, sizeof(path), "%s/self/net/sockstat6", f.root);
	remove(path);
	read_all(&f);
	cr_assert_eq(value(&f, "sockstat_tcp_overview_closed", 0), 9 - 5 + 7);
	cr_assert_eq(value(&f, "sockstat_protocol_memory_bytes", 2), 100);
	cr_assert_eq(value(&f, "sockstat_protocol_sockets", 1), METRIC_ABSENT);
	fixture_done(&f);
}

/* The files are not read at one moment. */
Test(host_counters, a_sum_below_zero_is_zero)
{
	static struct fixture f;

	fixture_init(&f);
	write_file(&f, "self/net/sockstat", "TCP: inuse 50 orphan 0 tw 1 alloc 9 mem 2\n");
	read_all(&f);
	cr_assert_eq(value(&f, "sockstat_tcp_overview_closed", 0), 0);
	fixture_done(&f);
}

/* Each row that names terms is one that this kernel can fill, but for what other namespaces lack.
 */
Test(host_counters, the_kernel)
{
	static struct fixture f;

	fixture_init(&f);
	host_counters_free(f.host);
	f.host = host_counters_new("/proc");
	read_all(&f);
	for (unsigned int i = 0; i < metric_count; i++) {
		const struct metric *m = &metrics[i];

		if (m->term_count == 0 || m->terms[0].file == METRIC_FILE_SYSCTL ||
		    strstr(m->name, "overview"))
			continue;
		cr_assert_neq(value(&f, m->name, 0), METRIC_ABSENT, "%s", m->name);
	}
	fixture_done(&f);
}
