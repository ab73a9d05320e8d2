#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is shown of a lane that has had no good poll for half a minute."""
import shutil
import time
import unittest

import daemon
import namespace
import truth

IPV4 = namespace.IPV4
GAUGES = ('sockstat_tcp_sockets', 'sockstat_tcp_memory_bytes', 'sockstat_listener_sockets',
          'sockstat_listener_accept_queue_length', 'sockstat_listener_accept_queue_peak',
          'sockstat_listener_syn_queue_length', 'sockstat_tcp_ephemeral_ports_used')
# The shortest time after which anything is old.
LEAST_SECONDS = 30


@unittest.skipUnless(shutil.which('strace'), 'strace is not installed')
class Staleness(truth.Case):
    """Both lanes fail for longer than their data may be shown."""

    def test_gauges_vanish_when_they_are_old_and_counters_stay(self):
        d = self.daemon(env=daemon.NO_LEAK_CHECK)
        self.keep(IPV4.listen(5000, backlog=1))
        self.keep(*(IPV4.connect(5000, wait=False) for _ in range(4)))
        good = d.wait_polls()
        drops = good.series('sockstat_listener_drops_total')
        with daemon.Fault(d, 'recvmsg', 'ENOBUFS'):
            start = time.monotonic()
            old = d.wait_until(lambda: self.without_gauges(d), 'the gauges to vanish',
                               2 * LEAST_SECONDS)
        self.assertGreater(time.monotonic() - start, LEAST_SECONDS - 1)
        self.assertEqual(set(old.series('sockstat_listener_drops_total')), set(drops))
        self.assertTrue(old.series('sockstat_listener_info'))
        self.assertTrue(old.series('sockstat_tcp_rtt_seconds_count'))
        self.assertTrue(old.series('sockstatd_polls_total'))
        again = d.wait_polls()
        for name in GAUGES:
            self.assertEqual(set(again.series(name)), set(good.series(name)), name)
        d.stop()

    def without_gauges(self, d):
        """A scrape, once it shows no gauge of either lane."""
        scrape = d.scrape()
        return None if any(scrape.series(name) for name in GAUGES) else scrape


if __name__ == '__main__':
    truth.main()
