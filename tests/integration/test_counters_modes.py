#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The ways to count connections, the changes between them under traffic, and the table's limit."""
import counting
import daemon
import event_socket
import traffic
import truth
from counting import CLOSED, OPENED, UNREPORTED

CONFIG = daemon.FAST + counting.EXTENDED
OFF = CONFIG + 'counters: off\n'
AUTO = CONFIG + 'counters: auto\n'
ACTIVE = 'sockstatd_destroy_events_active'
TRACKED, UNTRACKED = 'sockstatd_tracked_sockets', 'sockstatd_untracked_sockets'


class Modes(counting.Case):
    """off, polled, exact and auto."""

    def assert_off(self, d):
        """There is neither a counter of connections nor what would feed it."""
        scrape = d.wait_polls()
        found = [family.name for family in scrape.families.values()
                 if family.name.startswith(('sockstat_tcp_closed_', 'sockstat_tcp_connections_'))
                 or family.name.startswith('sockstat_tcp_') and family.type == 'counter']
        self.assertEqual(found, [])
        self.assertEqual(event_socket.multicast(d.process.pid), {})
        self.assertFalse(scrape.value(ACTIVE))
        self.assertFalse(scrape.value(TRACKED))

    def kept(self, d, port=5000, connections=100):
        """Connections that stand, and have carried their bytes."""
        t = self.traffic(connections, port, 'client', kept=connections)
        d.wait_polls('listeners')
        t.go('kept')
        return t

    def assert_exactly(self, scrape, t, opened, closed):
        """So many of both ends, and the bytes of those that opened."""
        for side, sent in (('client', traffic.REQUEST_BYTES), ('server', traffic.RESPONSE_BYTES)):
            self.assertEqual(self.values(scrape, side, t.port, OPENED, CLOSED, UNREPORTED,
                                         'acked_bytes_total'),
                             (opened, closed, 0, opened * sent), side)

    def test_off(self):
        d = self.daemon(OFF)
        t = self.kept(d)
        self.assert_off(d)
        t.go('done')
        self.assert_off(d)
        d.stop()

    def test_polled_counts_what_stays_for_a_poll(self):
        d = self.daemon(counting.POLLED)
        self.assertEqual(event_socket.multicast(d.process.pid), {})
        t = self.kept(d)
        scrape = self.wait_count(d, OPENED, 'server', t.port, 100)
        self.assertEqual(scrape.value(ACTIVE), 0)
        self.assert_exactly(scrape, t, 100, 0)
        t.go('done')
        self.wait_count(d, CLOSED, 'server', t.port, 100)
        scrape = self.wait_count(d, CLOSED, 'client', t.port, 100)
        self.assert_exactly(scrape, t, 100, 100)
        self.assertEqual(scrape.value('sockstatd_destroy_events_total'), 0)
        d.stop()

    def test_exact_and_auto_listen_to_the_kernel(self):
        for config in (counting.EXACT, AUTO):
            d = self.daemon(config)
            row, = event_socket.multicast(d.process.pid).values()
            self.assertEqual(row.groups, event_socket.TCP_DESTROY_GROUPS)
            self.assertEqual(d.scrape().value(ACTIVE), 1)
            d.stop()

    def test_off_and_back_counts_nothing_twice(self):
        d = self.exact()
        t = self.kept(d)
        self.wait_count(d, OPENED, 'client', t.port, 100)
        d.reload(OFF)
        self.assert_off(d)
        d.reload(counting.EXACT)
        before = d.wait_polls()
        t.go('done')
        self.wait_told(d, before, 200)
        for side, sent in (('client', traffic.REQUEST_BYTES), ('server', traffic.RESPONSE_BYTES)):
            after = self.wait_count(d, CLOSED, side, t.port, 100)
            opened, closed, acked = self.values(after, side, t.port, OPENED, CLOSED,
                                                'acked_bytes_total')
            self.assertEqual(closed, 100, side)
            self.assertLessEqual(opened, 100, side)
            self.assertLessEqual(acked, 100 * sent, side)
        d.stop()

    def test_changes_under_traffic(self):
        d = self.exact()
        held = self.kept(d)
        before = self.wait_count(d, OPENED, 'client', held.port, 100)
        short = self.traffic(6000, 5001, 'client', rate=2000)
        d.wait_polls('listeners')
        short.go()
        for config in (counting.POLLED, counting.EXACT) * 3:
            after = d.reload(config)
            self.assert_none_fell(before, after)
            for _ in range(5):
                before, after = after, d.wait_polls(count=1)
                self.assert_none_fell(before, after)
                self.assert_exactly(after, held, 100, 0)
            before = after
        short.wait('done')
        held.go('done')
        self.wait_count(d, CLOSED, 'server', held.port, 100)
        after = self.wait_count(d, CLOSED, 'client', held.port, 100)
        self.assert_none_fell(before, after)
        self.assert_exactly(after, held, 100, 100)
        for side, sent in (('client', traffic.REQUEST_BYTES), ('server', traffic.RESPONSE_BYTES)):
            opened, closed, acked = self.values(after, side, short.port, OPENED, CLOSED,
                                                'acked_bytes_total')
            self.assertEqual(opened, closed, side)
            self.assertTrue(0 < opened <= short.connections, (side, opened))
            self.assertTrue(0 < acked <= opened * sent, (side, opened, acked))
        d.stop()

    def test_auto_gives_the_events_up_where_connections_come_too_fast(self):
        d = self.daemon(AUTO)
        held = self.kept(d)
        before = self.wait_count(d, OPENED, 'client', held.port, 100)
        self.assertEqual(before.value(ACTIVE), 1)
        fast = self.traffic(20000, 5001, 'server', rate=4000)
        d.wait_polls('listeners')
        fast.go()
        after = d.wait_metrics(lambda m: m.value(ACTIVE) == 0, 'the events to be given up')
        self.assertEqual(event_socket.multicast(d.process.pid), {})
        fast.wait('done')
        self.assert_none_fell(before, after)
        end = d.wait_polls()
        self.assert_none_fell(after, end)
        self.assert_exactly(end, held, 100, 0)
        for side in ('client', 'server'):
            opened, closed = self.values(end, side, fast.port, OPENED, CLOSED)
            self.assertEqual(opened, closed, side)
            self.assertTrue(0 < opened < fast.connections, (side, opened))
        held.go('done')
        self.wait_count(d, CLOSED, 'server', held.port, 100)
        self.assert_exactly(self.wait_count(d, CLOSED, 'client', held.port, 100), held, 100, 100)
        d.stop()


