// SPDX-License-Identifier: Apache-2.0
// Each has a sentence that says what is wrong, a description that says what to look at first, a
// severity, and a section in the runbook. Thresholds are of sums without views and peers.
{
  local c = $._config,
  local selector = c.sockstatdSelector,
  local instance = c.instanceLabels,
  local listener = c.instanceLabels + ', address, port',

  // Asked for when the page is written: as a label it would make each restart another alert, and one
  // that is restarted again and again would never fire.
  local container =
    '{{ range query (printf "sockstat_listener_info{job=%q,instance=%q,address=%q,port=%q,' +
    'container_id!=\\"\\"}" $labels.job $labels.instance $labels.address $labels.port) }}' +
    'container {{ .Labels.container_id | printf "%.12s" }}, {{ end }}',

  local alert(name, severity, duration, expr, summary, description) = {
    alert: name,
    expr: expr,
    'for': duration,
    labels: { severity: severity },
    annotations: {
      summary: summary,
      description: description,
      runbook_url: c.runbookURL % std.asciiLower(name),
    },
  },

  prometheusAlerts+:: {
    groups+: [
      {
        name: 'sockstatd.accept-queues',
        rules: [
          alert(
            'SockstatdAcceptQueueOverflow',
            'critical',
            c.overflowFor,
            |||
              (
                  increase(sockstat_listener_drops_total{%(s)s}[%(window)s]) > 0
                and
                  max_over_time(sockstat_listener_accept_queue_peak_ratio{%(s)s}[%(window)s]) >= 1
              )
              * on (%(listener)s) group_left (unit)
                sockstat_listener_info{%(s)s}
            ||| % { s: selector, listener: listener, window: c.overflowWindow },
            'A listener drops connections because its accept queue is full.',
            '{{ with $labels.unit }}{{ . }}, {{ end }}' + container +
            '{{ $labels.address }}:{{ $labels.port }} of ' +
            '{{ $labels.instance }}, dropped {{ $value | printf "%.0f" }} connections within ' +
            c.overflowWindow + '. Look how long the oldest has waited ' +
            '(sockstat_listener_unaccepted_oldest_seconds): seconds mean that the program has ' +
            'stopped accepting, milliseconds that the queue is too short for a burst.',
          ),
          alert(
            'SockstatdAcceptQueueNearLimit',
            'warning',
            '5m',
            |||
              min_over_time(sockstat_listener_accept_queue_peak_ratio{%s}[10m]) > %g
            ||| % [selector, c.acceptQueueNearRatio],
            'An accept queue has come near its limit in every peak window for ten minutes.',
            '{{ $labels.address }}:{{ $labels.port }} of {{ $labels.instance }} was filled to ' +
            '{{ $value | humanizePercentage }}. Raise the backlog that the program gives to ' +
            'listen(2), and net.core.somaxconn with it, or let it accept faster.',
          ),
          alert(
            'SockstatdSynFlood',
            'warning',
            '2m',
            |||
              sockstat_listener_syn_queue_length{%(s)s} > %(requests)d
              and on (%(listener)s)
                sockstat_listener_accept_queue_peak_ratio{%(s)s} < 0.5
              and on (%(instance)s)
                rate(sockstat_netstat_syncookies_sent_total{%(s)s}[5m]) > 10
            ||| % {
              s: selector,
              requests: c.synQueueRequests,
              listener: listener,
              instance: instance,
            },
            'Many handshakes of a listener do not end, while its accept queue has room.',
            '{{ $labels.address }}:{{ $labels.port }} of {{ $labels.instance }} has {{ $value }} ' +
            'half-open connections, and the kernel sends cookies. Look where they come from, ' +
            'before the load balancer and in ss -n state syn-recv.',
          ),
        ],
      },
      {
        name: 'sockstatd.tcp',
        rules: [
          alert(
            'SockstatdRetransmits',
            'warning',
            '10m',
            |||
              instance_side_port:sockstat_tcp_retransmitted_segments:ratio_rate5m{%(s)s} > %(ratio)g
              and
              instance_side_port:sockstat_tcp_sent_segments:rate5m{%(s)s} > %(least)d
            ||| % {
              s: selector,
              ratio: c.retransmitRatio,
              least: c.retransmitLeastSegmentsPerSecond,
            },
            'Many of the segments that a port sends are sent again.',
            '{{ $value | humanizePercentage }} of what {{ $labels.instance }} sends as ' +
            '{{ $labels.side }} of port {{ $labels.port }}. Compare with other ports and hosts: ' +
            'one destination points to its path, one host to its link, all to the network.',
          ),
          alert(
            'SockstatdZeroWindows',
            'warning',
            '10m',
            |||
              sum without (view, peer) (
                sockstat_tcp_timer_sockets{%s, timer="zero_window_probe"}
              ) > %d
            ||| % [selector, c.zeroWindowSockets],
            'Peers have had no room for what we send for ten minutes.',
            '{{ $value }} connections of {{ $labels.instance }} as {{ $labels.side }} of port ' +
            '{{ $labels.port }} wait for a window. The programs at the other end do not read: ' +
            'look there first.',
          ),
          alert(
            'SockstatdCloseWaitGrows',
            'warning',
            '10m',
            |||
              min_over_time(
                instance_side_port_state:sockstat_tcp_sockets:sum{%(s)s, state="close_wait"}[30m]
              ) > %(sockets)d
              and
              deriv(
                instance_side_port_state:sockstat_tcp_sockets:sum{%(s)s, state="close_wait"}[30m]
              ) > 0
            ||| % { s: selector, sockets: c.closeWaitSockets },
            'Connections that their peers have closed pile up, and are not closed here.',
            '{{ $value }} at least, of {{ $labels.instance }} as {{ $labels.side }} of port ' +
            '{{ $labels.port }}. The program leaks them: ss -p state close-wait says which; ' +
            'its descriptors run out next.',
          ),
          alert(
            'SockstatdEphemeralPortsLow',
            'critical',
            '5m',
            |||
              sockstat_tcp_ephemeral_ports_used{%(s)s}
              / on (%(instance)s) group_left ()
                sockstat_limit_ephemeral_ports{%(s)s} > %(ratio)g
            ||| % { s: selector, instance: instance, ratio: c.ephemeralPortsRatio },
            'Local ports for new connections to one destination run out.',
            '{{ $labels.instance }} uses {{ $value | humanizePercentage }} of its ephemeral ports ' +
            'towards one address of port {{ $labels.port }}. Keep connections instead of opening ' +
            'new ones, or widen net.ipv4.ip_local_port_range.',
          ),
          alert(
            'SockstatdTimeWaitNearLimit',
            'warning',
            '5m',
            |||
              sockstat_tcp_overview_time_wait{%(s)s}
              / on (%(instance)s)
                sockstat_limit_tcp_max_tw_buckets{%(s)s} > %(ratio)g
            ||| % { s: selector, instance: instance, ratio: c.timeWaitRatio },
            'Sockets in TIME_WAIT come near their limit.',
            '{{ $labels.instance }} is at {{ $value | humanizePercentage }} of ' +
            'net.ipv4.tcp_max_tw_buckets. Beyond it the kernel ends TIME_WAIT early, and late ' +
            'segments may meet new connections. Keep connections open longer.',
          ),
          alert(
            'SockstatdOrphansNearLimit',
            'warning',
            '5m',
            |||
              sockstat_tcp_overview_orphaned{%(s)s}
              / on (%(instance)s)
                sockstat_limit_tcp_max_orphans{%(s)s} > %(ratio)g
            ||| % { s: selector, instance: instance, ratio: c.orphansRatio },
            'Sockets that no process holds come near their limit.',
            '{{ $labels.instance }} is at {{ $value | humanizePercentage }} of ' +
            'net.ipv4.tcp_max_orphans; the kernel resets some from half of it on. Peers that ' +
            'do not acknowledge, or programs that close with data unsent, make them.',
          ),
          alert(
            'SockstatdTcpMemoryPressure',
            'critical',
            '5m',
            |||
              sum by (%(instance)s) (
                sockstat_protocol_memory_bytes{%(s)s, protocol="tcp"}
              )
              > on (%(instance)s)
              sum by (%(instance)s) (
                sockstat_limit_tcp_memory_bytes{%(s)s, level="pressure"}
              )
            ||| % { s: selector, instance: instance },
            'The memory of TCP is under pressure.',
            '{{ $labels.instance }} has {{ $value | humanize1024 }}B in buffers of TCP, above ' +
            'the second value of net.ipv4.tcp_mem: windows shrink, and at the third value ' +
            'segments fall. sockstat_tcp_memory_bytes says which port holds it.',
          ),
        ],
      },
      {
        name: 'sockstatd.udp',
        rules: [
          alert(
            'SockstatdUdpDrops',
            'warning',
            '5m',
            |||
              rate(sockstat_udp_drops_total{%s}[5m]) > 1
            ||| % selector,
            'Datagrams find no room in the receive buffers of a port.',
            '{{ $value | printf "%.1f" }} a second, at UDP port {{ $labels.port }} of ' +
            '{{ $labels.instance }}. The program reads too slowly, or its SO_RCVBUF (and ' +
            'net.core.rmem_max) is too small for a burst.',
          ),
        ],
      },
      {
        name: 'sockstatd.self',
        rules: [
          alert(
            'SockstatdDown',
            'critical',
            '5m',
            |||
              up{%s} == 0
            ||| % selector,
            'sockstatd does not answer.',
            'Prometheus cannot scrape {{ $labels.instance }}. systemctl status sockstatd, and ' +
            'journalctl -t sockstatd, on that host.',
          ),
          alert(
            'SockstatdStale',
            'warning',
            '1m',
            |||
              time() - sockstatd_poll_last_success_timestamp_seconds{%(s)s}
              > on (%(instance)s, lane)
                (5 * sockstatd_poll_interval_seconds{%(s)s} + 10)
            ||| % { s: selector, instance: instance },
            'What sockstatd shows is old.',
            'The last good poll of the lane {{ $labels.lane }} of {{ $labels.instance }} was ' +
            '{{ $value | humanizeDuration }} ago. sockstatd_poll_failures_total says why.',
          ),
          alert(
            'SockstatdFallback',
            'warning',
            '10m',
            |||
              sockstatd_source{%s, family="tcp", source="procfs"} == 1
            ||| % selector,
            'sockstatd reads /proc, which tells neither drops nor limits.',
            'Netlink does not serve on {{ $labels.instance }}: sockstatd --doctor says what is ' +
            'missing.',
          ),
          alert(
            'SockstatdOverflowUnknown',
            'critical',
            '1m',
            |||
              increase(sockstat_netstat_listen_overflows_total{%(s)s}[5m]) > 0
              and on (%(instance)s)
                sockstatd_source{%(s)s, family="tcp", source="procfs"} == 1
            ||| % { s: selector, instance: instance },
            'A listener drops connections, and sockstatd cannot say which.',
            '{{ $value | printf "%.0f" }} connections in five minutes, on {{ $labels.instance }}, ' +
            'where only /proc is read. ss -ltn on that host: Recv-Q above Send-Q is the one.',
          ),
          alert(
            'SockstatdLosesEvents',
            'warning',
            '15m',
            |||
              rate(sockstatd_destroy_events_lost_total{%s}[15m]) > 0
            ||| % selector,
            'sockstatd loses events of sockets that close, so that some counters fall short.',
            '{{ $value | printf "%.1f" }} a second, on {{ $labels.instance }}. With "counters: ' +
            'auto" the daemon leaves events when there are too many; "polled" does without.',
          ),
          alert(
            'SockstatdConfigReloadFailed',
            'warning',
            '5m',
            |||
              sockstatd_config_last_reload_successful{%s} == 0
            ||| % selector,
            'The last reload of the configuration failed; the old one is in force.',
            'sockstatd --config.check on {{ $labels.instance }} says what is wrong, with line ' +
            'and column.',
          ),
          alert(
            'SockstatdSeriesFolded',
            'info',
            '30m',
            |||
              sockstatd_folded_groups{%s} > 0
            ||| % selector,
            'Some listeners or ports have no series of their own.',
            '{{ $value }} on {{ $labels.instance }} are counted as "other", by ' +
            'limits.{{ $labels.reason }}. Raise it, or name those that matter in ports.',
          ),
        ],
      },
    ],
  },
}
