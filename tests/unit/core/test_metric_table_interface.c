/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The promise to dashboards and alerts, written down a second time: what is taken away or changed
 * in the table fails here; what is added is seen in the golden files.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/core/metric.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(metric_table_interface);

/* C core, E extended, O with --once only; L needs netlink, S from the sockets lane. */
static const struct promise {
	const char *name, *type, *labels, *marks;
} promises[] = {
	/* Listeners. */
	{"sockstat_listener_info", "gauge", "address,port,unit,container_id,cgroup,uid", "C"},
	{"sockstat_listener_sockets", "gauge", "address,port", "C"},
	{"sockstat_listener_accept_queue_length", "gauge", "address,port", "C"},
	{"sockstat_listener_accept_queue_limit", "gauge", "address,port", "CL"},
	{"sockstat_listener_accept_queue_peak", "gauge", "address,port", "C"},
	{"sockstat_listener_accept_queue_peak_ratio", "gauge", "address,port", "CL"},
	{"sockstat_listener_accept_queue_full_seconds_total", "counter", "address,port", "CL"},
	{"sockstat_listener_drops_total", "counter", "address,port", "CL"},
	{"sockstat_listener_stray_drops_total", "counter", "address,port", "CL"},
	{"sockstat_listener_last_drop_timestamp_seconds", "gauge", "address,port", "CL"},
	{"sockstat_listener_syn_queue_length", "gauge", "address,port", "CS"},
	{"sockstat_listener_unaccepted_oldest_seconds", "gauge", "address,port", "CLS"},
	{"sockstat_listener_unaccepted_closed", "gauge", "address,port", "CS"},
	{"sockstat_listener_unaccepted_reset", "gauge", "address,port", "CLS"},
	{"sockstat_listener_syn_queue_retransmitting", "gauge", "address,port", "ES"},
	{"sockstat_listener_accept_queue_fill_ratio", "histogram", "address,port", "EL"},
	{"sockstat_listener_sk_drops_total", "counter", "address,port", "OL"},
	/* TCP connections. */
	{"sockstat_tcp_sockets", "gauge", "side,port,state", "C"},
	{"sockstat_tcp_receive_queue_bytes", "gauge", "side,port", "C"},
	{"sockstat_tcp_send_queue_bytes", "gauge", "side,port", "C"},
	{"sockstat_tcp_memory_bytes", "gauge", "side,port,buffer", "CL"},
	{"sockstat_tcp_rtt_seconds", "histogram", "side,port", "CL"},
	{"sockstat_tcp_congestion_window_segments", "histogram", "side,port", "CL"},
	{"sockstat_tcp_timer_sockets", "gauge", "side,port,timer", "E"},
	{"sockstat_tcp_congestion_sockets", "gauge", "side,port,ca_state", "EL"},
	{"sockstat_tcp_congestion_algorithm_sockets", "gauge", "side,port,algorithm", "EL"},
	{"sockstat_tcp_orphan_sockets", "gauge", "side,port", "E"},
	{"sockstat_tcp_unsent_bytes", "gauge", "side,port", "EL"},
	{"sockstat_tcp_unacked_segments", "gauge", "side,port", "EL"},
	{"sockstat_tcp_lost_segments", "gauge", "side,port", "EL"},
	{"sockstat_tcp_retransmitting_segments", "gauge", "side,port", "EL"},
	{"sockstat_tcp_buffer_limit_bytes", "gauge", "side,port,buffer", "EL"},
	{"sockstat_tcp_send_in_flight_memory_bytes", "gauge", "side,port", "EL"},
	{"sockstat_tcp_min_rtt_seconds", "histogram", "side,port", "EL"},
	{"sockstat_tcp_rtt_variation_seconds", "histogram", "side,port", "EL"},
	{"sockstat_tcp_delivery_rate_bytes_per_second", "histogram", "side,port", "EL"},
	{"sockstat_tcp_ephemeral_ports_used", "gauge", "port", "C"},
	/* Other sockets. */
	{"sockstat_udp_sockets", "gauge", "port,state", "C"},
	{"sockstat_udp_receive_queue_bytes", "gauge", "port", "C"},
	{"sockstat_udp_send_queue_bytes", "gauge", "port", "C"},
	{"sockstat_udp_drops_total", "counter", "port", "C"},
	{"sockstat_unix_listener_accept_queue_length", "gauge", "path", "EL"},
	{"sockstat_unix_listener_accept_queue_limit", "gauge", "path", "EL"},
	{"sockstat_unix_listener_accept_queue_peak", "gauge", "path", "EL"},
	{"sockstat_mptcp_sockets", "gauge", "side,port,state", "EL"},
	/* The daemon about itself. */
	{"sockstatd_build_info", "gauge", "version,revision", "C"},
	{"sockstatd_source", "gauge", "family,source", "C"},
	{"sockstatd_polls_total", "counter", "lane", "C"},
	{"sockstatd_poll_duration_seconds", "histogram", "lane", "C"},
	{"sockstatd_poll_cpu_seconds_total", "counter", "lane", "C"},
	{"sockstatd_poll_sockets", "gauge", "lane", "C"},
	{"sockstatd_poll_failures_total", "counter", "lane,reason", "C"},
	{"sockstatd_poll_rows_ignored_total", "counter", "lane,reason", "C"},
	{"sockstatd_polls_skipped_total", "counter", "lane", "C"},
	{"sockstatd_poll_success", "gauge", "lane", "C"},
	{"sockstatd_poll_last_success_timestamp_seconds", "gauge", "lane", "C"},
	{"sockstatd_poll_interval_seconds", "gauge", "lane", "C"},
	{"sockstatd_loop_busy_seconds", "histogram", "", "C"},
	{"sockstatd_folded_groups", "gauge", "reason", "C"},
	{"sockstatd_cgroup_searches_incomplete_total", "counter", "", "C"},
	{"sockstatd_config_last_reload_successful", "gauge", "", "C"},
	{"sockstatd_config_last_reload_success_timestamp_seconds", "gauge", "", "C"},
	{"sockstatd_http_requests_total", "counter", "path,code", "C"},
	{"sockstatd_http_connections", "gauge", "", "C"},
	{"sockstatd_series_limit", "gauge", "", "C"},
	{"sockstatd_series", "gauge", "", "C"},
	/* The names that every exporter's process families have. */
	{"process_cpu_seconds_total", "counter", "", "C"},
	{"process_open_fds", "gauge", "", "C"},
	{"process_max_fds", "gauge", "", "C"},
	{"process_resident_memory_bytes", "gauge", "", "C"},
	{"process_virtual_memory_bytes", "gauge", "", "C"},
	{"process_virtual_memory_max_bytes", "gauge", "", "C"},
	{"process_start_time_seconds", "gauge", "", "C"},
	{"process_threads", "gauge", "", "C"},
};

