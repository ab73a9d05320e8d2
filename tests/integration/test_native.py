#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Native histograms, as a real Prometheus reads them of the protobuf format."""
import math
import tempfile

import daemon
import exposition
import namespace
import prometheus
import sstool
import truth

# The sockets lane polls when it is told to, by a reload.
CONFIG = ('poll: {listeners: 1s, sockets: 60s, cpu_limit: 1}\n'
          'metrics: {profile: extended}\n'
          'histograms: {native: true}\n')
SCRAPE = f'''
global: {{scrape_interval: 250ms, scrape_timeout: 250ms}}
scrape_configs:
  - job_name: sockstatd
    static_configs: [{{targets: ["127.0.0.1:{daemon.PORT}"]}}]
'''
CONNECTIONS = 60
PORT = 8080
SELECTOR = f'{{side="client", port="{PORT}"}}'
# Eight buckets for each doubling.
ERROR = 2 ** (1 / 8)
VALUES = {
    'sockstat_tcp_rtt_seconds': lambda row: row.number('rtt') / 1e3,
    'sockstat_tcp_congestion_window_segments': lambda row: row.number('cwnd'),
    'sockstat_tcp_min_rtt_seconds': lambda row: row.number('minrtt') / 1e3,
    'sockstat_tcp_rtt_variation_seconds': lambda row: row.part('rtt', 1) / 1e3,
}


def exact(values, q):
    """The smallest of the values that a share Q of them does not exceed."""
    return sorted(values)[max(math.ceil(q * len(values)), 1) - 1]


class Native(truth.Case):
    """A daemon whose histograms are native, and a Prometheus that wants such."""

    def setUp(self):
        super().setUp()
        self.d = self.daemon(CONFIG)
        self.directory = self.enterContext(tempfile.TemporaryDirectory())
        self.prometheus = self.enterContext(prometheus.Prometheus(
            self.directory, SCRAPE, '--enable-feature=native-histograms'))

    def tearDown(self):
        self.d.stop()
        super().tearDown()

    def talk(self):
        """Connections that have said more or less, so that no two are alike; as ss shows them when
        the poll has seen all."""
        listener = self.keep(namespace.IPV4.listen(PORT))
        ends = [self.keep(*namespace.IPV4.pair(PORT, listener)[1:]) for _ in range(CONNECTIONS)]
        self.poll()
        for number, (client, accepted) in enumerate(ends):
            for _ in range(1 + number % 7):
                client.sendall(b'x' * (1 + 997 * number))
                received = 0
                while received < 1 + 997 * number:
                    received += len(accepted.recv(1 << 20))
                accepted.send(b'y')
                client.recv(1)
        self.poll()
        return [row for row in sstool.rows() if row.remote.port == PORT]

    def poll(self):
        """Has the sockets lane poll once more."""
        polls = self.d.scrape().value('sockstatd_polls_total', lane='sockets')
        self.d.reload(CONFIG)
        daemon.eventually(lambda: self.d.scrape().value('sockstatd_polls_total', lane='sockets')
                          > polls, 'a poll')

    def value(self, expression):
        """The one value of a query, when there is one."""
        return float(self.prometheus.wait_query(expression)[0]['value'][1])

    def test_quantiles_agree_with_the_exact_ones(self):
        rows = self.talk()
        self.assertEqual(len(rows), CONNECTIONS)
        for name, read in VALUES.items():
            values = [read(row) for row in rows]
            self.prometheus.wait_query(f'histogram_count({name}{SELECTOR}) == {CONNECTIONS}')
            self.assertAlmostEqual(self.value(f'histogram_sum({name}{SELECTOR})'), sum(values),
                                   places=6)
            for q in (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1):
                with self.subTest(name, q=q):
                    found = self.value(f'histogram_quantile({q}, {name}{SELECTOR})')
                    self.assertLessEqual(found, exact(values, q) * ERROR * (1 + 1e-9))
                    self.assertGreaterEqual(found, exact(values, q) / ERROR * (1 - 1e-9))

    def test_nothing_is_lost_on_the_way(self):
        self.talk()
        self.prometheus.wait_query(
            f'histogram_count(sockstat_tcp_rtt_seconds{SELECTOR}) == {CONNECTIONS}')
        families = exposition.parse(daemon.get('/metrics')[2])
        for family in families.values():
            names = family.name + '(_bucket|_sum|_count)?'
            shown = self.prometheus.query(f'count({{__name__=~"{names}"}})')
            native = family.type == 'histogram' and family.name.startswith('sockstat_')
            samples = [s for s in family.samples if not native or s[0].endswith('_count')]
            # A request may have had an answer that was the first of its kind.
            if family.name != 'sockstatd_http_requests_total':
                self.assertEqual(int(shown[0]['value'][1]) if shown else 0, len(samples),
                                 family.name)

    def test_off_there_are_the_classic_ones(self):
        bucket = f'sockstat_tcp_rtt_seconds_bucket{SELECTOR}'
        self.talk()
        self.prometheus.wait_query('sockstat_tcp_rtt_seconds')
        self.assertEqual(self.prometheus.query(bucket), [], 'Prometheus 2 keeps one of both')
        self.d.reload(CONFIG.replace('native: true', 'native: false'))
        self.prometheus.wait_query(bucket)


if __name__ == '__main__':
    truth.main()
