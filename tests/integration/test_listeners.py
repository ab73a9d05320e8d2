#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Listeners: length and limit as `ss -ltnm` shows them, drops as nstat does, and what stays of them
when they are closed."""
import time

import namespace
import sstool
import truth


class ListenerCase(truth.Case):
    """What the tests below ask of /metrics."""

    def of(self, scrape, name, family, port):
        """sockstat_listener_NAME of a family's listener, or None."""
        return scrape.value('sockstat_listener_' + name, address=family.label, port=str(port))

    def flood(self, family, port, count):
        """COUNT connections that nobody accepts and nobody waits for."""
        self.keep(*(family.connect(port, wait=False) for _ in range(count)))

    def leave(self):
        """All that is kept closes, and so repeats no SYN any more."""
        while self._kept:
            self._kept.pop().close()

    def drops_of(self, port):
        """The listener's `d` of `ss -m`."""
        return sum(row.skmem['drops'] for row in sstool.rows()
                   if row.state == 'listen' and row.local.port == port)

    def settled(self, d, port):
        """(ListenDrops, d of ss, scrape): the scrape shows a poll during which neither grew."""
        def attempt():
            before = sstool.netstat('TcpExtListenDrops'), self.drops_of(port)
            scrape = d.wait_polls('listeners')
            after = sstool.netstat('TcpExtListenDrops'), self.drops_of(port)
            return (*after, scrape) if before == after else None
        return d.wait_until(attempt, 'the drops to hold still for a poll')


