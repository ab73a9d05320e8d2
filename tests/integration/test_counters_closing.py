#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every connection is counted, with its last bytes, in whatever order its ends close: those that
the polls saw and those that came and went between two of them, and where the kernel's destroy
events were lost, all but these."""
import signal

import counting
import event_socket
import traffic
import truth
from counting import CLOSED, OPENED, UNREPORTED

CONNECTIONS = 20000  # of all orders and families together
SMALL_BUFFER = 1


class ClosingCase(counting.Case):
    """Programs make connections and close them at the speed that the machine gives."""

    def open_kept(self, d, traffics):
        """Lets all of them begin, at once; the scrape when polls have seen those that are kept."""
        before = d.wait_polls('listeners')
        for t in traffics:
            t.go()
        kept = [t for t in traffics if t.kept]
        for t in kept:
            t.wait('kept')
        return d.wait_polls() if kept else before

    def close_all(self, traffics):
        """Lets all of them end, once open_kept() has let them begin."""
        if any(t.kept for t in traffics):
            for t in traffics:
                t.go()
        for t in traffics:
            t.wait('done')

    def run_all(self, d, traffics):
        """Lets all of them do what they do, at once; the scrape when all is told."""
        before = self.open_kept(d, traffics)
        self.close_all(traffics)
        return self.wait_told(d, before, 2 * sum(t.connections for t in traffics))

    def assert_ends(self, scrape, t, side, connections):
        """One end of so many connections, no more of them and no less, and their bytes."""
        sent, received = traffic.REQUEST_BYTES, traffic.RESPONSE_BYTES
        if side == 'server':
            sent, received = received, sent
        what = (t.order, side, t.port)
        self.assertEqual(self.values(scrape, side, t.port, OPENED, CLOSED),
                         (connections, connections), what)
        # What a busy machine acknowledged too late was sent again.
        self.assertEqual(self.of(scrape, 'sent_bytes_total', side, t.port)
                         - self.of(scrape, 'retransmitted_bytes_total', side, t.port),
                         connections * sent, what)
        self.assertEqual(self.of(scrape, 'acked_bytes_total', side, t.port),
                         connections * sent, what)
        more = self.of(scrape, 'received_bytes_total', side, t.port) - connections * received
        self.assertTrue(0 <= more <= connections, (what, more))

    def assert_some_ends(self, scrape, t, side):
        """At least what polls saw, and no more than there was: of one that a poll saw halfway, and
        whose event did not say, that half is known. How many were counted."""
        opened, closed, acked = self.values(scrape, side, t.port, OPENED, CLOSED,
                                            'acked_bytes_total')
        sent = traffic.REQUEST_BYTES if side == 'client' else traffic.RESPONSE_BYTES
        what = (t.order, side, t.port, closed, acked)
        self.assertEqual(opened, closed, what)
        self.assertTrue(t.kept <= closed <= t.connections, what)
        self.assertTrue(t.kept * sent <= acked <= closed * sent, what)
        return closed

    def assert_histograms(self, scrape, t, side):
        """One observation for each that closed."""
        closed = self.of(scrape, CLOSED, side, t.port)
        for name in ('closed_rtt_seconds', 'closed_sent_bytes', 'closed_received_bytes'):
            self.assertEqual(self.of(scrape, name + '_count', side, t.port), closed,
                             (name, t.order, side))
        self.assertEqual(self.of(scrape, 'closed_sent_bytes_sum', side, t.port),
                         self.of(scrape, 'sent_bytes_total', side, t.port), (t.order, side))

    def assert_counted(self, scrape, t):
        """All ends but those that abort before a poll has seen them; how many these are."""
        unseen = 0
        for side in ('client', 'server'):
            unreported = self.of(scrape, UNREPORTED, side, t.port)
            self.assert_histograms(scrape, t, side)
            if traffic.ABORTER[t.order] == side:
                closed = self.assert_some_ends(scrape, t, side)
                self.assertEqual(unreported, closed, (t.order, side))
                unseen = t.connections - closed
            else:
                self.assert_ends(scrape, t, side, t.connections)
                self.assertEqual(unreported, 0, (t.order, side))
        return unseen


class Closing(ClosingCase):
    """No event is lost: the buffer of the daemon's event socket holds all of them."""

    def test_each_order_of_closing(self):
        d = self.exact()
        kinds = [(family, order) for family in traffic.FAMILIES for order in traffic.ABORTER]
        each = -(-CONNECTIONS // len(kinds))
        traffics = [self.traffic(each, 5000 + n, order, kept=each // 2, family=family)
                    for n, (family, order) in enumerate(kinds)]
        ignored = self.ignored(d.wait_polls())
        scrape = self.run_all(d, traffics)
        self.assertEqual(scrape.value('sockstatd_destroy_events_lost_total'), 0)
        unseen = sum(self.assert_counted(scrape, t) for t in traffics)
        self.assertEqual(self.ignored(scrape) - ignored, unseen)
        self.assertEqual(scrape.value('sockstatd_tracked_sockets'), self.followable())
        d.stop()

    def test_while_a_dump_goes_on(self):
        """A dump still tells of a socket after its event: then it must not count again."""
        d = self.exact()
        # They make the dumps long.
        idle = self.traffic(4000, 5000, 'client', kept=4000)
        idle.go('kept')
        traffics = [self.traffic(4000, 5001, 'client'), self.traffic(4000, 5002, 'reset')]
        scrape = self.run_all(d, traffics)
        self.assertEqual(scrape.value('sockstatd_destroy_events_lost_total'), 0)
        for t in traffics:
            self.assertEqual(self.assert_counted(scrape, t), 0)
        idle.go('done')
        scrape = self.wait_told(d, scrape, 8000)
        self.assert_counted(scrape, idle)
        self.assertEqual(scrape.value('sockstatd_tracked_sockets'), self.followable())
        d.stop()

    def test_buckets_of_the_bytes_at_close(self):
        d = self.exact()
        t = self.traffic(100, 5000, 'client', kept=50)
        scrape = self.run_all(d, [t])
        for side, name, least, most in (
                ('client', 'closed_sent_bytes', 1000, 10000),
                ('client', 'closed_received_bytes', 1000, 10000),
                ('server', 'closed_sent_bytes', 1000, 10000)):
            buckets = dict(scrape.buckets('sockstat_tcp_' + name, side=side, port=t.port))
            self.assertEqual((buckets[least], buckets[most]), (0, 100), (side, name))
        d.stop()


class Loss(ClosingCase):
    """The same while the buffer of the daemon's event socket holds one event or two."""

    def lossy(self, config=counting.EXACT):
        """A daemon that has been told of all sockets by which the test waited for it, lest it is
        these events that are lost; from now on it is told of few."""
        d = self.exact(config)
        d.wait_until(lambda: self.followable() == 0, 'its first connections to close')
        d.wait_polls('listeners')
        event_socket.set_buffer(d, SMALL_BUFFER)
        return d

    def stop_polls(self, d):
        """No poll sees more than what is there now; the scrape after the last one."""
        polled = 'sockstatd_poll_last_success_timestamp_seconds'
        reloaded = 'sockstatd_config_last_reload_success_timestamp_seconds'
        d.reload(counting.NEVER_POLLS)
        # A reload ends the poll under way and makes one more.
        return d.wait_metrics(lambda m: m.value(polled, lane='sockets') > m.value(reloaded),
                              'the last poll')

    def lost(self, d, scrape):
        """How many events the kernel dropped, as the kernel and the daemon agree."""
        lost = scrape.value('sockstatd_destroy_events_lost_total')
        self.assertGreater(lost, 0)
        self.assertEqual(lost, event_socket.drops(d))
        return lost

    def test_of_connections_that_no_poll_saw_just_the_lost_are_missing(self):
        d = self.lossy(counting.NEVER_POLLS)
        before = d.scrape()
        traffics = [self.traffic(2000, 5000, 'client'), self.traffic(2000, 5001, 'server'),
                    self.traffic(1000, 5002, 'half', family='ipv6')]
        d.wait_polls('listeners')
        for t in traffics:
            t.go()
        for t in traffics:
            t.wait('done')
        d.wait_metrics(lambda m: self.told(m) >= self.told(before) + 10000, 'all events')
        lost = event_socket.drops(d)
        d.reload(counting.EXACT)
        scrape = d.wait_polls()
        self.assertEqual(self.lost(d, scrape), lost)
        ports = [t.port for t in traffics]
        self.assertEqual(10000 - self.total(scrape, CLOSED, *ports), lost)
        self.assertEqual(10000 - self.total(scrape, OPENED, *ports), lost)
        for t in traffics:
            for side in ('client', 'server'):
                self.assert_ends(scrape, t, side, self.of(scrape, CLOSED, side, t.port))
        d.stop()

    def test_what_polls_saw_is_counted_all_the_same(self):
        d = self.lossy()
        traffics = [self.traffic(1000, 5000 + n, order, kept=1000)
                    for n, order in enumerate(('client', 'server', 'half', 'reset'))]
        scrape = self.run_all(d, traffics)
        self.lost(d, scrape)
        for t in traffics:
            self.assert_ends(scrape, t, 'client', 1000)
            self.assert_ends(scrape, t, 'server', 1000)
        d.stop()

    def test_no_more_is_missing_than_was_lost(self):
        d = self.lossy()
        traffics = [self.traffic(2000, 5000 + n, order, kept=1000)
                    for n, order in enumerate(('client', 'server', 'half', 'reset'))]
        events = 2 * sum(t.connections for t in traffics)
        self.open_kept(d, traffics)
        before = self.stop_polls(d)
        self.close_all(traffics)
        d.wait_metrics(lambda m: self.told(m) >= self.told(before) + events, 'all events')
        d.reload(counting.EXACT)
        scrape = d.wait_polls()
        lost = self.lost(d, scrape)
        seen = 2 * sum(t.kept for t in traffics)
        ports = [t.port for t in traffics]
        for name in (OPENED, CLOSED):
            missing = events - self.total(scrape, name, *ports)
            # Of those that were lost, polls have seen the kept ones and no others.
            self.assertTrue(max(0, lost - seen) <= missing <= lost, (name, missing, lost))
            self.assertLessEqual(missing, events - seen, name)
        for t in traffics:
            self.assert_some_ends(scrape, t, 'client')
            self.assert_some_ends(scrape, t, 'server')
        d.stop()

    def test_after_a_loss_nothing_more_is_missing(self):
        d = self.lossy()
        first, second = (self.traffic(1000, 5000, 'client', kept=1000),
                         self.traffic(2000, 5001, 'client'))
        first.go('kept')
        d.wait_polls()
        d.process.send_signal(signal.SIGSTOP)  # awake it might just keep up
        first.go('done')
        d.process.send_signal(signal.SIGCONT)
        event_socket.set_buffer(d, counting.LARGE_BUFFER)
        before = d.wait_metrics(lambda m: self.of(m, CLOSED, 'server', 5000) == 1000,
                                'a poll after the loss')
        lost = self.lost(d, before)
        second.go('done')
        scrape = self.wait_told(d, before, 4000)
        self.assertEqual(self.lost(d, scrape), lost)
        self.assert_ends(scrape, first, 'client', 1000)
        self.assert_ends(scrape, second, 'client', 2000)
        self.assert_ends(scrape, second, 'server', 2000)
        d.stop()


if __name__ == '__main__':
    truth.main()
