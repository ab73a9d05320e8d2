// SPDX-License-Identifier: Apache-2.0
// What makes a fleet cheap to ask: without views and peers, and histograms that may be added up.
{
  local c = $._config,
  local s = c.sockstatdSelector,
  // Usage as a share of a limit of the same host, by the worst of it.
  local share(name, usage, limit) = {
    record: name,
    expr: |||
      max by (%s) (
        %s
        / on (%s) group_left ()
          %s
      )
    ||| % [c.instanceLabels, usage, c.instanceLabels, limit],
  },
  local instanceSidePort(counter) = {
    record: 'instance_side_port:%s:rate5m' % counter,
    expr: |||
      sum without (view, peer) (
        rate(%s_total{%s}[5m])
      )
    ||| % [counter, s],
  },

  prometheusRules+:: {
    groups+: [
      {
        name: 'sockstatd.rules',
        rules: [
          {
            record: 'instance_address_port:sockstat_listener_drops:rate5m',
            expr: 'rate(sockstat_listener_drops_total{%s}[5m])' % c.sockstatdSelector,
          },
          {
            record: 'job_port:sockstat_listener_drops:rate5m',
            expr: |||
              sum by (job, port) (
                instance_address_port:sockstat_listener_drops:rate5m
              )
            |||,
          },
          {
            record: 'instance:sockstat_listener_drops:rate5m',
            expr: |||
              sum by (%s) (
                instance_address_port:sockstat_listener_drops:rate5m
              )
            ||| % c.instanceLabels,
          },
          {
            record: 'instance:sockstat_listener_accept_queue_peak_ratio:max',
            expr: 'max by (%s) (sockstat_listener_accept_queue_peak_ratio{%s})' %
                  [c.instanceLabels, s],
          },
          {
            record: 'instance:sockstat_listener_unaccepted_oldest_seconds:max',
            expr: 'max by (%s) (sockstat_listener_unaccepted_oldest_seconds{%s})' %
                  [c.instanceLabels, s],
          },
          instanceSidePort('sockstat_tcp_sent_bytes'),
          instanceSidePort('sockstat_tcp_received_bytes'),
          instanceSidePort('sockstat_tcp_sent_segments'),
          {
            record: 'instance_side_port:sockstat_tcp_retransmitted_segments:ratio_rate5m',
            expr: |||
              sum without (view, peer) (
                rate(sockstat_tcp_retransmitted_segments_total{%s}[5m])
              )
              / (instance_side_port:sockstat_tcp_sent_segments:rate5m > 0)
            ||| % c.sockstatdSelector,
          },
          {
            // Of the kernel's own counters, whose sent segments are without those sent again
            // (RFC 4022, tcpOutSegs).
            record: 'instance:sockstat_netstat_tcp_retransmitted_segments:ratio_rate5m',
            expr: |||
              rate(sockstat_netstat_tcp_retransmitted_segments_total{%(s)s}[5m])
              / (
                rate(sockstat_netstat_tcp_sent_segments_total{%(s)s}[5m])
                + rate(sockstat_netstat_tcp_retransmitted_segments_total{%(s)s}[5m])
                > 0
              )
            ||| % { s: s },
          },
          share(
            'instance:sockstat_tcp_ephemeral_ports_used:ratio',
            'sockstat_tcp_ephemeral_ports_used{%s}' % s,
            'sockstat_limit_ephemeral_ports{%s}' % s,
          ),
          share(
            'instance:sockstat_tcp_memory_pressure:ratio',
            'sum by (%s) (sockstat_protocol_memory_bytes{%s, protocol="tcp"})' %
            [c.instanceLabels, s],
            'sockstat_limit_tcp_memory_bytes{%s, level="pressure"}' % s,
          ),
          {
            record: 'instance_side_port_state:sockstat_tcp_sockets:sum',
            expr: 'sum without (view, peer) (sockstat_tcp_sockets{%s})' % c.sockstatdSelector,
          },
          {
            record: 'job_side_port_state:sockstat_tcp_sockets:sum',
            expr: |||
              sum by (job, side, port, state) (
                instance_side_port_state:sockstat_tcp_sockets:sum
              )
            |||,
          },
          {
            // One series where the histogram has seventeen; of the classic buckets, or of the native
            // histogram where Prometheus keeps no others. None of a port that was idle.
            record: 'instance_side_port:sockstat_tcp_rtt_seconds:p99_rate5m',
            expr: |||
              (
                histogram_quantile(0.99,
                  sum without (view, peer) (rate(sockstat_tcp_rtt_seconds_bucket{%s}[5m]))
                )
                or
                histogram_quantile(0.99,
                  sum without (view, peer) (rate(sockstat_tcp_rtt_seconds{%s}[5m]))
                )
              ) > 0
            ||| % [s, s],
          },
          {
            // Each poll observes each active connection once. Where hosts poll at paces of their own,
            // what a poll found is what may be added up.
            record: 'job_side_port_le:sockstat_tcp_rtt_seconds_bucket:per_poll5m',
            expr: |||
              sum by (job, side, port, le) (
                rate(sockstat_tcp_rtt_seconds_bucket{%s}[5m])
                / on (%s) group_left ()
                  (rate(sockstatd_polls_total{%s, lane="sockets"}[5m]) > 0)
              )
            ||| % [c.sockstatdSelector, c.instanceLabels, c.sockstatdSelector],
          },
        ],
      },
    ],
  },
}
