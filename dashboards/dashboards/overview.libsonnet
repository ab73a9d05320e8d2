// SPDX-License-Identifier: Apache-2.0
// Overview: is anything wrong on this host, and where to look next.
local lib = import 'lib.libsonnet';
local variables = import 'variables.libsonnet';

{
  local c = $._config,
  local s = lib.selector,
  local ports = s + ', port=~"$port"',
  local target = lib.target,
  local rate(metric, selector=s) = 'rate(%s{%s}[$__rate_interval])' % [metric, selector],
  // Usage as a share of a limit of the same host.
  local share(usage, limit) = '%s\n/ on (%s) group_left ()\n  %s' % [usage, c.instanceLabels, limit],
  local ephemeralShare = share(
    'sockstat_tcp_ephemeral_ports_used{%s}' % s,
    'sockstat_limit_ephemeral_ports{%s}' % s,
  ),
  local tcpMemory = 'sum by (%s) (sockstat_protocol_memory_bytes{%s, protocol="tcp"})' %
                    [c.instanceLabels, s],
  local green = ['green'],
  local redFrom(value) = [green, ['red', value]],
  local redAndOrangeFrom(warning, bad) = [green, ['orange', warning], ['red', bad]],

  local verdict = [
    lib.stat(
      'Alerts',
      'How many alerts of alerts.yaml fire. Always 0 where they are not loaded.',
      'short',
      [target('count(ALERTS{%s, alertname=~"Sockstatd.+", alertstate="firing"}) or vector(0)' % s)],
      redFrom(1),
    ),
    lib.stat(
      'Dropped',
      'Connection attempts that the listeners of this host dropped within the time shown because ' +
      'a queue was full. Each kept a client waiting: Accept queues says which listener.',
      'none',
      [target('sum(increase(sockstat_listener_drops_total{%s}[$__range]))' % s) +
       { instant: true, range: false }],
      redFrom(0.5),
    ) + { fieldConfig+: { defaults+: { decimals: 0 } } },
    lib.stat(
      'Fullest queue',
      'How full the fullest accept queue was at its peak of the last minutes. At 100% the next ' +
      'connection is dropped.',
      'percentunit',
      [target('max(sockstat_listener_accept_queue_peak_ratio{%s})' % s)],
      redAndOrangeFrom(c.acceptQueueNearRatio, 1),
    ),
    lib.stat(
      'Longest wait',
      'How long the connection that has waited longest for accept() has waited, at least. ' +
      'Seconds mean that a program has stopped accepting.',
      's',
      [target('max(sockstat_listener_unaccepted_oldest_seconds{%s})' % s)],
      redAndOrangeFrom(0.5, 2),
    ) + lib.nothing('nobody'),
    lib.stat(
      'Sent again',
      'Share of the TCP segments of this host that are retransmits, as the kernel counts them.',
      'percentunit',
      [target(
        'sum(%s)\n/\nsum(%s + %s)' % [
          rate('sockstat_netstat_tcp_retransmitted_segments_total'),
          rate('sockstat_netstat_tcp_sent_segments_total'),
          rate('sockstat_netstat_tcp_retransmitted_segments_total'),
        ]
      )],
      redAndOrangeFrom(c.retransmitRatio / 2, c.retransmitRatio),
    ),
    lib.stat(
      'TCP memory',
      'Memory in buffers of TCP, as a share of the level of net.ipv4.tcp_mem from which the ' +
      'kernel makes windows smaller. Of the host: a container does not see it.',
      'percentunit',
      [target(
        'max(\n%s\n)' % share(
          '  ' + tcpMemory,
          'sockstat_limit_tcp_memory_bytes{%s, level="pressure"}' % s
        )
      )],
      redAndOrangeFrom(0.7, 1),
    ),
    lib.stat(
      'Ephemeral ports',
      'Local ports in use towards the one destination that uses most of them, as a share of ' +
      'those that there are. At 100%, connect() fails.',
      'percentunit',
      [target('max(\n  %s\n)' % ephemeralShare)],
      redAndOrangeFrom(0.6, c.ephemeralPortsRatio),
    ),
    lib.stat(
      'Age of data',
      'How long ago the last good poll of the slower lane was. It is about one interval, by ' +
      'default five seconds, stretched to at most a minute.',
      's',
      [target('max(time() - sockstatd_poll_last_success_timestamp_seconds{%s})' % s)],
      redAndOrangeFrom(90, 300),
    ),
  ],

  local queues = [
    lib.timeseries(
      'Dropped by full queues',
      'Connection attempts that each listener dropped because a queue was full. Listeners that ' +
      'dropped none are not drawn; a client tries again after one second, then two.',
      'cps',
      [target(
        'sum by (address, port) (%s) > 0' % rate('sockstat_listener_drops_total', ports),
        '{{address}}:{{port}}'
      )],
    ) + lib.bars + lib.nothing('no drops'),
    lib.timeseries(
      'Accept queues at their peak',
      'The five listeners whose queue came nearest to its limit within the peak window.',
      'percentunit',
      [target(
        'topk(5, max by (address, port) (sockstat_listener_accept_queue_peak_ratio{%s}))' % ports,
        '{{address}}:{{port}}'
      )],
    ) + lib.limited(1) + lib.lines([['transparent'], ['red', 1]]),
    lib.timeseries(
      'What the kernel says of its queues',
      'The kernel counts of this network namespace, whoever the listener was. Overflows are of ' +
      'accept queues. Drops are these, and what fell for other reasons. Cookies are sent when ' +
      'the queue of handshakes is full: a burst, or a SYN flood.',
      'cps',
      [
        target('sum(%s)' % rate('sockstat_netstat_listen_overflows_total'), 'accept queue overflows'),
        target('sum(%s)' % rate('sockstat_netstat_listen_drops_total'), 'listener drops'),
        target('sum(%s)' % rate('sockstat_netstat_syn_queue_full_drops_total'), 'SYN queue full'),
        target('sum(%s)' % rate('sockstat_netstat_syncookies_sent_total'), 'SYN cookies sent'),
        target('sum(%s)' % rate('sockstat_netstat_syncookies_failed_total'), 'SYN cookies refused'),
      ],
    ),
  ],

  local connections = [
    lib.timeseries(
      'Sockets by state',
      'TCP sockets of all ports. A growing close_wait is a program here that does not close; a ' +
      'growing syn_sent a destination that does not answer.',
      'short',
      [target('sum by (state) (sockstat_tcp_sockets{%s, state!="close"}) > 0' % ports, '{{state}}')],
    ) + lib.stacked + lib.colored(variables.stateColors),
    lib.timeseries(
      'Connections opened and closed',
      'Each connection is counted, also one that lived for a millisecond. Server is to this host, ' +
      'client is from it; closed ones go down.',
      'cps',
      [
        target('sum by (side) (%s)' % rate('sockstat_tcp_connections_opened_total', ports), '{{side}} opened'),
        target('sum by (side) (%s)' % rate('sockstat_tcp_connections_closed_total', ports), '{{side}} closed'),
      ],
    ) + lib.mirrored('.* closed'),
    lib.timeseries(
      'Busiest ports',
      'Bytes of the connections of the five ports that send and receive most, headers not ' +
      'counted, retransmits counted. Received goes down.',
      'Bps',
      [
        target(
          'topk(5, sum by (side, port) (%s))' % rate('sockstat_tcp_sent_bytes_total', ports),
          '{{side}} {{port}} sent'
        ),
        target(
          'topk(5, sum by (side, port) (%s))' % rate('sockstat_tcp_received_bytes_total', ports),
          '{{side}} {{port}} received'
        ),
      ],
    ) + lib.mirrored('.* received'),
    lib.timeseries(
      'Segments sent again, by port',
      'Share of the segments of the five worst ports that are retransmits. One port points to a ' +
      'path or a peer, all of them to the link of this host.',
      'percentunit',
      [target(
        |||
          topk(5,
            sum by (side, port) (%s)
            /
            (sum by (side, port) (%s) > 0)
          )
        ||| % [
          rate('sockstat_tcp_retransmitted_segments_total', ports),
          rate('sockstat_tcp_sent_segments_total', ports),
        ],
        '{{side}} {{port}}'
      )],
    ) + lib.lines([['transparent'], ['red', c.retransmitRatio]]),
    lib.timeseries(
      'Round-trip time, 99th percentile',
      'Of the five slowest ports. Each poll observes each connection that sent something and was ' +
      'answered since the poll before, so connections weigh by the time in which they are active.',
      's',
      [target(
        'topk(5,\n%s\n)' % lib.quantile(0.99, 'sockstat_tcp_rtt_seconds', ports, 'side, port'),
        '{{side}} {{port}}'
      )],
    ),
    lib.timeseries(
      'Connections that went wrong',
      'The kernel counts of this network namespace: handshakes that failed, connections that were ' +
      'reset, ended because nobody answered or because memory was short.',
      'cps',
      [
        target('sum(%s)' % rate('sockstat_netstat_tcp_attempt_fails_total'), 'handshakes failed'),
        target('sum(%s)' % rate('sockstat_netstat_tcp_established_resets_total'), 'reset'),
        target('sum(%s)' % rate('sockstat_netstat_tcp_resets_sent_total'), 'RST sent'),
        target('sum(%s)' % rate('sockstat_netstat_tcp_aborts_on_timeout_total'), 'timed out'),
        target('sum(%s)' % rate('sockstat_netstat_tcp_aborts_on_memory_total'), 'out of memory'),
      ],
    ),
  ],

  local limits = [
    lib.timeseries(
      'Memory of TCP and its levels',
      'Pages that all TCP sockets of the host hold, against the levels of net.ipv4.tcp_mem: above ' +
      'pressure windows shrink, at the maximum segments are dropped. Of the host: a container ' +
      'does not see it.',
      'bytes',
      [
        target('sum(sockstat_protocol_memory_bytes{%s, protocol="tcp"})' % s, 'used'),
        target('sum by (level) (sockstat_limit_tcp_memory_bytes{%s, level!="low"})' % s, '{{level}}'),
      ],
      6
    ) + lib.limits('pressure|high'),
    lib.timeseries(
      'Memory by port',
      'What the kernel charges to the sockets of the five ports that hold most: received and not ' +
      'read, sent and not acknowledged, and what is set aside.',
      'bytes',
      [target(
        'topk(5, sum by (side, port) (sockstat_tcp_memory_bytes{%s}))' % ports, '{{side}} {{port}}'
      )],
      6
    ) + lib.stacked,
    lib.timeseries(
      'Ephemeral ports by destination port',
      'Local ports in use between one source and one destination address, as a share of ' +
      'net.ipv4.ip_local_port_range. TIME_WAIT is included.',
      'percentunit',
      [target('topk(5, max by (port) (\n  %s\n))' % ephemeralShare, 'to {{port}}')],
      6
    ) + lib.lines([['transparent'], ['red', c.ephemeralPortsRatio]]),
    lib.timeseries(
      'TIME_WAIT and orphans',
      'Sockets in TIME_WAIT, and those that no program holds any more, as shares of ' +
      'net.ipv4.tcp_max_tw_buckets and net.ipv4.tcp_max_orphans. Orphans are of the host: a ' +
      'container does not see them.',
      'percentunit',
      [
        target(
          'max(\n  %s\n)' % share(
            'sockstat_tcp_overview_time_wait{%s}' % s, 'sockstat_limit_tcp_max_tw_buckets{%s}' % s
          ),
          'TIME_WAIT'
        ),
        target(
          'max(\n  %s\n)' % share(
            'sockstat_tcp_overview_orphaned{%s}' % s, 'sockstat_limit_tcp_max_orphans{%s}' % s
          ),
          'orphans'
        ),
      ],
      6
    ) + lib.lines([['transparent'], ['red', c.orphansRatio]]),
  ],

  local others = [
    lib.timeseries(
      'Segments that TCP dropped',
      'The kernel counts of this network namespace: the backlog of a socket that its program ' +
      'held, a receive queue that was full, a window that was closed.',
      'pps',
      [
        target('sum(%s)' % rate('sockstat_netstat_tcp_backlog_drops_total'), 'backlog full'),
        target('sum(%s)' % rate('sockstat_netstat_tcp_receive_queue_drops_total'), 'receive queue full'),
        target('sum(%s)' % rate('sockstat_netstat_tcp_zero_window_drops_total'), 'window closed'),
      ],
      6
    ),
    lib.timeseries(
      'Datagrams dropped, by UDP port',
      'Datagrams that found no room in the receive buffer of a socket, by local port. Ports that ' +
      'dropped none are not drawn.',
      'pps',
      [target('sum by (port) (%s) > 0' % rate('sockstat_udp_drops_total'), '{{port}}')],
      6
    ) + lib.bars + lib.nothing('no drops'),
    lib.timeseries(
      'Unread datagrams',
      'Bytes in the receive queues of UDP sockets, of the five fullest ports. What does not fit ' +
      'is dropped.',
      'bytes',
      [target('topk(5, sum by (port) (sockstat_udp_receive_queue_bytes{%s})) > 0' % s, '{{port}}')],
      6
    ) + lib.stacked + lib.nothing('all are read'),
    lib.timeseries(
      'Sockets of other kinds',
      'What else has sockets here. Programs that leak them show in one of these.',
      'short',
      [
        target('sum(sockstat_unix_sockets{%s})' % s, 'UNIX'),
        target('sum(sockstat_udp_sockets{%s})' % s, 'UDP'),
        target('sum(sockstat_netlink_sockets{%s})' % s, 'netlink'),
        target('sum(sockstat_raw_sockets{%s})' % s, 'raw'),
        target('sum(sockstat_packet_sockets{%s})' % s, 'packet'),
      ],
      6
    ),
  ],

  local self_ = [
    lib.timeseries(
      'How long a poll takes',
      'The 99th percentile of each lane. A poll of the sockets walks all of them.',
      's',
      [target(lib.quantile(0.99, 'sockstatd_poll_duration_seconds', s, 'lane'), '{{lane}}')],
      6
    ),
    lib.timeseries(
      'Time between polls',
      'A lane stretches its interval rather than use more of a core than poll.cpu_limit.',
      's',
      [target('max by (lane) (sockstatd_poll_interval_seconds{%s})' % s, '{{lane}}')],
      6
    ),
    lib.timeseries(
      'Polls that failed, and what was lost',
      'After a failed poll the last good values stay until they are too old. Events that were lost ' +
      'make the counters of closed connections fall short.',
      'cps',
      [
        target('sum by (lane) (%s)' % rate('sockstatd_poll_failures_total'), '{{lane}} failed'),
        target('sum by (lane) (%s)' % rate('sockstatd_polls_skipped_total'), '{{lane}} skipped'),
        target('sum(%s)' % rate('sockstatd_destroy_events_lost_total'), 'events lost'),
      ],
      6
    ),
    lib.timeseries(
      'How near its bounds it is',
      'Series and followed sockets as shares of limits.series and limits.tracked_sockets. Above ' +
      'them listeners and ports are folded into "other", and sockets are not followed.',
      'percentunit',
      [
        target(
          'max(sockstatd_series{%(s)s} / sockstatd_series_limit{%(s)s})' % { s: s }, 'series'
        ),
        target(
          'max(sockstatd_tracked_sockets{%(s)s} / sockstatd_tracked_sockets_limit{%(s)s})' % { s: s },
          'followed sockets'
        ),
      ],
      6
    ),
    lib.timeseries(
      'CPU',
      'Of one core: all of the daemon, and its polls alone.',
      'percentunit',
      [
        target('sum(%s)' % rate('process_cpu_seconds_total'), 'sockstatd'),
        target('sum by (lane) (%s)' % rate('sockstatd_poll_cpu_seconds_total'), '{{lane}}'),
      ],
      6
    ),
    lib.timeseries(
      'Memory',
      'Resident memory of the daemon.',
      'bytes',
      [target('sum(process_resident_memory_bytes{%s})' % s, 'resident')],
      6
    ),
    lib.timeseries(
      'Requests',
      'Answers by path and status.',
      'reqps',
      [target(
        'sum by (path, code) (%s) > 0' % rate('sockstatd_http_requests_total'), '{{path}} {{code}}'
      )],
      6
    ),
    lib.timeseries(
      'Where the sockets come from',
      'Families that netlink serves, and those for which only /proc does, which tells neither ' +
      'drops nor limits nor round-trip times.',
      'short',
      [target('sum by (source) (sockstatd_source{%s})' % s, '{{source}}')],
      6
    ),
  ],

  grafanaDashboards+:: {
    'sockstatd-overview.json': lib.dashboard(
      c,
      'sockstatd-overview',
      'Overview',
      'Is anything wrong with the sockets of a host, and where to look next.',
      [
        variables.job,
        variables.instance(first=true),
        variables.port('Narrows what is shown by port. The figures at the top are of all ports.'),
      ],
      [
        lib.row('', verdict),
        lib.row('Accept queues', queues),
        lib.row('Connections', connections),
        lib.row('Memory and limits', limits),
        lib.row('Other drops, other sockets', others),
        lib.row('sockstatd itself', self_),
      ],
      variables.annotations,
    ),
  },
}
