#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every query of every dashboard returns data: a real Prometheus, with the rules that are shipped,
scrapes two daemons. One is in a namespace where everything happens that a dashboard draws, the other
where the tests were started from: some counts and limits the kernel has only there."""
import math
import os
import re
import shutil
import unittest

import daemon
import grafana
import load
import prometheus
import truth

DASHBOARDS = os.environ.get('DASHBOARDS', '')
# Before any test moves elsewhere.
HOME = os.open('/proc/self/ns/net', os.O_RDONLY)
HOME_IS_INITIAL = os.path.exists('/proc/sys/net/ipv4/tcp_mem')
HOME_PORT = 17626
CONFIG = f'''
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: [alerts.yaml, rules.yaml]
scrape_configs:
  - job_name: sockstatd
    static_configs:
      - {{targets: ["127.0.0.1:{daemon.PORT}"], labels: {{instance: here}}}}
      - {{targets: ["127.0.0.1:{HOME_PORT}"], labels: {{instance: home}}}}
      - {{targets: ["127.0.0.1:1"], labels: {{instance: gone}}}}
'''
# Views and peers, so that a sum that forgets them shows.
EXTENDED = daemon.FAST + f'''
metrics: {{profile: extended}}
views: [{{name: talk, filter: "sport = :{load.TALK} or dport = :{load.TALK}"}}]
peers: [{{name: loopback, prefixes: [127.0.0.0/8]}}]
'''
# What one daemon alone knows, and what it needs a daemon outside its namespace for.
HERE, HOST, ALL = 'here|gone', 'home', 'here|home|gone'
OF_THE_HOST = {
    'sockstatd / Fleet / Hosts / H',
    'sockstatd / Fleet / TCP memory / A',
    'sockstatd / Overview / Memory of TCP and its levels / B',
    'sockstatd / Overview / TCP memory / A',
    'sockstatd / Overview / TIME_WAIT and orphans / B',
}
WINDOW_SECONDS = 60
PATIENCE_SECONDS = 30


def values(board, instance):
    """What stands for each variable: all there is, of these instances."""
    found = {'__rate_interval': '4s', '__range': f'{WINDOW_SECONDS}s', 'job': '.+'}
    for name, variable in grafana.variables(board).items():
        found.setdefault(name, variable.get('allValue') or variable['query'].split(',')[0])
    return {**found, 'instance': instance}


@unittest.skipUnless(os.environ.get('PROMETHEUS') and shutil.which('systemd-socket-activate') and
                     shutil.which('nsenter'), 'Prometheus, systemd or nsenter is missing')
class Dashboards(truth.Case):
    """All of them at once, since what they wait for is the same."""

    def setUp(self):
        super().setUp()
        self.boards = grafana.boards(os.path.join(DASHBOARDS, 'dashboards_out'))

    def daemon_at_home(self):
        """One that sees what is there where the tests were started, and listens here."""
        wrap = ('systemd-socket-activate', '-l', f'127.0.0.1:{HOME_PORT}',
                'nsenter', f'--net=/proc/{os.getpid()}/fd/{HOME}')
        d = self.daemon(flags=('--web.systemd-socket',), wrap=wrap, wait=None)
        d.port = HOME_PORT
        return d

    def write_rules(self, directory):
        """Those that are shipped, but that nobody has five minutes to wait for an alert."""
        for name in ('alerts.yaml', 'rules.yaml'):
            with open(os.path.join(DASHBOARDS, name), encoding='utf-8') as f:
                text = re.sub(r'\bfor: "\w+"', 'for: "0s"', f.read())
            with open(os.path.join(directory, name), 'w', encoding='utf-8') as f:
                f.write(text)

    def result(self, p, board, panel, query, instance):
        """The series of a query. What it says where there is nothing is no data."""
        expression = query['expr'].removesuffix(' or vector(0)')
        series = p.query_range(grafana.expand(expression, values(board, instance)), WINDOW_SECONDS)
        least = 0 if panel and panel['type'] == 'heatmap' else -math.inf
        return [one for one in series
                if any(float(value) > least for _, value in one.get('values', ())) or
                any(float(native['count']) > 0 for _, native in one.get('histograms', ()))]

    def without_data(self, p, asked, instance):
        """The places of those queries that return nothing yet; asked again after each scrape."""
        def missing():
            left.difference_update([place for place in left
                                    if self.result(p, *asked[place], instance)])
            return not left
        left = set(asked)
        scraped = f'max(count_over_time(up{{instance=~"{instance}"}}[1h])) > '
        for scrapes in range(PATIENCE_SECONDS):
            p.wait_query(scraped + str(scrapes), PATIENCE_SECONDS)
            if missing():
                break
        return left

    def assert_names_differ(self, p):
        """No two lines of a graph have the same name: there is no label that a sum forgot."""
        for board in self.boards.values():
            for panel in grafana.panels(board):
                if panel['type'] not in ('timeseries', 'stat', 'state-timeline'):
                    continue
                names = [grafana.legend(target['legendFormat'], series['metric'])
                         for target in panel['targets']
                         for series in self.result(p, board, panel, target, ALL)]
                self.assertEqual(sorted(set(names)), sorted(names), panel['title'])

    def assert_variables_have_values(self, p):
        """Each that asks Prometheus, and asks it for what another has chosen."""
        for board in self.boards.values():
            for name, variable in grafana.variables(board).items():
                if variable['type'] == 'query':
                    asked = grafana.LABEL_VALUES.fullmatch(variable['definition'])
                    selector, label = asked.groups()
                    found = p.ask(f'label/{label}/values',
                                  **{'match[]': grafana.expand(selector, values(board, HERE))})
                    self.assertNotEqual(found, [], (board['title'], name))

    def test_every_query_returns_data(self):
        asked = {place: (board, panel, query) for board in self.boards.values()
                 for place, panel, query in grafana.queries(board)}
        self.assertEqual(len(asked), sum(len(list(grafana.queries(board)))
                                         for board in self.boards.values()), 'places differ')
        self.assertGreater(len(asked), 100)
        d = self.daemon(EXTENDED)
        home = self.daemon_at_home()
        self.write_rules(d.directory)
        with prometheus.Prometheus(d.directory, CONFIG) as p, load.Load() as traffic:
            here = {place: asked[place] for place in set(asked) - OF_THE_HOST}
            if not traffic.has_mptcp:
                del here['sockstatd / Port in depth / Orphans, and MPTCP / B']
            self.assertEqual(self.without_data(p, here, HERE), set())
            self.assert_variables_have_values(p)
            of_the_host = {place: asked[place] for place in OF_THE_HOST}
            for place, query in of_the_host.items():
                self.assertEqual(self.result(p, *query, HERE), [], place + ' needs no other daemon')
            if HOME_IS_INITIAL:
                self.assertEqual(self.without_data(p, of_the_host, HOST), set())
            self.assert_names_differ(p)
        d.stop()
        home.stop()
        if not HOME_IS_INITIAL:
            self.skipTest('what the kernel has in its initial network namespace alone')


    def test_native_histograms_serve_as_well(self):
        asked = {place: (board, panel, query) for board in self.boards.values()
                 for place, panel, query in grafana.queries(board)
                 if re.search('sockstat_[a-z_]+_bucket', query['expr'])}
        self.assertGreater(len(asked), 10)
        d = self.daemon(EXTENDED + 'histograms: {native: true}\n')
        self.write_rules(d.directory)
        with prometheus.Prometheus(d.directory, CONFIG, '--enable-feature=native-histograms') as p, \
                load.Load():
            self.assertEqual(self.without_data(p, asked, HERE), set())
            self.assertEqual(p.query('{__name__=~"sockstat_.*_bucket"}'), [], 'there are no others')
            recorded = 'instance_side_port:sockstat_tcp_rtt_seconds:p99_rate5m'
            self.assertNotEqual(p.wait_query(recorded), [])
        d.stop()


if __name__ == '__main__':
    truth.main()
