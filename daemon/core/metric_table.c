/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows. Offsets inside tcp_info are those of struct tcp_info, include/uapi/linux/tcp.h, which
 * only ever grows: a kernel that sends less than offset + width has no such value.
 */
#include <stddef.h>

#include "build_config.h"
#include "daemon/core/listener_values.h"
#include "daemon/core/metric.h"
#include "daemon/core/self_values.h"
#include "daemon/core/tcp_info.h"
#include "daemon/core/unix_listeners.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"

#define LISTENER(field) .scope = METRIC_LISTENER, .offset = offsetof(struct listener_values, field)
#define UNIX_LISTENER(field)                                                          \
	.scope = METRIC_UNIX, .family = POLL_FAMILY_UNIX, .profile = METRIC_EXTENDED, \
	.needs_netlink = true, .offset = offsetof(struct unix_listener_values, field)
#define SELF(field) .scope = METRIC_SELF, .offset = offsetof(struct self_values, field)
#define FIELD(field)                                                               \
	.base = METRIC_BASE_RECORD, .offset = offsetof(struct sock_record, field), \
	.width = sizeof(((struct sock_record *)0)->field)
#define RECORD(field) .scope = METRIC_CONNECTION, FIELD(field)
#define UDP           .scope = METRIC_PORT, .family = POLL_FAMILY_UDP
#define TCP_INFO(at, bytes)                                                              \
	.scope = METRIC_CONNECTION, .base = METRIC_BASE_TCP_INFO, .needs_netlink = true, \
	.offset = (at), .width = (bytes)
#define SKMEM(word)                                                                   \
	.scope = METRIC_CONNECTION, .base = METRIC_BASE_SKMEM, .needs_netlink = true, \
	.offset = 4 * (word), .width = 4
#define SKMEM_WORDS(array)                                                            \
	.scope = METRIC_CONNECTION, .base = METRIC_BASE_SKMEM, .needs_netlink = true, \
	.offsets = (array), .width = 4
/* Numbers of the host's files. Each is what makes a term. */
#define TERMS(...)                   \
	(const struct metric_term[]) \
	{                            \
		__VA_ARGS__          \
	}
#define HOST(...)                                          \
	.scope = METRIC_HOST, .terms = TERMS(__VA_ARGS__), \
	.term_count = sizeof(TERMS(__VA_ARGS__)) / sizeof(struct metric_term)
#define COUNTED(which)         .scope = METRIC_HOST, .family = POLL_FAMILY_##which
#define SNMP(block, name)      .file = METRIC_FILE_SNMP, .line = (block), .key = (name)
#define NETSTAT(name)          .file = METRIC_FILE_NETSTAT, .line = "TcpExt:", .key = (name)
#define SOCKSTAT(block, name)  .file = METRIC_FILE_SOCKSTAT, .line = (block), .key = (name)
#define SOCKSTAT6(block, name) .file = METRIC_FILE_SOCKSTAT6, .line = (block), .key = (name)
#define SYSCTL(path)           .file = METRIC_FILE_SYSCTL, .line = (path)
#define SUM(which)             .combine = METRIC_SUM, .when = METRIC_WHEN_##which
#define OBSERVE(which)         .combine = METRIC_OBSERVE, .when = METRIC_WHEN_##which
/* Of a connection that is followed, from its first sight to its end. */
#define HAPPENED(which) \
	TCP_INFO(TCP_INFO_SEGS_IN, 4), .combine = METRIC_COUNT, .when = METRIC_WHEN_##which
#define FOLLOWED                                                                                \
	" Sockets that closed are included; of one that is older than the daemon, what it had " \
	"before is not."
#define SAMPLED                                                                                 \
	" Each poll observes once each established socket that sent data and was acknowledged " \
	"since the poll before."

static const char *state_value(unsigned int index)
{
	return sock_state_name(index + SOCK_ESTABLISHED);
}

static const char *failure_value(unsigned int index)
{
	return poll_failure_name(index + 1);
}

#define VALUES(function, ...)                                      \
	static const char *function(unsigned int index)            \
	{                                                          \
		static const char *const values[] = {__VA_ARGS__}; \
                                                                   \
		return values[index];                              \
	}

