#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Polls that fail, and how old what is shown may be."""
import shutil
import signal
import time
import unittest

import daemon
import namespace
import truth

IPV4 = namespace.IPV4
GAUGE = 'sockstat_tcp_sockets'


@unittest.skipUnless(shutil.which('strace'), 'strace is not installed')
class Failure(truth.Case):
    """Netlink fails while the daemon runs."""

    def failures(self, scrape, lane, reason):
        return scrape.value('sockstatd_poll_failures_total', lane=lane, reason=reason) or 0

    def others(self, scrape, name):
        """A family without the scrapes' own port."""
        return {labels: value for labels, value in scrape.series(name).items()
                if ('port', str(daemon.PORT)) not in labels}

    def assert_failing_is_shown(self, call, error, reason):
        d = self.daemon(env=daemon.NO_LEAK_CHECK)
        self.keep(*IPV4.pair(5000))
        good = d.wait_polls()
        with daemon.Fault(d, call, error):
            failed = d.wait_metrics(
                lambda m: all(self.failures(m, lane, reason) >= 2
                              and m.value('sockstatd_poll_success', lane=lane) == 0
                              for lane in ('listeners', 'sockets')), 'two failures of each lane')
            later = d.wait_metrics(
                lambda m: self.failures(m, 'sockets', reason)
                > self.failures(failed, 'sockets', reason), 'one more failure')
        for name in (GAUGE, 'sockstat_listener_sockets', 'sockstat_listener_info',
                     'sockstat_tcp_memory_bytes'):
            self.assertEqual(self.others(failed, name), self.others(good, name), name)
        for lane in ('listeners', 'sockets'):
            for name in ('sockstatd_polls_total',
                         'sockstatd_poll_last_success_timestamp_seconds'):
                self.assertEqual(later.value(name, lane=lane), failed.value(name, lane=lane), name)
        self.assert_states_agree(d)
        again = d.scrape()
        for lane in ('listeners', 'sockets'):
            self.assertEqual(again.value('sockstatd_poll_success', lane=lane), 1)
        d.stop()

    def test_an_overrun_keeps_the_last_good_poll(self):
        self.assert_failing_is_shown('recvmsg', 'ENOBUFS', 'overrun')

    def test_an_error_of_receive_keeps_the_last_good_poll(self):
        self.assert_failing_is_shown('recvmsg', 'EIO', 'receive')

    def test_a_failure_is_logged_but_not_each_time(self):
        d = self.daemon(env=daemon.NO_LEAK_CHECK)
        before = len(d.log().splitlines())
        with daemon.Fault(d, 'recvmsg', 'ENOBUFS'):
            d.wait_metrics(lambda m: self.failures(m, 'listeners', 'overrun') >= 50,
                           '50 failures')
            lines = d.log().splitlines()[before:]
        self.assertTrue(lines)
        self.assertLess(len(lines), 10, lines)
        d.stop()

    def test_observations_of_a_failed_poll_do_not_count(self):
        d = self.daemon(env=daemon.NO_LEAK_CHECK)
        _, client, accepted = self.keep(*IPV4.pair(5000))
        d.wait_polls()
        with daemon.Fault(d, 'recvmsg', 'ENOBUFS'):
            before = d.wait_metrics(lambda m: self.failures(m, 'sockets', 'overrun') >= 1,
                                    'a failure')
            for _ in range(5):
                client.send(b'x')
                accepted.recv(1)
            after = d.wait_metrics(
                lambda m: self.failures(m, 'sockets', 'overrun')
                >= self.failures(before, 'sockets', 'overrun') + 2, 'two more failures')
        name = 'sockstat_tcp_rtt_seconds_count'
        self.assertEqual(after.series(name), before.series(name))
        d.stop()

    def test_it_is_not_ready_before_a_good_poll(self):
        inject = ('strace', '-f', '-e', 'trace=recvmsg', '-e', 'inject=recvmsg:error=ENOBUFS',
                  '-o', '/dev/null')
        d = self.daemon(wrap=inject, wait='healthy', env=daemon.NO_LEAK_CHECK)
        scrape = d.wait_metrics(lambda m: self.failures(m, 'sockets', 'overrun') >= 2,
                                'two failures')
        self.assertEqual(daemon.get('/-/ready')[0], 503)
        self.assertEqual(scrape.series(GAUGE), {}, 'never a silent zero')
        self.assertEqual(scrape.series('sockstat_listener_sockets'), {})
        self.assertEqual(scrape.value('sockstatd_poll_success', lane='sockets'), 0)


class Pace(truth.Case):
    """When polls are made, and when they are not."""

    def test_a_lane_stretches_to_stay_below_cpu_limit(self):
        d = self.daemon('poll: {listeners: 1ms, sockets: 100ms, cpu_limit: 0.001}\n')
        for port in range(5000, 5100):
            self.keep(IPV4.listen(port))
        name = 'sockstatd_poll_interval_seconds'
        scrape = d.wait_metrics(lambda m: m.value(name, lane='listeners') > 0.005,
                                'the fast lane to stretch')
        self.assertLessEqual(scrape.value(name, lane='listeners'), 1)
        d.stop()

    def test_nothing_stretches_without_need(self):
        d = self.daemon('{}\n')
        name = 'sockstatd_poll_interval_seconds'
        # The first poll, which finds nothing in any cache, may well be a need.
        d.wait_metrics(lambda m: m.by(name, 'lane') == {'listeners': 0.1, 'sockets': 5},
                       'both lanes to keep their pace')
        d.stop()

    def test_missed_ticks_are_counted_and_not_made_up_for(self):
        d = self.daemon()
        before = d.scrape()
        start = time.monotonic()
        d.process.send_signal(signal.SIGSTOP)
        time.sleep(0.5)  # ticks that nobody sees are the subject
        d.process.send_signal(signal.SIGCONT)
        after = d.wait_polls('listeners', 1)
        ticks = (time.monotonic() - start) / 0.01
        skipped, polls = (after.value(name, lane='listeners') - before.value(name, lane='listeners')
                          for name in ('sockstatd_polls_skipped_total', 'sockstatd_polls_total'))
        self.assertGreater(skipped, 40)
        self.assertLess(skipped, ticks + 2)
        self.assertLess(polls, ticks - 40)
        d.stop()


if __name__ == '__main__':
    truth.main()
