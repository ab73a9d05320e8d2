#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fifty daemons, each in a network namespace of its own, and one Prometheus with the rules that are
shipped: no scrape fails, and the rules tell the host where something is wrong from the rest."""
import os
import re
import shutil
import unittest

import daemon
import namespace
import prometheus
import truth

HOSTS = 50
SICK = 7
FIRST_PORT = 20000
FULL, TALK = 8080, 8443
PATIENCE_SECONDS = 60
DASHBOARDS = os.environ.get('DASHBOARDS', '')
CONFIG = 'poll: {sockets: 1s}\n'
SCRAPE = f'''
global: {{scrape_interval: 5s, scrape_timeout: 5s, evaluation_interval: 1s}}
rule_files: ["{DASHBOARDS}/rules.yaml", "{DASHBOARDS}/alerts.yaml"]
scrape_configs:
  - job_name: sockstatd
    static_configs:
''' + ''.join(f'''      - targets: ["127.0.0.1:{FIRST_PORT + i}"]
        labels: {{instance: host{i}}}
''' for i in range(HOSTS))
# The kernel tells its levels in the initial namespace alone.
OF_THE_HOST = {'instance:sockstat_tcp_memory_pressure:ratio'}
DROPS = 'instance:sockstat_listener_drops:rate5m'


def records():
    """The names of the recording rules that have data here."""
    with open(os.path.join(DASHBOARDS, 'rules.yaml'), encoding='utf-8') as f:
        return set(re.findall(r'record: "(.*)"', f.read())) - OF_THE_HOST


class Host:
    """A namespace with a listener whose queue is full, and a connection that talks."""

    def __init__(self, case, number):
        self.port = FIRST_PORT + number
        with namespace.elsewhere() as self.namespace:
            self.full = case.keep(namespace.IPV4.listen(FULL, backlog=0))
            case.keep(namespace.IPV4.connect(FULL))
            _, self.client, self.accepted = case.keep(*namespace.IPV4.pair(TALK))
        case.addCleanup(os.close, self.namespace)
        self.daemon = case.daemon(
            CONFIG, flags=('--web.systemd-socket',), wait=None,
            wrap=('systemd-socket-activate', '-l', f'127.0.0.1:{self.port}',
                  'nsenter', f'--net=/proc/{os.getpid()}/fd/{self.namespace}'))

    def is_ready(self):
        """Whether it has polled: the first who asks has it started."""
        return daemon.get('/-/ready', self.port)[0] == 200

    def talk(self):
        """So that there are segments, and times."""
        self.client.send(b'question')
        self.accepted.recv(100)

    def overflow(self, case):
        """Somebody for whom the queue has no room."""
        with namespace.elsewhere(self.namespace):
            case.keep(namespace.IPV4.connect(FULL, wait=False))


@unittest.skipUnless(os.environ.get('PROMETHEUS') and shutil.which('systemd-socket-activate') and
                     shutil.which('nsenter'), 'Prometheus, systemd or nsenter is missing')
class Fleet(truth.Case):
    """All of them at once."""

    def wait_scrapes(self, p, hosts, count):
        """Until each was scraped so many times, talking meanwhile."""
        def scraped():
            for host in hosts:
                host.talk()
            return p.query(f'min(count_over_time(up[1h])) >= {count} and count(up) == {HOSTS}')
        p.wait(scraped, f'{count} scrapes of each', PATIENCE_SECONDS)

    def test_no_scrape_fails_and_the_rules_tell_them_apart(self):
        hosts = [Host(self, number) for number in range(HOSTS)]
        for host in hosts:
            host.daemon.wait_until(host.is_ready, 'it to be ready')
        with prometheus.Prometheus(hosts[0].daemon.directory, SCRAPE) as p:
            self.wait_scrapes(p, hosts, 2)
            self.assertEqual(p.query(f'{DROPS} > 0'), [])
            hosts[SICK].overflow(self)
            found = p.wait_query(f'{DROPS} > 0')
            self.assertEqual([one['metric']['instance'] for one in found], [f'host{SICK}'])
            of_the_job = f'job_port:sockstat_listener_drops:rate5m{{port="{FULL}"}} > 0'
            self.assertEqual(len(p.wait_query(of_the_job)), 1)
            self.wait_scrapes(p, hosts, 5)
            for name in records():
                with self.subTest(name):
                    found = {one['metric'].get('instance') for one in p.query(name)}
                    self.assertEqual(len(found), HOSTS if name.startswith('instance') else 1)
            self.assertEqual(p.query('min_over_time(up[1h]) == 0'), [],
                             'a scrape that failed')
            self.assertEqual(p.query('ALERTS{alertname=~"SockstatdDown|SockstatdStale"}'), [])
        for host in hosts:
            host.daemon.stop()


if __name__ == '__main__':
    truth.main()
