# SPDX-License-Identifier: Apache-2.0
"""The case that all truth tests are: a namespace of its own, a daemon in it, `ss` beside it."""
import os
import resource
import sys
import unittest

import daemon
import namespace
import sstool

STATES = sorted(sstool.STATES.values())
LISTENER_FAMILIES = (
    'sockets', 'accept_queue_length', 'accept_queue_limit', 'accept_queue_peak',
    'accept_queue_peak_ratio', 'accept_queue_full_seconds_total', 'drops_total',
    'stray_drops_total', 'last_drop_timestamp_seconds', 'syn_queue_length',
    'unaccepted_oldest_seconds', 'unaccepted_closed', 'unaccepted_reset')


class Case(unittest.TestCase):
    """Each test begins in an empty namespace with lo up."""

    maxDiff = None
    wrap = ()  # what every daemon of the case is run by

    def setUp(self):
        namespace.enter()
        self._kept = []

    def tearDown(self):
        for s in self._kept:
            s.close()

    def keep(self, *sockets):
        """Closes them when the test ends; returns them, or the only one."""
        self._kept.extend(sockets)
        return sockets[0] if len(sockets) == 1 else sockets

    def daemon(self, *args, **kwargs):
        """A daemon that is destroyed with the test, and stopped cleanly if it passed."""
        kwargs.setdefault('wrap', self.wrap)
        d = daemon.Daemon(*args, **kwargs)
        self.addCleanup(d.destroy)
        return d

    def stable(self, d, lane='sockets', also=lambda row: ()):
        """(rows of ss, scrape): the scrape shows a poll during which the rows did not change.
        ALSO(row): what else must have held still."""
        def attempt():
            def picture(rows):
                return sorted(str((row.identity, also(row))) for row in rows)
            before = sstool.rows(d.port)
            scrape = d.wait_polls(lane)
            after = sstool.rows(d.port)
            return (after, scrape) if picture(before) == picture(after) else None
        return d.wait_until(attempt, 'the sockets to hold still for a poll')

    def assert_states_agree(self, d, **model):
        """For every side, port and state /metrics says what ss says; the scrape."""
        rows, scrape = self.stable(d)
        self.assert_complete(scrape)
        model = sstool.Model(rows, **model)
        expected = model.count(lambda row: (*model.group_of(row), row.state))
        shown = {key: value for key, value in scrape.by('sockstat_tcp_sockets', 'side', 'port',
                                                        'state').items()
                 if value and key[1] != str(d.port)}
        self.assertEqual(shown, dict(expected))
        return scrape

    def assert_complete(self, scrape):
        """What holds of every scrape: all states of each group, one info of each listener."""
        groups = {}
        for side, port, state in scrape.by('sockstat_tcp_sockets', 'side', 'port', 'state'):
            groups.setdefault((side, port), []).append(state)
        for group, states in groups.items():
            self.assertEqual(sorted(states), STATES, group)
        info = scrape.by('sockstat_listener_info', 'address', 'port')
        self.assertEqual(set(info.values()), {1.0} if info else set())
        self.assertEqual(len(info), len(scrape.series('sockstat_listener_info')))
        for name in LISTENER_FAMILIES:
            others = scrape.by('sockstat_listener_' + name, 'address', 'port')
            self.assertLessEqual(set(others), set(info), name)


FILES_NEEDED = 12000


def missing():
    """Why no test can run here, or None."""
    if 'SOCKSTATD' not in os.environ:
        return 'SOCKSTATD is not set'
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < FILES_NEEDED:
        return f'at most {hard} files may be open'
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES_NEEDED, hard))
    return namespace.missing()


def main():
    """Runs the tests of the script; exits with 77 if one could not be run and none failed."""
    reason = missing()
    if reason:
        print(f'SKIPPED: {reason}')
        sys.exit(77)
    program = unittest.main(exit=False, verbosity=2)
    for test, reason in program.result.skipped:
        print(f'SKIPPED: {test}: {reason}')
    if not program.result.wasSuccessful():
        sys.exit(1)
    sys.exit(77 if program.result.skipped else 0)
