// SPDX-License-Identifier: Apache-2.0
// Fleet: which hosts and which ports are worst. What grows with hosts times ports comes from the
// recording rules, so that a thousand hosts are a thousand series and not a million.
local lib = import 'lib.libsonnet';
local variables = import 'variables.libsonnet';

{
  local c = $._config,
  local s = lib.selector,
  local ports = s + ', port=~"$port"',
  local target = lib.target,
  local top(expr) = 'topk($top, %s)' % expr,
  local host(name) = 'max by (instance) (instance:%s{%s})' % [name, s],
  local hostColumn(expr) = lib.tableTarget('max by (instance) (%s)' % expr),
  local recorded(name) = '%s{%s}' % [name, ports],
  local established =
    'instance_side_port_state:sockstat_tcp_sockets:sum{%s, state="established"}' % ports,
  local rtt = recorded('instance_side_port:sockstat_tcp_rtt_seconds:p99_rate5m'),
  local sentAgain =
    recorded('instance_side_port:sockstat_tcp_retransmitted_segments:ratio_rate5m'),
  local ratioSteps = [['text'], ['orange', c.retransmitRatio / 2], ['red', c.retransmitRatio]],
  local toOverview = lib.link('Overview', 'sockstatd-overview', '&var-instance=${__value.text}'),
  // A graph whose lines lead to the overview of the host.
  local leading = {
    fieldConfig+: {
      defaults+: {
        links: [lib.link(
          'Overview of ${__field.labels.instance}',
          'sockstatd-overview',
          '&var-instance=${__field.labels.instance}'
        )],
      },
    },
  },

  local figures = [
    lib.stat(
      'Hosts reached',
      'Daemons that Prometheus reaches.',
      'short',
      [target('sum(up{%s})' % s)],
      [['text']],
      4
    ),
    lib.stat(
      'Not reached',
      'Daemons that Prometheus is to scrape and does not reach.',
      'short',
      [target('count(up{%s} == 0) or vector(0)' % s)],
      [['green'], ['red', 1]],
      4
    ),
    lib.stat(
      'Alerts',
      'How many alerts of alerts.yaml fire, on all hosts. Always 0 where they are not loaded.',
      'short',
      [target('count(ALERTS{%s, alertname=~"Sockstatd.+", alertstate="firing"}) or vector(0)' % s)],
      [['green'], ['red', 1]],
      4
    ),
    lib.stat(
      'Hosts that drop',
      'Hosts on which a full queue dropped a connection within five minutes.',
      'short',
      [target('count(instance:sockstat_listener_drops:rate5m{%s} > 0) or vector(0)' % s)],
      [['green'], ['red', 1]],
      4
    ),
    lib.stat(
      'Connections',
      'Established, on all hosts. One between two of them is counted at both ends.',
      'short',
      [target('sum(%s)' % established)],
      [['text']],
      4
    ),
    lib.stat(
      'Oldest data',
      'How long ago the last good poll of the host that is furthest behind was.',
      's',
      [target('max(time() - sockstatd_poll_last_success_timestamp_seconds{%s})' % s)],
      [['green'], ['orange', 30], ['red', 120]],
      4
    ),
  ],

  local hosts = lib.table(
    'Hosts',
    'One row for each host, by its worst listener, port and destination. A host leads to its ' +
    'overview.',
    [
      { label: 'instance', title: 'Host', link: toOverview },
      { label: 'version', title: 'Version' },
      { query: 'J', title: 'Reached', unit: 'bool_yes_no', steps: [['red'], ['text', 1]] },
      { query: 'A', title: 'Alerts', unit: 'short', steps: [['text'], ['red', 1]] },
      { query: 'C', title: 'Drops', unit: 'cps', steps: [['text'], ['red', 0.0001]] },
      {
        query: 'D',
        title: 'Fullest queue',
        unit: 'percentunit',
        bar: 1,
        steps: [['green'], ['orange', c.acceptQueueNearRatio], ['red', 1]],
      },
      {
        query: 'E',
        title: 'Longest wait',
        unit: 's',
        steps: [['text'], ['orange', 0.5], ['red', 2]],
      },
      { query: 'F', title: 'Sent again', unit: 'percentunit', steps: ratioSteps },
      {
        query: 'G',
        title: 'Ephemeral ports',
        unit: 'percentunit',
        bar: 1,
        steps: [['green'], ['orange', 0.6], ['red', c.ephemeralPortsRatio]],
      },
      {
        query: 'H',
        title: 'TCP memory',
        unit: 'percentunit',
        bar: 1,
        steps: [['green'], ['orange', 0.7], ['red', 1]],
      },
      { query: 'I', title: 'Connections', unit: 'short' },
    ],
    [
      lib.tableTarget(
        'count by (instance) (ALERTS{%s, alertname=~"Sockstatd.+", alertstate="firing"})' % s
      ),
      lib.tableTarget('max by (instance, version) (sockstatd_build_info{%s})' % s),
      hostColumn('instance:sockstat_listener_drops:rate5m{%s}' % s),
      hostColumn('instance:sockstat_listener_accept_queue_peak_ratio:max{%s}' % s),
      hostColumn('instance:sockstat_listener_unaccepted_oldest_seconds:max{%s}' % s),
      hostColumn('instance:sockstat_netstat_tcp_retransmitted_segments:ratio_rate5m{%s}' % s),
      hostColumn('instance:sockstat_tcp_ephemeral_ports_used:ratio{%s}' % s),
      hostColumn('instance:sockstat_tcp_memory_pressure:ratio{%s}' % s),
      lib.tableTarget('sum by (instance) (%s)' % established),
      hostColumn('up{%s}' % s),
    ],
    'Fullest queue',
    24,
    9,
  ),

  local worst = [
    lib.timeseries(
      'Drops by full queues',
      'Connection attempts that the listeners of a host dropped, of the hosts that drop most.',
      'cps',
      [target(top(host('sockstat_listener_drops:rate5m')) + ' > 0', '{{instance}}')],
    ) + leading + lib.nothing('no drops'),
    lib.timeseries(
      'Fullest accept queues',
      'The peak of the fullest listener of a host, of the worst hosts.',
      'percentunit',
      [target(top(host('sockstat_listener_accept_queue_peak_ratio:max')), '{{instance}}')],
    ) + lib.limited(1) + leading,
    lib.timeseries(
      'Longest waits for accept()',
      'How long the oldest connection of a host has waited for its program, of the worst hosts.',
      's',
      [target(top(host('sockstat_listener_unaccepted_oldest_seconds:max')), '{{instance}}')],
    ) + leading,
    lib.timeseries(
      'Segments sent again',
      'Share of the segments of a host that are retransmits, of the worst hosts. Where all of ' +
      'them rise together it is the network.',
      'percentunit',
      [target(
        top(host('sockstat_netstat_tcp_retransmitted_segments:ratio_rate5m')), '{{instance}}'
      )],
    ) + lib.lines([['transparent'], ['red', c.retransmitRatio]]) + leading,
    lib.timeseries(
      'Ephemeral ports',
      'Share of the local ports that are in use towards one destination, of the worst hosts.',
      'percentunit',
      [target(top(host('sockstat_tcp_ephemeral_ports_used:ratio')), '{{instance}}')],
    ) + lib.lines([['transparent'], ['red', c.ephemeralPortsRatio]]) + leading,
    lib.timeseries(
      'TCP memory',
      'Share of the level of net.ipv4.tcp_mem from which windows shrink, of the worst hosts.',
      'percentunit',
      [target(top(host('sockstat_tcp_memory_pressure:ratio')), '{{instance}}')],
    ) + leading,
  ],

  local byPort = lib.table(
    'Ports',
    'One row for each port, as server and as client, over all hosts. A port leads to its depth.',
    [
      { label: 'side', title: 'Side' },
      {
        label: 'port',
        title: 'Port',
        link: lib.link(
          'Port in depth',
          'sockstatd-port-in-depth',
          '&${instance:queryparam}&var-side=${__data.fields.Side}&var-port=${__value.text}'
        ),
      },
      { query: 'A', title: 'Hosts', unit: 'short' },
      { query: 'B', title: 'Connections', unit: 'short' },
      { query: 'C', title: 'Sent', unit: 'Bps' },
      { query: 'D', title: 'Received', unit: 'Bps' },
      { query: 'E', title: 'Median RTT p99', unit: 's' },
      { query: 'F', title: 'Worst RTT p99', unit: 's' },
      { query: 'G', title: 'Worst sent again', unit: 'percentunit', steps: ratioSteps },
    ],
    [
      lib.tableTarget('count by (side, port) (%s)' % established),
      lib.tableTarget('sum by (side, port) (%s)' % established),
      lib.tableTarget(
        'sum by (side, port) (%s)' % recorded('instance_side_port:sockstat_tcp_sent_bytes:rate5m')
      ),
      lib.tableTarget(
        'sum by (side, port) (%s)' %
        recorded('instance_side_port:sockstat_tcp_received_bytes:rate5m')
      ),
      lib.tableTarget('quantile by (side, port) (0.5, %s)' % rtt),
      lib.tableTarget('max by (side, port) (%s)' % rtt),
      lib.tableTarget('max by (side, port) (%s)' % sentAgain),
    ],
    'Connections',
  ),

  local acrossHosts = [
    lib.timeseries(
      'Drops by port',
      'Connection attempts that full queues dropped, by port, over all hosts: a fault of the ' +
      'service rather than of a host.',
      'cps',
      [target(
        top('sum by (port) (%s)' % recorded('instance_address_port:sockstat_listener_drops:rate5m'))
        + ' > 0',
        '{{port}}'
      )],
    ) + lib.nothing('no drops'),
    lib.timeseries(
      'Slowest ports',
      '99th percentile of the round-trip time, of the slowest ports of all hosts.',
      's',
      [target(top(rtt), '{{instance}} {{side}} {{port}}')],
    ) + leading,
    lib.timeseries(
      'Ports that send most again',
      'Share of the segments of a port of a host that are retransmits, of the worst.',
      'percentunit',
      [target(top(sentAgain), '{{instance}} {{side}} {{port}}')],
    ) + lib.lines([['transparent'], ['red', c.retransmitRatio]]) + leading,
  ],

  grafanaDashboards+:: {
    'sockstatd-fleet.json': lib.dashboard(
      c,
      'sockstatd-fleet',
      'Fleet',
      'The worst hosts and ports of all. It needs the recording rules of rules.yaml.',
      [
        variables.job,
        variables.instance(),
        variables.recordedPort,
        lib.choice('top', 'Top', 'How many of the worst are drawn.', ['5', '10', '20', '50']),
      ],
      [
        lib.row('', figures + [hosts]),
        lib.row('Worst hosts', worst),
        lib.row('Ports across hosts', [byPort] + acrossHosts),
      ],
      [],
      'now-6h',
    ),
  },
}
