// SPDX-License-Identifier: Apache-2.0
// Accept queues: which listener, whose it is, and whether its program is slow or its queue short.
local lib = import 'lib.libsonnet';
local variables = import 'variables.libsonnet';

{
  local c = $._config,
  local s = lib.selector + ', port=~"$port"',
  local target = lib.target,
  local listener = 'instance, netns, address, port',
  local column(expr) = lib.tableTarget('max by (%s) (%s)' % [listener, expr]),
  local metric(name) = 'sockstat_listener_%s{%s}' % [name, s],
  local rate(name) = 'rate(%s[$__rate_interval])' % metric(name),
  local name = '{{address}}:{{port}}',
  // The five listeners that lead, or those that are above zero at all.
  local five(expr) = 'topk(5, max by (address, port) (%s))' % expr,
  local positive(expr) = 'max by (address, port) (%s) > 0' % expr,
  local near = c.acceptQueueNearRatio,

  local listeners = lib.table(
    'Listeners',
    'One row for each listener. Seconds of the oldest wait mean that its program has stopped ' +
    'accepting; milliseconds and a full queue, that the queue is too short for a burst. The unit ' +
    'is the service or container that opened it. A port leads to what happens on its connections.',
    [
      { label: 'instance', title: 'Instance' },
      { label: 'netns', title: 'Namespace' },
      { label: 'address', title: 'Address' },
      {
        label: 'port',
        title: 'Port',
        link: lib.link(
          'Port in depth',
          'sockstatd-port-in-depth',
          '&var-instance=${__data.fields.Instance}&var-side=server&var-port=${__value.text}'
        ),
      },
      { label: 'unit', title: 'Unit', width: 250 },
      { query: 'A', title: 'Waiting', unit: 'none', width: 80 },
      { query: 'B', title: 'Limit', unit: 'none', width: 80 },
      { query: 'C', title: 'Peak', unit: 'none', width: 80 },
      {
        query: 'D',
        title: 'Fullest',
        unit: 'percentunit',
        bar: 1,
        steps: [['green'], ['orange', near], ['red', 1]],
      },
      { query: 'E', title: 'Time full', unit: 'percentunit', steps: [['text'], ['red', 0.0001]] },
      { query: 'F', title: 'Oldest wait', unit: 's', steps: [['text'], ['orange', 0.5], ['red', 2]] },
      { query: 'G', title: 'Drops', unit: 'cps', steps: [['text'], ['red', 0.0001]] },
      { query: 'H', title: 'Dropped', unit: 'none', decimals: 0, steps: [['text'], ['orange', 0.5]] },
      { query: 'I', title: 'Last drop', unit: 'dateTimeFromNow', width: 150 },
    ],
    [
      lib.tableTarget(
        |||
          max by (%s, unit) (
            %s
            * on (%s, address, port) group_left (unit)
              %s
          )
        ||| % [listener, metric('accept_queue_length'), c.instanceLabels, metric('info')]
      ),
      column(metric('accept_queue_limit')),
      column(metric('accept_queue_peak')),
      column(metric('accept_queue_peak_ratio')),
      column(rate('accept_queue_full_seconds_total')),
      column(metric('unaccepted_oldest_seconds')),
      column(rate('drops_total')),
      column('increase(%s[$__range])' % metric('drops_total')),
      column(metric('last_drop_timestamp_seconds') + ' * 1000'),
    ],
    'Fullest',
  ),

  local history = lib.stateTimeline(
    'How full, and when',
    'Each listener by its peak: the fullest that any of its sockets was within the peak window. ' +
    'The queue is read ten times a second, so that a burst between two scrapes shows.',
    'percentunit',
    [target('topk(20, max by (address, port) (%s))' % metric('accept_queue_peak_ratio'), name)],
    [['green'], ['yellow', 0.5], ['orange', near], ['red', 1]],
  ),

  local queue = [
    lib.timeseries(
      'Waiting for accept()',
      'Connections in the queues of the five listeners with most, now, and the largest number ' +
      'within the peak window.',
      'short',
      [
        target(five(metric('accept_queue_length')) + ' > 0', name + ' now'),
        target(five(metric('accept_queue_peak')) + ' > 0', name + ' peak'),
      ],
    ) + lib.nothing('nobody waits'),
    lib.timeseries(
      'Share of time full',
      'Of 100%, how much of the time at least one socket of the listener had a full queue. ' +
      'Listeners that were never full are not drawn.',
      'percentunit',
      [target(positive(rate('accept_queue_full_seconds_total')), name)],
    ) + lib.limited(1) + lib.nothing('never full'),
    lib.timeseries(
      'Longest wait',
      'How long the oldest connection in each queue has waited, at least: since the client last ' +
      'acknowledged something.',
      's',
      [target(five(metric('unaccepted_oldest_seconds')) + ' > 0', name)],
    ) + lib.nothing('nobody waits'),
    lib.timeseries(
      'Dropped because a queue was full',
      'Connection attempts that the kernel dropped for it. A client that tries again is counted ' +
      'again.',
      'cps',
      [target(positive(rate('drops_total')), name)],
    ) + lib.bars + lib.nothing('no drops'),
    lib.timeseries(
      'Other drops',
      'The rest of what the kernel counts as drops of a listener: half-open probes, stray RST, ' +
      'scans. None of it is a fault of the program.',
      'cps',
      [target(positive(rate('stray_drops_total')), name)],
    ) + lib.bars + lib.nothing('none'),
    lib.timeseries(
      'Gave up waiting',
      'Connections in the queue whose client has closed its end, or has reset. The program will ' +
      'accept them all the same; of those that were reset nobody is there any more.',
      'short',
      [
        target(positive(metric('unaccepted_closed')), name + ' closed'),
        target(positive(metric('unaccepted_reset')), name + ' reset'),
      ],
    ) + lib.nothing('nobody gave up'),
  ],

  local handshakes = [
    lib.timeseries(
      'Handshakes under way',
      'Requests for which the last ACK of the handshake has not come (SYN_RECV). Many of them ' +
      'while the accept queue has room are a flood, or clients that do not get our answers.',
      'short',
      [target(five(metric('syn_queue_length')), name)],
    ),
    lib.timeseries(
      'Handshakes answered again',
      'Those of them to which the SYN-ACK was sent more than once. Of the extended profile.',
      'short',
      [target(five(metric('syn_queue_retransmitting')), name)],
    ),
    lib.timeseries(
      'Listening sockets',
      'More than one with SO_REUSEPORT; 0 where a listener has closed within ten minutes.',
      'short',
      [target(five(metric('sockets')), name)],
    ),
  ],

  local fill = [
    lib.heatmap(
      'How full the queues are found',
      'Length over limit of every listening socket chosen, each time it is read. A band at the ' +
      'bottom with specks at the top is a queue that is too short for its bursts; a band at the ' +
      'top is a program that does not keep up. Of the extended profile.',
      'percentunit',
      [lib.cellsTarget('sockstat_listener_accept_queue_fill_ratio', s)],
    ),
    lib.timeseries(
      'UNIX accept queues',
      'The five fullest UNIX listeners, as shares of their limits. Of the extended profile.',
      'percentunit',
      [target(
        |||
          topk(5,
            max by (path) (
              sockstat_unix_listener_accept_queue_peak{%(s)s}
              / (sockstat_unix_listener_accept_queue_limit{%(s)s} + 1)
            )
          )
        ||| % { s: lib.selector },
        '{{path}}'
      )],
      12,
      9
    ) + lib.limited(1),
  ],

  local limit(title, description, name) = lib.stat(
    title, description, 'none', [target('max(sockstat_limit_%s{%s})' % [name, lib.selector])], [['text']], 6, 3
  ) + { options+: { graphMode: 'none' } },
  local limits = [
    limit(
      'net.core.somaxconn',
      'No listener has a longer accept queue than this, whatever it gives to listen().',
      'somaxconn'
    ),
    limit(
      'net.ipv4.tcp_max_syn_backlog',
      'Where cookies are off, a listener that has three quarters of so many handshakes takes more ' +
      'only of peers that the host knows. No listener has more than its backlog.',
      'tcp_max_syn_backlog'
    ),
    limit(
      'net.ipv4.tcp_syncookies',
      'Whether a full queue of handshakes is answered with cookies: 0 never, 1 when it is full, ' +
      '2 always.',
      'tcp_syncookies'
    ),
    limit(
      'net.ipv4.tcp_abort_on_overflow',
      'What a full accept queue does to a client: 0 lets it try again, 1 resets it.',
      'tcp_abort_on_overflow'
    ),
  ],

  grafanaDashboards+:: {
    'sockstatd-accept-queues.json': lib.dashboard(
      c,
      'sockstatd-accept-queues',
      'Accept queues',
      'Which listener keeps its clients waiting or drops them, whose it is, and why.',
      [variables.job, variables.instance(first=true), variables.listenerPort],
      [
        lib.row('', [listeners, history]),
        lib.row('Queues', queue),
        lib.row('Handshakes', handshakes),
        lib.row('Fill', fill),
        lib.row('Limits in force', limits),
      ],
      variables.annotations,
    ),
  },
}
