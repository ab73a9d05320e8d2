#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where netlink was refused it is tried again once a minute, which this test waits for."""
import errno

import daemon
import test_fallback
import truth


class Retry(test_fallback.Refusable):
    """Without a signal, and without a restart."""

    def test_netlink_is_tried_once_a_minute(self):
        self.refuse(errno.EPERM)
        d = self.refusable(daemon.FAST)
        self.wait_source(d, 'procfs')
        self.allow()
        self.wait_source(d, 'netlink', patience=90)
        failures = d.scrape().by('sockstatd_poll_failures_total', 'lane', 'reason')
        self.assertLessEqual(failures['listeners', 'denied'], 2)
        d.stop()


if __name__ == '__main__':
    truth.main()