VALUES(memory_value, "receive", "send", "forward", "option", "backlog")
VALUES(buffer_value, "receive", "send")
VALUES(timer_value, "retransmit", "keepalive", "time_wait", "zero_window_probe", "delayed_ack")
VALUES(ca_state_value, "open", "disorder", "cwr", "recovery", "loss")
VALUES(udp_state_value, "established", "unconnected")
VALUES(unix_type_value, "stream", "dgram", "seqpacket")
VALUES(unix_state_value, "established", "unconnected", "listen")
VALUES(protocol_value, "tcp", "udp", "udplite", "raw", "frag")
VALUES(memory_protocol_value, "tcp", "udp", "frag")
VALUES(ip_family_value, "ipv4", "ipv6")
VALUES(level_value, "low", "pressure", "high")
VALUES(fold_value, "listeners", "ports", "series")
VALUES(path_value, "/metrics", "/", "/-/healthy", "/-/ready", "/-/reload", "other")
VALUES(code_value, "200", "400", "401", "403", "404", "405", "429", "500", "503", "other")

static const struct metric_label label_state = {"state", state_value, SOCK_STATE_END - 1};
static const struct metric_label label_memory = {"buffer", memory_value, 5};
static const struct metric_label label_buffer = {"buffer", buffer_value, 2};
static const struct metric_label label_timer = {"timer", timer_value, 5};
static const struct metric_label label_ca_state = {"ca_state", ca_state_value, 5};
static const struct metric_label label_algorithm = {"algorithm", NULL, METRIC_ALGORITHMS_MAX + 1};
static const struct metric_label label_udp_state = {"state", udp_state_value, 2};
static const struct metric_label label_unix_type = {"type", unix_type_value, 3};
static const struct metric_label label_unix_state = {"state", unix_state_value, 3};
static const struct metric_label label_protocol = {"protocol", protocol_value, 5};
static const struct metric_label label_memory_protocol = {"protocol", memory_protocol_value, 3};
static const struct metric_label label_ip_family = {"family", ip_family_value, 2};
static const struct metric_label label_level = {"level", level_value, 3};
static const struct metric_label label_lane = {"lane", lane_name, LANE_END};
static const struct metric_label label_failure = {"reason", failure_value, POLL_FAILURE_END - 1};
static const struct metric_label label_ignored = {"reason", poll_ignored_name, POLL_IGNORED_END};
static const struct metric_label label_family = {"family", poll_family_name, POLL_FAMILY_END};
static const struct metric_label label_source = {"source", poll_source_name, POLL_SOURCE_END};
static const struct metric_label label_fold = {"reason", fold_value, SELF_FOLD_END};
static const struct metric_label label_path = {"path", path_value, SELF_ROUTE_END};
static const struct metric_label label_code = {"code", code_value, SELF_STATUS_END};

/* rmem_alloc, wmem_queued, fwd_alloc, optmem, backlog: what the kernel charges. */
static const uint16_t memory_words[] = {
	4 * SOCK_SKMEM_RMEM_ALLOC, 4 * SOCK_SKMEM_WMEM_QUEUED, 4 * SOCK_SKMEM_FWD_ALLOC,
	4 * SOCK_SKMEM_OPTMEM,     4 * SOCK_SKMEM_BACKLOG,
};
/* What UDP has of them: connected, or not. */
static const uint8_t udp_states[] = {SOCK_ESTABLISHED, SOCK_CLOSE};
static const uint16_t buffer_limit_words[] = {4 * SOCK_SKMEM_RCVBUF, 4 * SOCK_SKMEM_SNDBUF};

static const struct metric_text owner_labels[] = {
	{"unit", .owner = OWNER_UNIT},
	{"container_id", .owner = OWNER_CONTAINER_ID},
	{"cgroup", .owner = OWNER_CGROUP},
	{"uid", .owner = OWNER_UID},
	{.name = NULL},
};

static const struct metric_text build_labels[] = {
	{"version", BUILD_VERSION},
	{"revision", BUILD_REVISION},
	{.name = NULL},
};

