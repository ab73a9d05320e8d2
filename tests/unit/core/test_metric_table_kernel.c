/* SPDX-License-Identifier: Apache-2.0 */
/* The table's offsets beside the kernel's own declarations. */
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <stddef.h>
#include <string.h>

#include "daemon/core/metric.h"
#include "daemon/core/sock.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(metric_table_kernel);

#define FIELD(field) \
	offsetof(struct tcp_info, field), sizeof(((struct tcp_info *)NULL)->field), #field

static const struct {
	const char *family;
	size_t offset, width;
	const char *field;
} fields[] = {
	{"sockstat_tcp_rtt_seconds", FIELD(tcpi_rtt)},
	{"sockstat_tcp_congestion_window_segments", FIELD(tcpi_snd_cwnd)},
	{"sockstat_tcp_congestion_sockets", FIELD(tcpi_ca_state)},
	{"sockstat_tcp_unsent_bytes", FIELD(tcpi_notsent_bytes)},
	{"sockstat_tcp_unacked_segments", FIELD(tcpi_unacked)},
	{"sockstat_tcp_lost_segments", FIELD(tcpi_lost)},
	{"sockstat_tcp_retransmitting_segments", FIELD(tcpi_retrans)},
	{"sockstat_tcp_min_rtt_seconds", FIELD(tcpi_min_rtt)},
	{"sockstat_tcp_rtt_variation_seconds", FIELD(tcpi_rttvar)},
	{"sockstat_tcp_delivery_rate_bytes_per_second", FIELD(tcpi_delivery_rate)},
};

static size_t find_field(const char *family)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(fields) && strcmp(fields[i].family, family) != 0)
		i++;
	return i;
}

/* Each family out of tcp_info has its line above, and lies where the header says. */
Test(metric_table_kernel, tcp_info)
{
	unsigned int found = 0;

	for (unsigned int i = 0; i < metric_count; i++) {
		const struct metric *m = &metrics[i];
		size_t at = find_field(m->name);

		if (m->base != METRIC_BASE_TCP_INFO)
			continue;
		cr_assert_lt(at, ARRAY_SIZE(fields), "%s has no line in this test", m->name);
		cr_assert_eq(m->offset, fields[at].offset, "%s", m->name);
		cr_assert_eq(m->width, fields[at].width, "%s", m->name);
		cr_assert(strstr(m->help, fields[at].field), "%s: help without %s", m->name,
			  fields[at].field);
		found++;
	}
	cr_assert_eq(found, ARRAY_SIZE(fields));
}
