#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What waits in the accept and SYN queues: for how long, whose client has gone, how it peaked."""
import time

import daemon
import namespace
import sstool
import truth

EXTENDED = daemon.FAST + 'metrics: {profile: extended}\n'


class QueueCase(truth.Case):
    """What the tests below ask of /metrics."""

    def of(self, scrape, name, family):
        """sockstat_listener_NAME of the listener on the family's first port."""
        return scrape.value('sockstat_listener_' + name, address=family.label,
                            port=str(family.base))


class Waiting:
    """Connections of one family that nobody accepts yet."""

    family = None

    def test_clients_that_closed_and_clients_that_reset_are_told_apart(self):
        port = self.family.base
        d = self.daemon()
        listener = self.keep(self.family.listen(port))
        clients = [self.keep(self.family.connect(port)) for _ in range(9)]
        for client in clients[:2]:
            client.close()
        for client in clients[2:5]:
            namespace.reset(client)
        scrape = d.wait_polls()
        for name, expected in (('accept_queue_length', 9), ('unaccepted_closed', 2),
                               ('unaccepted_reset', 3)):
            self.assertEqual(self.of(scrape, name, self.family), expected, name)
        self.keep(*(listener.accept()[0] for _ in range(9)))
        scrape = d.wait_polls()
        for name in ('accept_queue_length', 'unaccepted_closed', 'unaccepted_reset'):
            self.assertEqual(self.of(scrape, name, self.family), 0, name)
        d.stop()

    def test_the_oldest_waits_as_long_as_ss_says(self):
        port = self.family.base
        d = self.daemon()
        before = time.monotonic()
        listener = self.keep(self.family.listen(port))
        self.keep(self.family.connect(port))
        d.wait_polls(count=5)
        self.keep(self.family.connect(port))
        after = time.monotonic()
        low = self.oldest_of_ss()
        shown = self.of(d.wait_polls(), 'unaccepted_oldest_seconds', self.family)
        high = self.oldest_of_ss()
        self.assertLessEqual(low - 0.01, shown)
        self.assertLessEqual(shown, high + 0.01)
        self.assertLess(shown, time.monotonic() - before)
        self.assertGreater(shown, 0.1 * (after - before))
        self.keep(listener.accept()[0], listener.accept()[0])
        self.assertIn(self.of(d.wait_polls(), 'unaccepted_oldest_seconds', self.family), (None, 0))
        d.stop()

    def oldest_of_ss(self):
        """Seconds since the last ACK of the connection that waits longest."""
        return max(row.number('lastack') / 1e3 for row in sstool.rows()
                   if row.local.port == self.family.base and row.state == 'established'
                   and not row.has_inode)

    def test_handshakes_that_wait_and_those_that_are_repeated(self):
        port = self.family.base
        d = self.daemon(EXTENDED)
        self.keep(self.family.listen(port))
        namespace.drop(f'tcp dport {port} tcp flags & (fin|syn|ack) == ack')
        self.keep(*(self.family.connect(port) for _ in range(5)))
        self.assert_handshakes_agree(d)
        d.wait_until(lambda: any(row.retransmits for row in self.handshakes(sstool.rows())),
                     'a SYN-ACK to be sent again')
        self.assert_handshakes_agree(d)
        d.stop()

    @staticmethod
    def handshakes(rows):
        """Those that wait in the SYN queue."""
        return [row for row in rows if row.state == 'syn_recv']

    def assert_handshakes_agree(self, d):
        """Both gauges of the SYN queue, against ss."""
        rows, scrape = self.stable(d, also=lambda row: row.retransmits)
        waiting = self.handshakes(rows)
        self.assertEqual(len(waiting), 5)
        self.assertEqual(self.of(scrape, 'syn_queue_length', self.family), 5)
        self.assertEqual(self.of(scrape, 'syn_queue_retransmitting', self.family),
                         sum(row.retransmits > 0 for row in waiting))

    def test_a_burst_shows_in_the_peak_and_leaves_it(self):
        d = self.daemon('poll: {listeners: 1ms, sockets: 1s, cpu_limit: 1}\npeak_window: 1s\n')
        port = self.family.base
        listener = self.keep(self.family.listen(port, backlog=200))
        d.wait_polls('listeners')
        for _ in range(100):
            self.keep(self.family.connect(port))
        time.sleep(0.02)  # what the burst waits is the subject
        for _ in range(100):
            self.keep(listener.accept()[0])
        accepted = time.monotonic()
        scrape = d.wait_polls('listeners')
        self.assertEqual(self.of(scrape, 'accept_queue_peak', self.family), 100)
        self.assertAlmostEqual(self.of(scrape, 'accept_queue_peak_ratio', self.family), 100 / 201)
        self.assertEqual(self.of(scrape, 'accept_queue_length', self.family), 0)
        again = d.wait_polls('listeners', 20)
        self.assertEqual(self.of(again, 'accept_queue_peak', self.family), 100,
                         'reading it does not reset it')
        left = d.wait_metrics(lambda m: self.of(m, 'accept_queue_peak', self.family) == 0,
                              'the peak to leave its window')
        self.assertGreaterEqual(time.monotonic() - accepted, 0.9)
        self.assertEqual(self.of(left, 'accept_queue_peak_ratio', self.family), 0)
        d.stop()