class Overflow:
    """A listener of one family whose queue is full."""

    family = None

    def test_length_and_limit_are_those_of_ss(self):
        port = self.family.base
        self.keep(self.family.listen(port, backlog=2))
        self.flood(self.family, port, 6)
        d = self.daemon()
        rows, scrape = self.stable(d, 'listeners')
        row = next(row for row in rows if row.state == 'listen')
        self.assertEqual((row.receive_queue, row.send_queue), (3, 2))
        self.assertEqual(self.of(scrape, 'accept_queue_length', self.family, port), 3)
        self.assertEqual(self.of(scrape, 'accept_queue_limit', self.family, port), 2)
        self.assertEqual(self.of(scrape, 'accept_queue_peak', self.family, port), 3)
        self.assertEqual(self.of(scrape, 'accept_queue_peak_ratio', self.family, port), 1)
        self.assertEqual(self.of(scrape, 'sockets', self.family, port), 1)
        d.stop()

    def test_drops_grow_as_listen_drops_does(self):
        port = self.family.base
        d = self.daemon()
        self.keep(self.family.listen(port, backlog=2))
        scrape = d.wait_polls('listeners')
        self.assertEqual(self.of(scrape, 'drops_total', self.family, port), 0)
        self.assertEqual(self.of(scrape, 'stray_drops_total', self.family, port), 0)
        self.assertIsNone(self.of(scrape, 'last_drop_timestamp_seconds', self.family, port))
        for _ in range(3):
            self.flood(self.family, port, 10)
            listen_drops, of_socket, scrape = self.settled(d, port)
            self.assertGreater(listen_drops, 0)
            self.assertEqual(self.of(scrape, 'drops_total', self.family, port), listen_drops)
            self.assertEqual(self.of(scrape, 'drops_total', self.family, port)
                             + self.of(scrape, 'stray_drops_total', self.family, port), of_socket)
        self.assertAlmostEqual(self.of(scrape, 'last_drop_timestamp_seconds', self.family, port),
                               time.time(), delta=30)
        d.stop()

    def test_half_open_probes_are_stray_drops(self):
        port = self.family.base
        d = self.daemon()
        self.keep(self.family.listen(port))
        d.wait_polls('listeners')
        for n in range(100):
            namespace.half_open_probe(self.family, port, 20000 + n)
        listen_drops, of_socket, scrape = self.settled(d, port)
        self.assertEqual((listen_drops, of_socket), (0, 100))
        self.assertEqual(self.of(scrape, 'stray_drops_total', self.family, port), 100)
        self.assertEqual(self.of(scrape, 'drops_total', self.family, port), 0)
        self.assertIsNone(self.of(scrape, 'last_drop_timestamp_seconds', self.family, port))
        d.stop()

    def test_probes_of_one_and_overflow_of_another_are_told_apart(self):
        full, probed = self.family.base, self.family.base + 1
        d = self.daemon()
        self.keep(self.family.listen(full, backlog=2), self.family.listen(probed))
        self.flood(self.family, full, 3)
        d.wait_polls('listeners')
        self.flood(self.family, full, 7)
        for n in range(50):
            namespace.half_open_probe(self.family, probed, 20000 + n)
        listen_drops, _, scrape = self.settled(d, probed)
        self.assertGreaterEqual(listen_drops, 7)
        self.assertEqual(self.of(scrape, 'drops_total', self.family, full), listen_drops)
        self.assertEqual(self.of(scrape, 'drops_total', self.family, probed), 0)
        self.assertEqual(self.of(scrape, 'stray_drops_total', self.family, probed), 50)
        d.stop()

    def test_a_full_syn_queue_is_a_drop_too(self):
        port = self.family.base
        namespace.sysctl('ipv4.tcp_syncookies', 0)
        d = self.daemon()
        self.keep(self.family.listen(port, backlog=4))
        namespace.drop(f'tcp dport {port} tcp flags & (fin|syn|ack) == ack')
        # Of two listeners that are not full none goes first: so the other's drops must be past.
        d.wait_polls('listeners')
        self.flood(self.family, port, 30)
        listen_drops, of_socket, scrape = self.settled(d, port)
        self.assertGreater(listen_drops, 5)
        self.assertEqual(listen_drops, of_socket)
        self.assertEqual([self.of(scrape, name, self.family, port) for name in
                          ('drops_total', 'stray_drops_total', 'accept_queue_length')],
                         [listen_drops, 0, 0])
        d.stop()

    def test_a_listener_that_comes_back_keeps_its_drops(self):
        port = self.family.base
        d = self.daemon()
        listener = self.family.listen(port, backlog=1)
        d.wait_polls('listeners')
        self.flood(self.family, port, 6)
        self.leave()
        before, _, scrape = self.settled(d, port)
        self.assertEqual(self.of(scrape, 'drops_total', self.family, port), before)
        listener.close()
        gone = d.wait_polls('listeners')
        self.assertEqual(self.of(gone, 'drops_total', self.family, port), before)
        self.keep(self.family.listen(port, backlog=1))
        back = d.wait_polls('listeners')
        self.assertEqual(self.of(back, 'drops_total', self.family, port), before)
        self.flood(self.family, port, 6)
        _, of_socket, scrape = self.settled(d, port)
        self.assertGreater(of_socket, 0)
        self.assertEqual(self.of(scrape, 'drops_total', self.family, port), before + of_socket)
        d.stop()


class IPv4Overflow(Overflow, ListenerCase):
    family = namespace.IPV4


class IPv6Overflow(Overflow, ListenerCase):
    family = namespace.IPV6


class MappedOverflow(Overflow, ListenerCase):
    family = namespace.MAPPED


