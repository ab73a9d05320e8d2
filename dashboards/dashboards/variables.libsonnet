// SPDX-License-Identifier: Apache-2.0
// What is chosen at the top of ours, and what is marked on their graphs.
local lib = import 'lib.libsonnet';

{
  job: lib.variable(
    'job',
    'Job',
    'The scrape job.',
    'label_values(sockstatd_build_info, job)',
  ),
  instance(first=false): lib.variable(
    'instance',
    'Instance',
    'Hosts. Where several are chosen, counts are of all of them, and ratios of the worst.',
    'label_values(sockstatd_build_info{job=~"$job"}, instance)',
    first,
  ),
  port(description, first=false): lib.variable(
    'port',
    'Port',
    description,
    'label_values(sockstat_tcp_sockets{%s}, port)' % lib.selector,
    first,
  ) + { sort: 3 },
  listenerPort: lib.variable(
    'port',
    'Port',
    'Of a listener.',
    'label_values(sockstat_listener_info{%s}, port)' % lib.selector,
  ) + { sort: 3 },
  recordedPort: lib.variable(
    'port',
    'Port',
    'Narrows what is shown by port. The figures of hosts are of all ports.',
    'label_values(instance_side_port_state:sockstat_tcp_sockets:sum{%s}, port)' % lib.selector,
  ) + { sort: 3 },
  side: lib.variable(
    'side',
    'Side',
    'server: connections to this host. client: connections from it, by the port they go to.',
    'label_values(sockstat_tcp_sockets{%s}, side)' % lib.selector,
  ),

  // What a state always looks like.
  stateColors:: {
    established: 'green',
    listen: 'dark-green',
    time_wait: 'blue',
    close_wait: 'red',
    syn_sent: 'orange',
    syn_recv: 'yellow',
    fin_wait1: 'light-purple',
    fin_wait2: 'purple',
    last_ack: 'dark-purple',
    closing: 'light-blue',
  },

  annotations: [
    lib.annotation(
      'Restarts',
      'orange',
      'process_start_time_seconds{%s} * 1000' % lib.selector,
      'sockstatd started',
    ),
    lib.annotation(
      'Reloads',
      'blue',
      'sockstatd_config_last_reload_success_timestamp_seconds{%s} * 1000' % lib.selector,
      'sockstatd read its configuration',
    ),
  ],
}
