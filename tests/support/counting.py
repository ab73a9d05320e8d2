# SPDX-License-Identifier: Apache-2.0
"""The case of the tests that hold the counters of connections against what the test itself did."""
import daemon
import event_socket
import sstool
import truth
from traffic import Traffic

EXTENDED = 'metrics: {profile: extended}\n'
EXACT = daemon.FAST + EXTENDED + 'counters: exact\n'
POLLED = daemon.FAST + EXTENDED + 'counters: polled\n'
# What opens and closes under this no poll sees; a reload to one of the others makes one.
NEVER_POLLS = ('poll: {listeners: 10ms, sockets: 1h, sockets_max: 1h, cpu_limit: 1}\n'
               + EXTENDED + 'counters: exact\n')
LARGE_BUFFER = 64 * 1024 * 1024  # for more events than a test makes

OPENED = 'connections_opened_total'
CLOSED = 'connections_closed_total'
UNREPORTED = 'connections_closed_unreported_total'


class Case(truth.Case):
    """What the tests of counters ask of a scrape, and wait for."""

    def exact(self, config=EXACT):
        """A daemon that loses no event."""
        d = self.daemon(config)
        event_socket.set_buffer(d, LARGE_BUFFER)
        return d

    def traffic(self, *args, **kwargs):
        """A Traffic that is told to end when the test does."""
        t = Traffic(*args, **kwargs)
        self.addCleanup(t.end)
        return t

    def followable(self):
        """How many sockets `ss` shows that may be followed from poll to poll."""
        return sum(row.has_tcp_info and row.state != 'listen' for row in sstool.rows())

    def of(self, scrape, name, side, port):
        """sockstat_tcp_NAME of one group; None where it is not exported."""
        return scrape.value('sockstat_tcp_' + name, side=side, port=str(port))

    def values(self, scrape, side, port, *names):
        """The same of several names, in a tuple."""
        return tuple(self.of(scrape, name, side, port) for name in names)

    def total(self, scrape, name, *ports):
        """The sum of both sides of the ports."""
        return sum(self.of(scrape, name, side, port) or 0
                   for port in ports for side in ('client', 'server'))

    def told(self, scrape):
        """How many destroy events came, or were lost."""
        return (scrape.value('sockstatd_destroy_events_total')
                + scrape.value('sockstatd_destroy_events_lost_total'))

    def ignored(self, scrape):
        """How many were of no connection."""
        return scrape.value('sockstatd_destroy_events_ignored_total')

    def wait_told(self, d, before, events):
        """Waits until EVENTS more than at the scrape BEFORE have come or were lost, and for a poll
        after that; the scrape that shows it."""
        d.wait_metrics(lambda m: self.told(m) >= self.told(before) + events,
                       f'{events} destroy events')
        return d.wait_polls()

    def wait_count(self, d, name, side, port, value):
        """Waits until a counter has come to VALUE, and for more polls; the scrape that shows them,
        lest it has gone beyond."""
        d.wait_metrics(lambda m: (self.of(m, name, side, port) or 0) >= value,
                       f'{name} of {side} {port} to be {value}')
        return d.wait_polls()

    def assert_none_fell(self, before, after):
        """No counter of connections, and no bucket, is below what it was."""
        now = counters(after)
        for series, value in counters(before).items():
            self.assertGreaterEqual(now.get(series, 0), value, series)


def counters(scrape):
    """{(sample, labels): value} of all that may never fall: counters, and histograms."""
    found = {}
    for family in scrape.families.values():
        if family.type != 'gauge' and family.name.startswith(('sockstat_tcp_', 'sockstatd_d')):
            for sample, labels, value in family.samples:
                found[sample, frozenset(labels.items())] = value
    return found