class Limit(counting.Case):
    """limits.tracked_sockets"""

    CONFIG = counting.EXACT + 'limits: {tracked_sockets: %d}\n'

    def test_what_is_beyond_is_shown(self):
        d = self.exact(self.CONFIG % 1000)
        t = self.traffic(3000, 5000, 'client', kept=3000)
        d.wait_polls('listeners')
        t.go('kept')
        scrape = d.wait_polls()
        tracked, untracked = scrape.value(TRACKED), scrape.value(UNTRACKED)
        self.assertLessEqual(tracked, 1000)
        self.assertEqual(tracked + untracked, self.followable())
        self.assertEqual(scrape.value('sockstatd_tracked_sockets_limit'), 1000)
        self.assertLessEqual(self.total(scrape, OPENED, t.port), 1000)
        t.go('done')
        after = self.wait_told(d, scrape, 6000)
        self.assert_none_fell(scrape, after)
        # What is followed only since there is room for it closes, but has not opened.
        self.assertLessEqual(self.total(after, OPENED, t.port), 1000)
        self.assertTrue(900 < self.total(after, CLOSED, t.port) <= 6000)
        self.assertEqual(after.value(UNTRACKED), 0)
        self.assertEqual(after.value(TRACKED), self.followable())
        d.stop()

    def test_a_reload_raises_and_lowers_it(self):
        d = self.exact(self.CONFIG % 1000)
        t = self.traffic(2000, 5000, 'client', kept=2000)
        d.wait_polls('listeners')
        t.go('kept')
        before = d.wait_polls()
        self.assertGreater(before.value(UNTRACKED), 0)
        d.reload(self.CONFIG % 10000)
        raised = d.wait_polls()
        self.assertEqual((raised.value(TRACKED), raised.value(UNTRACKED)), (self.followable(), 0))
        self.assert_none_fell(before, raised)
        d.reload(self.CONFIG % 1000)
        lowered = d.wait_polls()
        self.assertLessEqual(lowered.value(TRACKED), 1000)
        self.assertEqual(lowered.value(TRACKED) + lowered.value(UNTRACKED), self.followable())
        self.assert_none_fell(raised, lowered)
        t.go('done')
        after = self.wait_told(d, lowered, 4000)
        self.assert_none_fell(lowered, after)
        for name in (OPENED, CLOSED):
            self.assertLessEqual(self.total(after, name, t.port), 4000, name)
        d.stop()


if __name__ == '__main__':
    truth.main()