const struct metric metrics[] = {
	/* Listeners. */
	{"sockstat_listener_info",
	 "Exactly one series for each listener of the other families; joins its owner to them.",
	 METRIC_GAUGE, LISTENER(info), .texts = owner_labels},
	{"sockstat_listener_sockets", "LISTEN sockets of this address and port.", METRIC_GAUGE,
	 LISTENER(sockets)},
	{"sockstat_listener_accept_queue_length",
	 "Connections waiting for accept() at the last poll (idiag_rqueue), summed over sockets.",
	 METRIC_GAUGE, LISTENER(length)},
	{"sockstat_listener_accept_queue_limit",
	 "Limit of the accept queue (idiag_wqueue), summed over sockets; each holds one more.",
	 METRIC_GAUGE, LISTENER(limit), .needs_netlink = true},
	{"sockstat_listener_accept_queue_peak",
	 "Largest accept queue length in the last peak_window.", METRIC_GAUGE, LISTENER(peak)},
	{"sockstat_listener_accept_queue_peak_ratio",
	 "Largest length / (limit + 1) of any one socket in the last peak_window; 1 is full.",
	 METRIC_GAUGE, LISTENER(peak_ratio_nano), .needs_netlink = true, .divisor = NSEC_PER_SEC},
	{"sockstat_listener_accept_queue_full_seconds_total",
	 "Time in which the accept queue of at least one socket was full (length > limit).",
	 METRIC_COUNTER, LISTENER(full_ns), .needs_netlink = true, .divisor = NSEC_PER_SEC},
	{"sockstat_listener_drops_total",
	 "Connection attempts dropped because a queue was full: this listener's share of "
	 "TcpExtListenDrops. A client that retries counts each time.",
	 METRIC_COUNTER, LISTENER(drops), .needs_netlink = true},
	{"sockstat_listener_stray_drops_total",
	 "The rest of the listener's sk_drops: half-open probes, stray resets, scans.",
	 METRIC_COUNTER, LISTENER(stray_drops), .needs_netlink = true},
	{"sockstat_listener_sk_drops_total",
	 "Drops as the kernel has them (skmem), of the sockets that exist now; with --once only.",
	 METRIC_COUNTER, LISTENER(sk_drops), .profile = METRIC_ONCE, .needs_netlink = true},
	{"sockstat_listener_last_drop_timestamp_seconds",
	 "When sockstat_listener_drops_total last rose.", METRIC_GAUGE, LISTENER(last_drop_ms),
	 .needs_netlink = true, .divisor = MSEC_PER_SEC},
	{"sockstat_listener_syn_queue_length", "SYN_RECV request sockets of this listener.",
	 METRIC_GAUGE, LISTENER(syn_queue), .slow = true},
	{"sockstat_listener_unaccepted_oldest_seconds",
	 "Longest wait in the accept queue, at least: since the last ACK of the client "
	 "(tcpi_last_ack_recv).",
	 METRIC_GAUGE, LISTENER(unaccepted_oldest_ms), .needs_netlink = true, .slow = true,
	 .divisor = MSEC_PER_SEC},
	{"sockstat_listener_unaccepted_closed",
	 "Connections in the accept queue whose client has sent FIN.", METRIC_GAUGE,
	 LISTENER(unaccepted_closed), .slow = true},
	{"sockstat_listener_unaccepted_reset",
	 "Accept queue length minus visible rows: connections whose client has reset them.",
	 METRIC_GAUGE, LISTENER(unaccepted_reset), .needs_netlink = true, .slow = true},
	{"sockstat_listener_syn_queue_retransmitting",
	 "SYN_RECV request sockets whose SYN-ACK was sent again.", METRIC_GAUGE,
	 LISTENER(syn_queue_retransmitting), .profile = METRIC_EXTENDED, .slow = true},
	{"sockstat_listener_accept_queue_fill_ratio",
	 "Length / (limit + 1), one observation for each socket and poll of the listeners lane.",
	 METRIC_HISTOGRAM, .scope = METRIC_LISTENER, .profile = METRIC_EXTENDED,
	 .needs_netlink = true, .buckets = METRIC_BUCKETS_FILL_RATIO, .divisor = NSEC_PER_SEC},

	/* TCP connections. */
	{"sockstat_tcp_sockets", "TCP sockets by state at the last poll.", METRIC_GAUGE,
	 RECORD(state), .labels = {&label_state}, .combine = METRIC_COUNT_BY,
	 .count_base = SOCK_ESTABLISHED},
	{"sockstat_tcp_receive_queue_bytes", "Bytes received and not yet read (idiag_rqueue).",
	 METRIC_GAUGE, RECORD(receive_queue), SUM(CONNECTION)},
	{"sockstat_tcp_send_queue_bytes", "Bytes written and not yet acknowledged (idiag_wqueue).",
	 METRIC_GAUGE, RECORD(send_queue), SUM(CONNECTION)},
	{"sockstat_tcp_memory_bytes",
	 "Memory that the kernel charges to sockets (skmem rmem_alloc, wmem_queued, fwd_alloc, "
	 "optmem, backlog).",
	 METRIC_GAUGE, SKMEM_WORDS(memory_words), SUM(ANY), .labels = {&label_memory}},
	{"sockstat_tcp_rtt_seconds", "Smoothed round-trip time (tcpi_rtt)." SAMPLED,
	 METRIC_HISTOGRAM, TCP_INFO(68, 4), OBSERVE(ACTIVE), .unless = METRIC_UNLESS_ZERO,
	 .buckets = METRIC_BUCKETS_RTT, .divisor = USEC_PER_SEC},
	{"sockstat_tcp_congestion_window_segments", "Congestion window (tcpi_snd_cwnd)." SAMPLED,
	 METRIC_HISTOGRAM, TCP_INFO(80, 4), OBSERVE(ACTIVE), .buckets = METRIC_BUCKETS_CWND},
	{"sockstat_tcp_sent_bytes_total",
	 "Bytes sent, with retransmits (tcpi_bytes_sent)." FOLLOWED, METRIC_COUNTER,
	 TCP_INFO(TCP_INFO_BYTES_SENT, 8), .combine = METRIC_DELTA},
	{"sockstat_tcp_received_bytes_total",
	 "Bytes received, as the kernel counts them: the FIN of the peer may be one more for each "
	 "connection (tcpi_bytes_received)." FOLLOWED,
	 METRIC_COUNTER, TCP_INFO(TCP_INFO_BYTES_RECEIVED, 8), .combine = METRIC_DELTA},
	{"sockstat_tcp_sent_segments_total", "Segments sent (tcpi_segs_out)." FOLLOWED,
	 METRIC_COUNTER, TCP_INFO(136, 4), .combine = METRIC_DELTA, .is_pulse = true},
	{"sockstat_tcp_retransmitted_segments_total",
	 "Segments sent again (tcpi_total_retrans)." FOLLOWED, METRIC_COUNTER, TCP_INFO(100, 4),
	 .combine = METRIC_DELTA},
	{"sockstat_tcp_connections_opened_total",
	 "Connections that opened: sockets that a segment has come in on (tcpi_segs_in), shown by "
	 "a "
	 "poll or told by a destroy event. While sockstatd_destroy_events_active is 0, those that "
	 "live between two polls are in no counter of connections.",
	 METRIC_COUNTER, HAPPENED(OPENED)},
	{"sockstat_tcp_connections_closed_total",
	 "Connections that closed, were reset or entered TIME_WAIT, of those that opened "
	 "(tcpi_segs_in) or were there before the daemon.",
	 METRIC_COUNTER, HAPPENED(CLOSED)},
	{"sockstat_tcp_connections_closed_unreported_total",
	 "Those of the closed connections whose last values the kernel had zeroed (tcpi_segs_in), "
	 "because this side aborted them: the counters have what the last poll saw.",
	 METRIC_COUNTER, HAPPENED(UNREPORTED)},
	{"sockstat_tcp_receive_window_limited_seconds_total",
	 "Time in which a socket could not send because of the peer's receive window "
	 "(tcpi_rwnd_limited); the rate is the mean number of such sockets." FOLLOWED,
	 METRIC_COUNTER, TCP_INFO(176, 8), .combine = METRIC_DELTA, .divisor = USEC_PER_SEC},
	{"sockstat_tcp_timer_sockets",
	 "Sockets by the timer that is pending (idiag_timer; the kernel shows one only).",
	 METRIC_GAUGE, RECORD(timer), .profile = METRIC_EXTENDED, .labels = {&label_timer},
	 .combine = METRIC_COUNT_BY, .count_base = SOCK_TIMER_RETRANSMIT},
	{"sockstat_tcp_congestion_sockets", "Sockets by congestion state (tcpi_ca_state).",
	 METRIC_GAUGE, TCP_INFO(1, 1), .profile = METRIC_EXTENDED, .labels = {&label_ca_state},
	 .combine = METRIC_COUNT_BY, .when = METRIC_WHEN_CONNECTION},
	{"sockstat_tcp_congestion_algorithm_sockets",
	 "Sockets by congestion control algorithm (INET_DIAG_CONG).", METRIC_GAUGE,
	 .scope = METRIC_CONNECTION, .profile = METRIC_EXTENDED, .needs_netlink = true,
	 .labels = {&label_algorithm}, .combine = METRIC_COUNT_NAME,
	 .when = METRIC_WHEN_CONNECTION},
	{"sockstat_tcp_orphan_sockets", "Sockets that are closing and that no process holds.",
	 METRIC_GAUGE, .scope = METRIC_CONNECTION, .profile = METRIC_EXTENDED,
	 .combine = METRIC_COUNT, .when = METRIC_WHEN_ORPHAN},
	{"sockstat_tcp_unsent_bytes", "Bytes written and not yet sent (tcpi_notsent_bytes).",
	 METRIC_GAUGE, TCP_INFO(144, 4), SUM(CONNECTION), .profile = METRIC_EXTENDED},
	{"sockstat_tcp_unacked_segments", "Segments in flight (tcpi_unacked).", METRIC_GAUGE,
	 TCP_INFO(24, 4), SUM(CONNECTION), .profile = METRIC_EXTENDED},
	{"sockstat_tcp_lost_segments", "Segments deemed lost at the last poll (tcpi_lost).",
	 METRIC_GAUGE, TCP_INFO(32, 4), SUM(CONNECTION), .profile = METRIC_EXTENDED},
	{"sockstat_tcp_retransmitting_segments",
	 "Retransmitted segments in flight at the last poll (tcpi_retrans).", METRIC_GAUGE,
	 TCP_INFO(36, 4), SUM(CONNECTION), .profile = METRIC_EXTENDED},
	{"sockstat_tcp_buffer_limit_bytes", "Limits of the socket buffers (skmem rcvbuf, sndbuf).",
	 METRIC_GAUGE, SKMEM_WORDS(buffer_limit_words), SUM(CONNECTION), .profile = METRIC_EXTENDED,
	 .labels = {&label_buffer}},
	{"sockstat_tcp_send_in_flight_memory_bytes",
	 "Memory of segments handed to the device (skmem wmem_alloc); overlaps buffer=\"send\".",
	 METRIC_GAUGE, SKMEM(SOCK_SKMEM_WMEM_ALLOC), SUM(CONNECTION), .profile = METRIC_EXTENDED},
	{"sockstat_tcp_min_rtt_seconds", "Windowed minimum of the RTT (tcpi_min_rtt)." SAMPLED,
	 METRIC_HISTOGRAM, TCP_INFO(148, 4), OBSERVE(ACTIVE), .profile = METRIC_EXTENDED,
	 .unless = METRIC_UNLESS_ALL_ONES, .buckets = METRIC_BUCKETS_RTT, .divisor = USEC_PER_SEC},
	{"sockstat_tcp_rtt_variation_seconds", "Variation of the RTT (tcpi_rttvar)." SAMPLED,
	 METRIC_HISTOGRAM, TCP_INFO(72, 4), OBSERVE(ACTIVE), .profile = METRIC_EXTENDED,
	 .buckets = METRIC_BUCKETS_RTT, .divisor = USEC_PER_SEC},
	{"sockstat_tcp_delivery_rate_bytes_per_second",
	 "Most recent goodput, where it was not limited by the application "
	 "(tcpi_delivery_rate)." SAMPLED,
	 METRIC_HISTOGRAM, TCP_INFO(160, 8), OBSERVE(ACTIVE), .profile = METRIC_EXTENDED,
	 .unless = METRIC_UNLESS_APP_LIMITED, .buckets = METRIC_BUCKETS_DELIVERY_RATE},
	{"sockstat_tcp_closed_rtt_seconds",
	 "Smoothed round-trip time of connections as they closed (tcpi_rtt).", METRIC_HISTOGRAM,
	 TCP_INFO(TCP_INFO_RTT, 4), OBSERVE(CLOSED), .profile = METRIC_EXTENDED,
	 .unless = METRIC_UNLESS_ZERO, .buckets = METRIC_BUCKETS_RTT, .divisor = USEC_PER_SEC},
	{"sockstat_tcp_closed_sent_bytes",
	 "Bytes sent of connections that closed, over their whole life (tcpi_bytes_sent).",
	 METRIC_HISTOGRAM, TCP_INFO(TCP_INFO_BYTES_SENT, 8), OBSERVE(CLOSED),
	 .profile = METRIC_EXTENDED, .buckets = METRIC_BUCKETS_CLOSED_BYTES},
	{"sockstat_tcp_closed_received_bytes",
	 "Bytes received of connections that closed, over their whole life "
	 "(tcpi_bytes_received).",
	 METRIC_HISTOGRAM, TCP_INFO(TCP_INFO_BYTES_RECEIVED, 8), OBSERVE(CLOSED),
	 .profile = METRIC_EXTENDED, .buckets = METRIC_BUCKETS_CLOSED_BYTES},
	{"sockstat_tcp_acked_bytes_total",
	 "Bytes of the application that the peer has acknowledged: the smaller of "
	 "tcpi_bytes_acked and tcpi_bytes_sent − tcpi_bytes_retrans, so without SYN and "
	 "FIN." FOLLOWED,
	 METRIC_COUNTER, TCP_INFO(TCP_INFO_BYTES_ACKED, 8), .combine = METRIC_DELTA,
	 .derive = METRIC_DERIVE_ACKED, .profile = METRIC_EXTENDED},
	{"sockstat_tcp_retransmitted_bytes_total",
	 "Bytes sent again (tcpi_bytes_retrans)." FOLLOWED, METRIC_COUNTER,
	 TCP_INFO(TCP_INFO_BYTES_RETRANS, 8), .combine = METRIC_DELTA, .profile = METRIC_EXTENDED},
	{"sockstat_tcp_received_segments_total", "Segments received (tcpi_segs_in)." FOLLOWED,
	 METRIC_COUNTER, TCP_INFO(TCP_INFO_SEGS_IN, 4), .combine = METRIC_DELTA, .is_pulse = true,
	 .profile = METRIC_EXTENDED},
	{"sockstat_tcp_delivered_segments_total",
	 "Segments that the peer has received (tcpi_delivered)." FOLLOWED, METRIC_COUNTER,
	 TCP_INFO(TCP_INFO_DELIVERED, 4), .combine = METRIC_DELTA, .profile = METRIC_EXTENDED},
	{"sockstat_tcp_delivered_ce_segments_total",
	 "Segments that the peer has received marked as having met congestion "
	 "(tcpi_delivered_ce)." FOLLOWED,
	 METRIC_COUNTER, TCP_INFO(196, 4), .combine = METRIC_DELTA, .profile = METRIC_EXTENDED},
	{"sockstat_tcp_out_of_order_segments_total",
	 "Segments received out of order (tcpi_rcv_ooopack)." FOLLOWED, METRIC_COUNTER,
	 TCP_INFO(224, 4), .combine = METRIC_DELTA, .profile = METRIC_EXTENDED},
	{"sockstat_tcp_dsack_duplicates_total",
	 "Segments that the peer says it received twice (tcpi_dsack_dups)." FOLLOWED,
	 METRIC_COUNTER, TCP_INFO(216, 4), .combine = METRIC_DELTA, .profile = METRIC_EXTENDED},
	{"sockstat_tcp_reordering_events_total",
	 "Times that reordering was seen (tcpi_reord_seen)." FOLLOWED, METRIC_COUNTER,
	 TCP_INFO(220, 4), .combine = METRIC_DELTA, .profile = METRIC_EXTENDED},
	{"sockstat_tcp_retransmission_timeouts_total",
	 "Retransmission timeouts, those of SYN included (tcpi_total_rto)." FOLLOWED,
	 METRIC_COUNTER, TCP_INFO(240, 2), .combine = METRIC_DELTA, .profile = METRIC_EXTENDED},
	{"sockstat_tcp_drops_total",
	 "Packets that a connection's socket dropped (skmem drops), as of its last poll." FOLLOWED,
	 METRIC_COUNTER, SKMEM(SOCK_SKMEM_DROPS), .combine = METRIC_DELTA, .is_pulse = true,
	 .profile = METRIC_EXTENDED},
	{"sockstat_tcp_busy_seconds_total",
	 "Time in which a socket had data to send or in flight (tcpi_busy_time)." FOLLOWED,
	 METRIC_COUNTER, TCP_INFO(168, 8), .combine = METRIC_DELTA, .is_pulse = true,
	 .profile = METRIC_EXTENDED, .divisor = USEC_PER_SEC},
	{"sockstat_tcp_send_buffer_limited_seconds_total",
	 "Time in which a socket could not send because its send buffer was full "
	 "(tcpi_sndbuf_limited)." FOLLOWED,
	 METRIC_COUNTER, TCP_INFO(184, 8), .combine = METRIC_DELTA, .profile = METRIC_EXTENDED,
	 .divisor = USEC_PER_SEC},
	{"sockstat_mptcp_sockets",
	 "MPTCP sockets by state at the last poll. The TCP sockets that carry them are counted as "
	 "such.",
	 METRIC_GAUGE, RECORD(state), .family = POLL_FAMILY_MPTCP, .profile = METRIC_EXTENDED,
	 .needs_netlink = true, .labels = {&label_state}, .combine = METRIC_COUNT_BY,
	 .count_base = SOCK_ESTABLISHED},
	{"sockstat_tcp_ephemeral_ports_used",
	 "Most local ports in use towards this port between one source and one destination "
	 "address, TIME_WAIT included.",
	 METRIC_GAUGE, METRIC_CLIENT},
	{"sockstat_udp_sockets", "UDP sockets by state at the last poll.", METRIC_GAUGE, UDP,
	 FIELD(state), .labels = {&label_udp_state}, .combine = METRIC_COUNT_BY,
	 .counted = udp_states},
	{"sockstat_udp_receive_queue_bytes",
	 "Memory of datagrams received and not yet read (idiag_rqueue).", METRIC_GAUGE, UDP,
	 FIELD(receive_queue), SUM(ANY)},
	{"sockstat_udp_send_queue_bytes",
	 "Memory of datagrams not yet sent by the device (idiag_wqueue).", METRIC_GAUGE, UDP,
	 FIELD(send_queue), SUM(ANY)},
	{"sockstat_udp_drops_total",
	 "Datagrams that sockets dropped, most of them for want of room in the receive buffer "
	 "(sk_drops), as of the last poll of each socket; of a socket that is older than the "
	 "daemon, what it had before is not included.",
	 METRIC_COUNTER, UDP, .combine = METRIC_DROPS},
	{"sockstat_unix_listener_accept_queue_length",
	 "Connections waiting for accept() at UNIX listeners at the last poll (udiag_rqueue), "
	 "summed "
	 "over those of a path.",
	 METRIC_GAUGE, UNIX_LISTENER(length)},
	{"sockstat_unix_listener_accept_queue_limit",
	 "Limit of the accept queue (udiag_wqueue), summed over sockets; each holds one more.",
	 METRIC_GAUGE, UNIX_LISTENER(limit)},
	{"sockstat_unix_listener_accept_queue_peak",
	 "Largest accept queue length in the last peak_window.", METRIC_GAUGE, UNIX_LISTENER(peak)},

#include "daemon/core/metric_table_host.inc"
#include "daemon/core/metric_table_self.inc"
};

const unsigned int metric_count = ARRAY_SIZE(metrics);
_Static_assert(ARRAY_SIZE(metrics) <= METRIC_COUNT_MAX, "enlarge METRIC_COUNT_MAX");