static const struct metric *find(const char *name)
{
	for (unsigned int i = 0; i < metric_count; i++)
		if (strcmp(metrics[i].name, name) == 0)
			return &metrics[i];
	cr_assert_fail("%s is not in the table", name);
	return NULL;
}

static void marks_of(const struct metric *m, char ret_marks[8])
{
	static const char profiles[] = {
		[METRIC_CORE] = 'C',
		[METRIC_EXTENDED] = 'E',
		[METRIC_ONCE] = 'O',
	};

	snprintf(ret_marks, 8, "%c%s%s", profiles[m->profile], m->needs_netlink ? "L" : "",
		 m->slow ? "S" : "");
}

Test(metric_table_interface, every_promise_is_kept)
{
	for (size_t i = 0; i < ARRAY_SIZE(promises); i++) {
		const struct promise *p = &promises[i];
		const struct metric *m = find(p->name);
		char labels[64], marks[8];

		metric_label_names(m, labels);
		marks_of(m, marks);
		cr_assert_str_eq(metric_type_name(m), p->type, "%s", p->name);
		cr_assert_str_eq(labels, p->labels, "%s", p->name);
		cr_assert_str_eq(marks, p->marks, "%s", p->name);
	}
}

static void assert_values(const char *family, unsigned int label, const char *expected)
{
	const struct metric_label *l = find(family)->labels[label];
	char values[512] = "";

	for (unsigned int i = 0; i < l->count; i++) {
		strcat(values, i ? " " : "");
		strcat(values, l->value(i));
	}
	cr_assert_str_eq(values, expected, "%s", family);
}

Test(metric_table_interface, label_values)
{
	assert_values("sockstat_tcp_sockets", 0,
		      "established syn_sent syn_recv fin_wait1 fin_wait2 time_wait close "
		      "close_wait last_ack listen closing");
	assert_values("sockstat_tcp_memory_bytes", 0, "receive send forward option backlog");
	assert_values("sockstat_tcp_timer_sockets", 0,
		      "retransmit keepalive time_wait zero_window_probe delayed_ack");
	assert_values("sockstat_tcp_congestion_sockets", 0, "open disorder cwr recovery loss");
	assert_values("sockstat_tcp_buffer_limit_bytes", 0, "receive send");
	assert_values("sockstat_udp_sockets", 0, "established unconnected");
	assert_values("sockstatd_source", 0, "tcp udp mptcp unix raw packet netlink");
	assert_values("sockstatd_source", 1, "netlink procfs");
	assert_values("sockstatd_polls_total", 0, "listeners sockets");
	assert_values(
		"sockstatd_poll_failures_total", 1,
		"denied socket send receive no_handler refused busy interrupted overrun truncated "
		"malformed sequence timeout memory table procfs");
	assert_values("sockstatd_poll_rows_ignored_total", 1,
		      "family state sender excess malformed");
	assert_values("sockstatd_folded_groups", 0, "listeners ports series");
	assert_values("sockstatd_http_requests_total", 0,
		      "/metrics / /-/healthy /-/ready /-/reload other");
	assert_values("sockstatd_http_requests_total", 1,
		      "200 400 401 403 404 405 429 500 503 other");
}

/* Which words of skmem add up to what the kernel charges. */
Test(metric_table_interface, memory_words)
{
	static const uint16_t words[] = {SOCK_SKMEM_RMEM_ALLOC, SOCK_SKMEM_WMEM_QUEUED,
					 SOCK_SKMEM_FWD_ALLOC, SOCK_SKMEM_OPTMEM,
					 SOCK_SKMEM_BACKLOG};
	const struct metric *m = find("sockstat_tcp_memory_bytes");

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		cr_assert_eq(m->offsets[i], 4 * words[i], "word %zu", i);
	m = find("sockstat_tcp_buffer_limit_bytes");
	cr_assert_eq(m->offsets[0], 4 * SOCK_SKMEM_RCVBUF);
	cr_assert_eq(m->offsets[1], 4 * SOCK_SKMEM_SNDBUF);
	m = find("sockstat_tcp_send_in_flight_memory_bytes");
	cr_assert_eq(m->offset, 4 * SOCK_SKMEM_WMEM_ALLOC);
}
