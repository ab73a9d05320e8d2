// SPDX-License-Identifier: Apache-2.0
// Port in depth: everything about the connections of one port.
local lib = import 'lib.libsonnet';
local variables = import 'variables.libsonnet';

{
  local c = $._config,
  local s = lib.selector + ', side=~"$side", port=~"$port"',
  local target = lib.target,
  local tcp(name) = 'sockstat_tcp_%s{%s}' % [name, s],
  local sum(name) = 'sum(%s)' % tcp(name),
  local rate(name) = 'sum(rate(%s[$__rate_interval]))' % tcp(name),
  local ratio(part, whole) = '%s\n/\n(%s > 0)' % [rate(part), rate(whole)],
  local quantiles(name) = [
    target(lib.quantile(q / 100, 'sockstat_tcp_' + name, s), 'p%d' % q)
    for q in [50, 90, 99]
  ],
  local cells(name) = [lib.cellsTarget('sockstat_tcp_' + name, s)],
  local extended = ' Of the extended profile.',
  local sampled =
    'Each poll observes each connection that sent something and was answered since the poll ' +
    'before: connections weigh by the time in which they are active, and idle ones not at all.',

  local figures = [
    lib.stat(
      'Established',
      'Connections that are open now.',
      'short',
      [target('sum(sockstat_tcp_sockets{%s, state="established"})' % s)],
      [['text']],
    ),
    lib.stat(
      'Opened',
      'Connections opened a second, those included that were closed at once.',
      'cps',
      [target(rate('connections_opened_total'))],
      [['text']],
    ),
    lib.stat(
      'Median RTT',
      'Half of the active connections have a shorter round-trip time.',
      's',
      [target(lib.quantile(0.5, 'sockstat_tcp_rtt_seconds', s))],
      [['text']],
    ),
    lib.stat(
      '99% RTT',
      'One in a hundred active connections has a longer round-trip time.',
      's',
      [target(lib.quantile(0.99, 'sockstat_tcp_rtt_seconds', s))],
      [['text']],
    ),
    lib.stat(
      'Sent again',
      'Share of the segments that were sent again.',
      'percentunit',
      [target(ratio('retransmitted_segments_total', 'sent_segments_total'))],
      [['green'], ['orange', c.retransmitRatio / 2], ['red', c.retransmitRatio]],
    ),
    lib.stat(
      'Sent',
      'Bytes sent a second, with retransmits and without headers.',
      'Bps',
      [target(rate('sent_bytes_total'))],
      [['text']],
    ),
    lib.stat(
      'Unread',
      'Bytes that have come and that the program has not read.',
      'bytes',
      [target(sum('receive_queue_bytes'))],
      [['text']],
    ),
    lib.stat(
      'Memory',
      'What the kernel charges to these sockets, in all their buffers.',
      'bytes',
      [target(sum('memory_bytes'))],
      [['text']],
    ),
  ],

  local connections = [
    lib.timeseries(
      'Sockets by state',
      'A growing close_wait is a program here that does not close; many time_wait are connections ' +
      'that are closed here and could be kept.',
      'short',
      [target('sum by (state) (sockstat_tcp_sockets{%s, state!="close"}) > 0' % s, '{{state}}')],
    ) + lib.stacked + lib.colored(variables.stateColors),
    lib.timeseries(
      'Opened and closed',
      'Connections, each of them counted. Of those that were aborted the kernel no longer says ' +
      'what they had sent and received.',
      'cps',
      [
        target(rate('connections_opened_total'), 'opened'),
        target(rate('connections_closed_total'), 'closed'),
        target(rate('connections_closed_unreported_total'), 'aborted'),
      ],
    ) + lib.mirrored('closed|aborted'),
    lib.timeseries(
      'Timers',
      'What the sockets wait for. retransmit: an answer; zero_window_probe: room at the peer, ' +
      'whose program does not read.' + extended,
      'short',
      [target('sum by (timer) (%s) > 0' % tcp('timer_sockets'), '{{timer}}')],
    ) + lib.stacked,
  ],

  local times = [
    lib.heatmap(
      'Round-trip times',
      'How many observations fell into each range. ' + sampled,
      's',
      cells('rtt_seconds'),
    ),
    lib.timeseries(
      'Round-trip time, quantiles',
      'Of the active connections, between the bounds of the buckets. Where a long time comes ' +
      'from a queue on the way, the windows below are large.',
      's',
      quantiles('rtt_seconds'),
      12,
      9
    ),
    lib.heatmap(
      'Congestion windows',
      'How many segments may be on their way at once, of each active connection. A band that ' +
      'falls to the bottom is loss.',
      'short',
      cells('congestion_window_segments'),
    ),
    lib.timeseries(
      'Congestion window, quantiles',
      'Segments that may be on their way at once.',
      'short',
      quantiles('congestion_window_segments'),
      12,
      9
    ),
  ],

  local throughput = [
    lib.timeseries(
      'Bytes',
      'Sent up, received down; headers not counted, retransmits counted.',
      'Bps',
      [
        target(rate('sent_bytes_total'), 'sent'),
        target(rate('received_bytes_total'), 'received'),
      ],
    ) + lib.mirrored('received'),
    lib.timeseries(
      'Segments sent again',
      'Share of the segments sent that are retransmits.',
      'percentunit',
      [target(ratio('retransmitted_segments_total', 'sent_segments_total'), 'sent again')],
    ) + lib.lines([['transparent'], ['red', c.retransmitRatio]]),
    lib.timeseries(
      'What holds them up',
      'Mean number of connections that had something to send (busy), and of those that could not ' +
      "because of the peer's window or of their own buffer. The rest waits for the network. Busy " +
      'and buffer are of the extended profile.',
      'short',
      [
        target(rate('busy_seconds_total'), 'busy'),
        target(rate('receive_window_limited_seconds_total'), "peer's window"),
        target(rate('send_buffer_limited_seconds_total'), 'send buffer'),
      ],
    ),
  ],

  local memory = [
    lib.timeseries(
      'Memory by buffer',
      'What the kernel charges: received and not read, sent and not acknowledged, set aside for ' +
      'either, options, and the backlog while the program holds the socket.',
      'bytes',
      [target('sum by (buffer) (%s)' % tcp('memory_bytes'), '{{buffer}}')],
    ) + lib.stacked,
    lib.timeseries(
      'Queues',
      'Bytes that the program has not read, and, downwards, that the peer has not acknowledged ' +
      'or that were not even sent. Unsent is of the extended profile.',
      'bytes',
      [
        target(sum('receive_queue_bytes'), 'unread'),
        target(sum('send_queue_bytes'), 'unacknowledged'),
        target(sum('unsent_bytes'), 'unsent'),
      ],
    ) + lib.mirrored('unacknowledged|unsent'),
    lib.timeseries(
      'Room in buffers',
      'Limits of the buffers of all sockets together, as the kernel has tuned them or the program ' +
      'has set them.' + extended,
      'bytes',
      [target('sum by (buffer) (%s)' % tcp('buffer_limit_bytes'), '{{buffer}}')],
    ),
  ],

  local loss = [
    lib.timeseries(
      'Signs of loss',
      'Timeouts are the worst: nothing came back. Segments out of order are loss, or paths that ' +
      'overtake one another. What the peer says it has received twice was sent again in vain.' +
      extended,
      'pps',
      [
        target(rate('retransmission_timeouts_total'), 'timeouts'),
        target(rate('out_of_order_segments_total'), 'out of order'),
        target(rate('dsack_duplicates_total'), 'sent in vain'),
        target(rate('reordering_events_total'), 'reordering'),
        target(rate('drops_total'), 'dropped here'),
      ],
    ),
    lib.timeseries(
      'Congestion state',
      'Sockets that are not in the open state: disorder and cwr are suspicions, recovery sends ' +
      'again, loss has heard nothing.' + extended,
      'short',
      [target(
        'sum by (ca_state) (sockstat_tcp_congestion_sockets{%s, ca_state!="open"})' % s,
        '{{ca_state}}'
      )],
    ) + lib.stacked,
    lib.timeseries(
      'In flight',
      'Segments that are on their way, and those of them that are deemed lost or are sent again.' +
      extended,
      'short',
      [
        target(sum('unacked_segments'), 'in flight'),
        target(sum('lost_segments'), 'lost'),
        target(sum('retransmitting_segments'), 'sent again'),
      ],
    ),
    lib.timeseries(
      'Shortest and varying round-trip time',
      'Median of the shortest round-trip time of each active connection, which is the path alone, ' +
      'and of how much it varies. What the median round-trip time has above the shortest is spent ' +
      'in queues.' + extended,
      's',
      [
        target(lib.quantile(0.5, 'sockstat_tcp_rtt_seconds', s), 'round trip'),
        target(lib.quantile(0.5, 'sockstat_tcp_min_rtt_seconds', s), 'shortest'),
        target(lib.quantile(0.5, 'sockstat_tcp_rtt_variation_seconds', s), 'variation'),
      ],
    ),
    lib.timeseries(
      'Congestion control',
      'Sockets by algorithm.' + extended,
      'short',
      [target('sum by (algorithm) (%s) > 0' % tcp('congestion_algorithm_sockets'), '{{algorithm}}')],
    ) + lib.stacked,
    lib.timeseries(
      'Orphans, and MPTCP',
      'Sockets that are closing and that no program holds; and MPTCP sockets, which are beside the ' +
      'TCP that carries them.' + extended,
      'short',
      [
        target(sum('orphan_sockets'), 'orphans'),
        target('sum(sockstat_mptcp_sockets{%s})' % s, 'MPTCP'),
      ],
    ),
  ],

  local lives = [
    lib.heatmap(
      'Delivery rate',
      'Goodput of each active connection where its program had enough to send.' + extended,
      'Bps',
      cells('delivery_rate_bytes_per_second'),
      8
    ),
    lib.heatmap(
      'Bytes sent over a life',
      'One observation for each connection that closed.' + extended,
      'decbytes',
      cells('closed_sent_bytes'),
      8
    ),
    lib.heatmap(
      'Bytes received over a life',
      'One observation for each connection that closed.' + extended,
      'decbytes',
      cells('closed_received_bytes'),
      8
    ),
    lib.heatmap(
      'Round-trip time at the end',
      'One observation for each connection that closed, so that short ones weigh as much as long ' +
      'ones.' + extended,
      's',
      cells('closed_rtt_seconds'),
      12
    ),
    lib.timeseries(
      'Round-trip time at the end, quantiles',
      'Of the connections that closed.' + extended,
      's',
      quantiles('closed_rtt_seconds'),
      12,
      9
    ),
  ],

  grafanaDashboards+:: {
    'sockstatd-port-in-depth.json': lib.dashboard(
      c,
      'sockstatd-port-in-depth',
      'Port in depth',
      'States, round-trip times, windows, bytes, loss and memory of the connections of one port.',
      [
        variables.job,
        variables.instance(first=true),
        variables.side,
        variables.port('Of this host as server, of the other as client.', first=true),
      ],
      [
        lib.row('', figures),
        lib.row('Connections', connections),
        lib.row('Round-trip times and windows', times),
        lib.row('Throughput', throughput),
        lib.row('Memory', memory),
        lib.row('Loss and congestion', loss),
        lib.row('Whole connections', lives),
      ],
      variables.annotations,
    ),
  },
}