class IPv4Waiting(Waiting, QueueCase):
    family = namespace.IPV4


class IPv6Waiting(Waiting, QueueCase):
    family = namespace.IPV6


class MappedWaiting(Waiting, QueueCase):
    family = namespace.MAPPED


class Members(QueueCase):
    """Several sockets of SO_REUSEPORT behind one address and port."""

    family = namespace.IPV4

    def test_one_full_member_of_four_is_a_peak_ratio_of_1(self):
        port = self.family.base
        for backlog in (1, 1000, 1000, 1000):
            self.keep(self.family.listen(port, backlog, reuse_port=True))
        def is_full():
            self.keep(self.family.connect(port, wait=False))
            return any(row.receive_queue > row.send_queue for row in sstool.rows()
                       if row.state == 'listen')
        daemon.eventually(is_full, 'the small member to be full')
        d = self.daemon()
        rows, scrape = self.stable(d)
        members = [row for row in rows if row.state == 'listen']
        for name, expected in (
                ('sockets', 4), ('accept_queue_peak_ratio', 1),
                ('accept_queue_length', sum(row.receive_queue for row in members)),
                ('accept_queue_peak', sum(row.receive_queue for row in members)),
                ('accept_queue_limit', 3001)):
            self.assertEqual(self.of(scrape, name, self.family), expected, name)
        d.stop()

    def test_each_member_is_observed_at_each_fast_poll(self):
        port = self.family.base
        for backlog in (1, 7, 15):
            self.keep(self.family.listen(port, backlog, reuse_port=True))
        d = self.daemon(EXTENDED)
        before = d.wait_polls('listeners')
        after = d.wait_polls('listeners', 10)
        def growth(name, **labels):
            return after.value(name, **labels) - before.value(name, **labels)
        polls = growth('sockstatd_polls_total', lane='listeners')
        observed = growth('sockstat_listener_accept_queue_fill_ratio_count',
                          address=self.family.label, port=str(port))
        self.assertEqual(observed % 3, 0)
        # A poll may be shown by a scrape that does not count it yet.
        self.assertAlmostEqual(observed / 3, polls, delta=1)
        d.stop()

    def test_the_fill_ratio_is_length_by_limit_and_one(self):
        port = self.family.base
        self.keep(self.family.listen(port, backlog=3))
        self.keep(*(self.family.connect(port) for _ in range(2)))
        d = self.daemon(EXTENDED)
        before = d.wait_polls('listeners')
        after = d.wait_polls('listeners', 10)
        name = 'sockstat_listener_accept_queue_fill_ratio'
        labels = {'address': self.family.label, 'port': str(port)}
        def growth(suffix):
            return after.value(name + suffix, **labels) - before.value(name + suffix, **labels)
        self.assertEqual(growth('_sum'), 0.5 * growth('_count'))
        grown = {bound: n - dict(before.buckets(name, **labels))[bound]
                 for bound, n in after.buckets(name, **labels)}
        self.assertEqual(grown[0.5], growth('_count'))
        self.assertEqual(grown[0.25], 0)
        d.stop()


if __name__ == '__main__':
    truth.main()
