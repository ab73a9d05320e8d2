#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The histograms of sockets: who is observed, how often, and with which value."""
import bisect
import re

import daemon
import namespace
import sstool
import truth

# Wide enough that a test can act between two polls and both its ends are clear of them.
PACED = 'poll: {listeners: 50ms, sockets: 200ms, cpu_limit: 1}\nmetrics: {profile: extended}\n'
HISTOGRAMS = {
    'rtt_seconds': lambda row: row.number('rtt') / 1e3,
    'congestion_window_segments': lambda row: row.number('cwnd'),
    'min_rtt_seconds': lambda row: row.number('minrtt') / 1e3,
    'rtt_variation_seconds': lambda row: row.part('rtt', 1) / 1e3,
}


def grown(before, after, name, **labels):
    """[(bound, growth of its bucket alone)], growth of the sum, growth of the count."""
    def buckets(scrape):
        return scrape.buckets(name, **labels)
    cumulative = [(bound, count - (dict(buckets(before)).get(bound, 0)))
                  for bound, count in buckets(after)]
    alone, below = [], 0
    for bound, count in cumulative:
        alone.append((bound, count - below))
        below = count
    total = (after.value(name + '_sum', **labels) or 0) - (before.value(name + '_sum', **labels)
                                                           or 0)
    return alone, total, below


def quantile(buckets, q):
    """The upper bound of the bucket in which the quantile lies, from counts of each bucket."""
    rank = q * sum(count for _, count in buckets)
    below = 0
    for bound, count in buckets:
        below += count
        if below >= rank and below:
            return bound
    return None


class Histograms:
    """One active socket of a family."""

    family = None

    def test_an_active_socket_is_observed_once_with_what_ss_shows(self):
        port = self.family.base
        d = self.daemon(PACED)
        _, client, accepted = self.keep(*self.family.pair(port))
        d.wait_polls()
        before = d.wait_polls(count=1)
        client.send(b'x')
        accepted.recv(1)
        after = d.wait_polls(count=3)
        row = next(row for row in sstool.rows() if row.remote.port == port)
        for name, value in HISTOGRAMS.items():
            with self.subTest(name):
                self.assert_one_observation(before, after, name, value(row), port)
        d.stop()

    def assert_one_observation(self, before, after, name, value, port):
        name = 'sockstat_tcp_' + name
        alone, total, count = grown(before, after, name, side='client', port=str(port))
        self.assertEqual(count, 1)
        self.assertAlmostEqual(total, value, places=9)
        bounds = [bound for bound, _ in alone]
        # A value that equals a bound belongs to its bucket.
        place = bisect.bisect_left(bounds, round(value, 9))
        self.assertEqual([n for _, n in alone], [int(i == place) for i in range(len(bounds))])
        received = grown(before, after, name, side='server', port=str(port))
        self.assertEqual(received[2], 0, 'a socket that only receives has no new sample')

    def assert_unobserved(self, before, after, port):
        for name in HISTOGRAMS:
            for side in ('client', 'server'):
                self.assertEqual(grown(before, after, 'sockstat_tcp_' + name, side=side,
                                       port=str(port))[2], 0, f'{name} {side}')

    def test_an_idle_socket_is_not_observed(self):
        d = self.daemon(PACED)
        before = d.wait_polls()
        _, client, accepted = self.keep(*self.family.pair(self.family.base))
        self.assert_unobserved(before, d.wait_polls(count=3), self.family.base)
        client.send(b'x')
        accepted.recv(1)
        before = d.wait_polls()
        self.assert_unobserved(before, d.wait_polls(count=3), self.family.base)
        d.stop()

    def test_a_socket_that_now_only_receives_is_not_observed(self):
        port = self.family.base
        d = self.daemon(PACED)
        _, client, accepted = self.keep(*self.family.pair(port))
        client.send(b'x')
        accepted.recv(1)
        before = d.wait_polls()
        for _ in range(3):
            accepted.send(b'x')
            client.recv(1)
            after = d.wait_polls(count=1)
        name = 'sockstat_tcp_rtt_seconds'
        self.assertEqual(grown(before, after, name, side='client', port=str(port))[2], 0)
        self.assertGreaterEqual(grown(before, after, name, side='server', port=str(port))[2], 2)
        d.stop()

    def test_data_that_nobody_acknowledges_are_no_sample(self):
        port = self.family.base
        d = self.daemon(PACED)
        _, client, _ = self.keep(*self.family.pair(port))
        namespace.drop(f'tcp dport {port}')
        before = d.wait_polls()
        client.send(b'x')
        self.assert_unobserved(before, d.wait_polls(count=3), port)
        d.stop()


class IPv4Histograms(Histograms, truth.Case):
    family = namespace.IPV4


class IPv6Histograms(Histograms, truth.Case):
    family = namespace.IPV6


class MappedHistograms(Histograms, truth.Case):
    family = namespace.MAPPED


class Crowd(truth.Case):
    """Many sockets at once."""

    def test_5000_idle_sockets_do_not_hide_25_slow_ones(self):
        family = namespace.IPV4
        listener = self.keep(family.listen(family.base, backlog=1000))
        for _ in range(5000):
            self.keep(*family.pair(family.base, listener)[1:])
        slow = [self.keep(*family.pair(family.base, listener)[1:]) for _ in range(25)]
        for client, _ in slow:
            namespace.delay_nothing(client)
        d = self.daemon(PACED)
        d.wait_polls()
        before = d.wait_polls()
        for _ in range(8):
            self.exchange(slow)
        after = d.wait_polls()
        alone, _, count = grown(before, after, 'sockstat_tcp_rtt_seconds', side='client',
                                port=str(family.base))
        self.assertGreaterEqual(count, 25)
        self.assertGreaterEqual(quantile(alone, 0.5), 0.01, alone)
        self.assertGreaterEqual(quantile(alone, 0.99), 0.02, alone)
        rtts = [row.number('rtt') for row in sstool.rows() if row.remote.port == family.base]
        self.assertLess(sorted(rtts)[len(rtts) // 2], 10, 'ms: the idle ones are fast')
        d.stop()

    def exchange(self, pairs):
        """One byte on each connection, acknowledged only when the receiver's delayed-ACK timer
        ends: a round trip of 40 ms without a slow network."""
        for client, accepted in pairs:
            namespace.delay_ack(accepted)
            client.send(b'x')
        daemon.eventually(lambda: not any(namespace.unacked_bytes(c) for c, _ in pairs),
                          'the acknowledgements')


class Bounds(truth.Case):
    """The bounds are those of the configuration."""

    def test_configured_buckets_are_used(self):
        family = namespace.IPV4
        d = self.daemon(PACED + 'histograms: {rtt_seconds: [2e-5, 0.5, 1]}\n')
        self.keep(*family.pair(family.base))
        scrape = d.wait_polls()
        bounds = re.findall(r'sockstat_tcp_rtt_seconds_bucket\{[^}]*le="([^"]+)"', scrape.text)
        self.assertEqual(set(bounds), {'2e-05', '0.5', '1.0', '+Inf'})
        d.stop()


if __name__ == '__main__':
    truth.main()