class Life(ListenerCase):
    """Birth and death of a listener."""

    family = namespace.IPV4

    def test_drops_from_before_the_daemon_are_a_baseline(self):
        port = self.family.base
        self.keep(self.family.listen(port, backlog=1))
        self.flood(self.family, port, 6)
        d = self.daemon()
        baseline = self.drops_of(port)
        before = d.wait_polls('listeners')
        self.assertGreaterEqual(baseline, 4)
        self.assertLess(self.of(before, 'drops_total', self.family, port), baseline)
        for n in range(20):
            namespace.half_open_probe(self.family, port, 20000 + n)
        _, _, scrape = self.settled(d, port)
        self.assertGreaterEqual(self.of(scrape, 'stray_drops_total', self.family, port)
                                + self.of(scrape, 'drops_total', self.family, port), 20)
        self.assertLess(self.of(scrape, 'stray_drops_total', self.family, port), 20 + baseline)
        d.stop()

    def test_a_listener_born_under_the_daemon_counts_from_0(self):
        port = self.family.base
        d = self.daemon('poll: {listeners: 300ms, cpu_limit: 1}\n')
        d.wait_polls('listeners', 1)
        self.keep(self.family.listen(port, backlog=1))
        for n in range(20):
            namespace.half_open_probe(self.family, port, 20000 + n)
        self.flood(self.family, port, 6)
        listen_drops, of_socket, scrape = self.settled(d, port)
        self.assertEqual(of_socket, listen_drops + 20)
        self.assertEqual(self.of(scrape, 'drops_total', self.family, port), listen_drops)
        self.assertEqual(self.of(scrape, 'stray_drops_total', self.family, port), 20)
        d.stop()

    def test_probes_and_overflow_of_one_listener_are_told_apart(self):
        port = self.family.base
        d = self.daemon('poll: {listeners: 300ms, cpu_limit: 1}\n')
        self.keep(self.family.listen(port, backlog=1))
        d.wait_polls('listeners')
        for n in range(20):
            namespace.half_open_probe(self.family, port, 20000 + n)
        self.flood(self.family, port, 6)
        listen_drops, of_socket, scrape = self.settled(d, port)
        self.assertEqual(of_socket, listen_drops + 20)
        self.assertEqual(self.of(scrape, 'drops_total', self.family, port), listen_drops)
        self.assertEqual(self.of(scrape, 'stray_drops_total', self.family, port), 20)
        d.stop()

    def test_probes_from_before_the_daemon_are_a_baseline(self):
        port = self.family.base
        self.keep(self.family.listen(port))
        for n in range(30):
            namespace.half_open_probe(self.family, port, 20000 + n)
        d = self.daemon()
        _, of_socket, scrape = self.settled(d, port)
        self.assertEqual(of_socket, 30)
        self.assertEqual(self.of(scrape, 'stray_drops_total', self.family, port), 0)
        namespace.half_open_probe(self.family, port, 21000)
        _, of_socket, scrape = self.settled(d, port)
        self.assertEqual(of_socket, 31)
        self.assertEqual(self.of(scrape, 'stray_drops_total', self.family, port), 1)
        d.stop()

    def test_a_listener_that_has_gone_keeps_info_and_counters(self):
        port = self.family.base
        d = self.daemon()
        listener = self.family.listen(port, backlog=1)
        d.wait_polls('listeners')
        self.flood(self.family, port, 4)
        self.leave()
        before, _, _ = self.settled(d, port)
        listener.close()
        gone = d.wait_polls('listeners')
        self.assertEqual(self.of(gone, 'sockets', self.family, port), 0)
        self.assertEqual(gone.by('sockstat_listener_info', 'address', 'port')
                         [self.family.label, str(port)], 1)
        self.assertEqual(self.of(gone, 'drops_total', self.family, port), before)
        for name in ('stray_drops_total', 'accept_queue_full_seconds_total'):
            self.assertIsNotNone(self.of(gone, name, self.family, port), name)
        for name in ('length', 'limit', 'peak', 'peak_ratio'):
            self.assertIsNone(self.of(gone, 'accept_queue_' + name, self.family, port), name)
        d.stop()

    def test_full_seconds_grow_as_long_as_it_is_full(self):
        port = self.family.base
        d = self.daemon('poll: {listeners: 50ms, cpu_limit: 1}\n')
        listener = self.keep(self.family.listen(port, backlog=1))
        self.flood(self.family, port, 2)
        d.wait_polls('listeners')
        start, before = time.monotonic(), d.scrape()
        after = d.wait_polls('listeners', 20)
        elapsed = time.monotonic() - start
        name = 'accept_queue_full_seconds_total'
        full = self.of(after, name, self.family, port) - self.of(before, name, self.family, port)
        # Twenty polls, of which each counts two intervals at most, however late they come.
        self.assertGreater(full, 0.05 * 20 * 0.8)
        self.assertLess(full, min(elapsed, 0.05 * 2 * 20) + 0.1)
        self.keep(listener.accept()[0])
        empty = d.wait_polls('listeners')
        later = d.wait_polls('listeners', 5)
        self.assertEqual(self.of(later, name, self.family, port),
                         self.of(empty, name, self.family, port))
        d.stop()


if __name__ == '__main__':
    truth.main()
