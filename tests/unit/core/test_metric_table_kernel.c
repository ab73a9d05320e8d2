/* SPDX-License-Identifier: Apache-2.0 */
/* The table's offsets beside the kernel's own declaration of struct tcp_info. */
#include <linux/tcp.h>
#include <stddef.h>
#include <string.h>

#include "daemon/core/metric.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(metric_table_kernel);

#define FIELD(field)                                                                               \
	{                                                                                          \
#field, offsetof(struct tcp_info, field), sizeof(((struct tcp_info *)NULL)->field) \
	}

/* Those that a header of Linux 5.15 has; bit-fields apart. */
static const struct field {
	const char *name;
	size_t offset, width;
} fields[] = {
	FIELD(tcpi_state),         FIELD(tcpi_ca_state),
	FIELD(tcpi_retransmits),   FIELD(tcpi_probes),
	FIELD(tcpi_backoff),       FIELD(tcpi_options),
	FIELD(tcpi_rto),           FIELD(tcpi_ato),
	FIELD(tcpi_snd_mss),       FIELD(tcpi_rcv_mss),
	FIELD(tcpi_unacked),       FIELD(tcpi_sacked),
	FIELD(tcpi_lost),          FIELD(tcpi_retrans),
	FIELD(tcpi_fackets),       FIELD(tcpi_last_data_sent),
	FIELD(tcpi_last_ack_sent), FIELD(tcpi_last_data_recv),
	FIELD(tcpi_last_ack_recv), FIELD(tcpi_pmtu),
	FIELD(tcpi_rcv_ssthresh),  FIELD(tcpi_rtt),
	FIELD(tcpi_rttvar),        FIELD(tcpi_snd_ssthresh),
	FIELD(tcpi_snd_cwnd),      FIELD(tcpi_advmss),
	FIELD(tcpi_reordering),    FIELD(tcpi_rcv_rtt),
	FIELD(tcpi_rcv_space),     FIELD(tcpi_total_retrans),
	FIELD(tcpi_pacing_rate),   FIELD(tcpi_max_pacing_rate),
	FIELD(tcpi_bytes_acked),   FIELD(tcpi_bytes_received),
	FIELD(tcpi_segs_out),      FIELD(tcpi_segs_in),
	FIELD(tcpi_notsent_bytes), FIELD(tcpi_min_rtt),
	FIELD(tcpi_data_segs_in),  FIELD(tcpi_data_segs_out),
	FIELD(tcpi_delivery_rate), FIELD(tcpi_busy_time),
	FIELD(tcpi_rwnd_limited),  FIELD(tcpi_sndbuf_limited),
	FIELD(tcpi_delivered),     FIELD(tcpi_delivered_ce),
	FIELD(tcpi_bytes_sent),    FIELD(tcpi_bytes_retrans),
	FIELD(tcpi_dsack_dups),    FIELD(tcpi_reord_seen),
	FIELD(tcpi_rcv_ooopack),   FIELD(tcpi_snd_wnd),
};

/* The field that a text names, NULL if it names none. */
static const struct field *named_field(const char *text)
{
	const char *name = strstr(text, "tcpi_");
	size_t len = name ? strspn(name, "abcdefghijklmnopqrstuvwxyz_") : 0;

	for (size_t i = 0; len > 0 && i < ARRAY_SIZE(fields); i++)
		if (strlen(fields[i].name) == len && memcmp(fields[i].name, name, len) == 0)
			return &fields[i];
	return NULL;
}

/* The help of a family out of tcp_info names the field, and there it lies, or behind all of these.
 */
Test(metric_table_kernel, tcp_info)
{
	const size_t end = offsetof(struct tcp_info, tcpi_snd_wnd) + 4;
	unsigned int found = 0;

	for (unsigned int i = 0; i < metric_count; i++) {
		const struct metric *m = &metrics[i];
		const struct field *field = named_field(m->help);

		if (m->base != METRIC_BASE_TCP_INFO)
			continue;
		found++;
		if (!field && m->offset >= end)
			continue;
		cr_assert(field, "%s: help names no field of tcp_info", m->name);
		cr_assert_eq(m->offset, field->offset, "%s is not where %s is", m->name,
			     field->name);
		cr_assert_eq(m->width, field->width, "%s is not as wide as %s", m->name,
			     field->name);
	}
	cr_assert_gt(found, 0);
}
