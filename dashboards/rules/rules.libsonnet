// SPDX-License-Identifier: Apache-2.0
// What makes a fleet cheap to ask: without views and peers, and histograms that may be added up.
{
  local c = $._config,

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
            record: 'instance_side_port:sockstat_tcp_sent_segments:rate5m',
            expr: |||
              sum without (view, peer) (
                rate(sockstat_tcp_sent_segments_total{%s}[5m])
              )
            ||| % c.sockstatdSelector,
          },
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
