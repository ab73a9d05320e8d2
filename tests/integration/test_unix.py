#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""UNIX sockets on /metrics: how many `ss -xa` shows of each type and state, and what waits at each
listener, by a path that may hold any bytes."""
import os
import shutil
import socket
import tempfile

import othersocks
import truth
from othersocks import EXTENDED

TYPES = {'stream': socket.SOCK_STREAM, 'dgram': socket.SOCK_DGRAM,
         'seqpacket': socket.SOCK_SEQPACKET}
QUEUE = ('length', 'limit', 'peak')
PATH_MAX = 107  # what sun_path holds, with its end
HEX = '0123456789abcdef'


def shown_as(name):
    """The label of an address without runs of hex digits: each byte that is no part of UTF-8 is
    U+FFFD."""
    text = name.replace(b'\0', b'@').decode('utf-8', 'surrogateescape')
    return ''.join('\ufffd' if '\udc80' <= c <= '\udcff' else c for c in text)


class UnixCase(othersocks.Case):
    """UNIX sockets, in a directory of the test's own."""

    def setUp(self):
        super().setUp()
        self.directory = tempfile.mkdtemp(prefix='truth-').encode()
        self.addCleanup(shutil.rmtree, self.directory)

    def path(self, name):
        """NAME in the directory; bytes."""
        return os.path.join(self.directory, name)

    def listen(self, address, backlog=5, kind=socket.SOCK_STREAM):
        """A listener there."""
        s = self.keep(socket.socket(socket.AF_UNIX, kind))
        s.bind(address)
        s.listen(backlog)
        return s

    def connect(self, address, count=1, kind=socket.SOCK_STREAM):
        """So many clients, which need not be accepted."""
        for _ in range(count):
            s = self.keep(socket.socket(socket.AF_UNIX, kind))
            s.setblocking(False)
            s.connect(address)

    def fill(self, address, kind=socket.SOCK_STREAM):
        """Connects until there is no room; how many clients had some."""
        count = 0
        while True:
            try:
                self.connect(address, kind=kind)
            except BlockingIOError:
                return count
            count += 1

    def queue(self, scrape, path):
        """(length, limit, peak) of a path; None for what is absent."""
        return tuple(scrape.value('sockstat_unix_listener_accept_queue_' + name, path=path)
                     for name in QUEUE)

    def paths(self, scrape):
        """Of which paths something is shown: all of it is, of each."""
        of_each = [set(scrape.by('sockstat_unix_listener_accept_queue_' + name, 'path'))
                   for name in QUEUE]
        self.assertEqual(of_each, of_each[:1] * len(QUEUE))
        return of_each[0]


class Counts:
    """What holds whichever source there is."""

    def assert_agrees(self, d):
        """Each type and state has what ss shows; the scrape."""
        counts, scrape = self.held_still(d, othersocks.unix)
        shown = scrape.by('sockstat_unix_sockets', 'type', 'state')
        self.assertEqual({key: n for key, n in shown.items() if n}, counts)
        # Datagrams know no listener; whatever else may be is 0 where nothing is.
        possible = {(kind, state) for kind in TYPES for state in othersocks.UNIX_STATES.values()}
        self.assertLessEqual(possible - {('dgram', 'listen')}, set(shown))
        self.assertLessEqual(set(shown), possible)
        return scrape

    def make_all(self):
        """Of each type each state, in numbers that are all different."""
        numbers = iter((1, 3, 4, 5, 7, 9, 11, 13))
        for name, kind in TYPES.items():
            for _ in range(next(numbers)):
                self.keep(*socket.socketpair(socket.AF_UNIX, kind))
            for _ in range(next(numbers)):
                self.keep(socket.socket(socket.AF_UNIX, kind))
            if kind != socket.SOCK_DGRAM:
                for n in range(next(numbers)):
                    self.listen(self.path(f'{name}{n}'.encode()), kind=kind)

    def test_none(self):
        d = self.start()
        self.assert_source(self.assert_agrees(d), 'unix')
        d.stop()

    def test_each_type_and_state(self):
        d = self.start()
        self.make_all()
        numbers = sorted(othersocks.unix().values())
        self.assertEqual(numbers, sorted(set(numbers)), 'none can stand for another')
        self.assertEqual(len(numbers), 8)
        self.assert_agrees(d)
        d.stop()

    def test_those_that_were_there_before(self):
        self.make_all()
        d = self.start()
        self.assert_agrees(d)
        for s in self._kept[::2]:
            s.close()
        self.assert_agrees(d)
        d.stop()

    def test_bound_and_named_and_connected_by_one_end(self):
        server = self.keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        server.bind(self.path(b'log'))
        for _ in range(3):
            self.keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)).connect(self.path(b'log'))
        for address in (self.path(b's'), b'\0s', b''):  # the last: the kernel gives it a name
            self.keep(socket.socket(socket.AF_UNIX)).bind(address)
        d = self.start()
        self.assert_agrees(d)
        d.stop()

    def test_who_waits_to_be_accepted_is_counted_at_one_end(self):
        """Of a connection that nobody accepted ss shows the client's end."""
        listener = self.listen(b'\0waits', backlog=10)
        self.connect(b'\0waits', 4)
        d = self.start()
        scrape = self.assert_agrees(d)
        self.assertEqual(scrape.value('sockstat_unix_sockets', type='stream',
                                      state='established'), 4)
        self.keep(*(listener.accept()[0] for _ in range(4)))
        scrape = self.assert_agrees(d)
        self.assertEqual(scrape.value('sockstat_unix_sockets', type='stream',
                                      state='established'), 8)
        d.stop()

    def test_peers_that_closed(self):
        for kind in TYPES.values():
            left, right = socket.socketpair(socket.AF_UNIX, kind)
            self.keep(left)
            right.close()
        d = self.start()
        self.assert_agrees(d)
        d.stop()

    def test_a_lot_of_them_in_many_messages(self):
        for n in range(2000):
            self.keep(*socket.socketpair())
            self.keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)).bind(
                b'\0%d-' % n + b'x' * 90)
        d = self.start()
        scrape = self.assert_agrees(d)
        self.assertEqual(scrape.value('sockstat_unix_sockets', type='dgram',
                                      state='unconnected'), 2000)
        d.stop()

    def test_names_of_all_bytes_do_not_confuse_it(self):
        """A line feed in a name makes no row of /proc, and hides none."""
        for n in range(1, 256):
            self.keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)).bind(
                b'\0all' + bytes((n, n, 0, n)))
            if n != ord('/'):
                self.keep(socket.socket(socket.AF_UNIX)).bind(self.path(b'a' + bytes((n, 65, n))))
        d = self.start()
        scrape = d.wait_polls()
        # ss itself prints such names as they are.
        for kind, count in (('dgram', 255), ('stream', 254)):
            self.assertEqual(scrape.value('sockstat_unix_sockets', type=kind,
                                          state='unconnected'), count)
        d.stop()


class NetlinkCounts(Counts, UnixCase):
    source = 'netlink'


class ProcfsCounts(Counts, UnixCase):
    source = 'procfs'

    def test_proc_knows_no_limit(self):
        """What it cannot tell is absent and not 0."""
        self.listen(b'\0waits', backlog=10)
        self.connect(b'\0waits', 4)
        d = self.start(EXTENDED)
        d.wait_polls()
        length, limit, peak = self.queue(d.wait_polls('listeners'), '@waits')
        self.assertIsNone(limit)
        self.assertIn(length, (None, 4))
        self.assertIn(peak, (None, 4))
        d.stop()


class Listeners(UnixCase):
    """What waits at them, by path."""

    def test_a_full_queue_and_its_peak_when_it_was_emptied(self):
        # The lane of listeners alone reads it: the other has one poll at the start.
        d = self.start('poll: {listeners: 10ms, sockets: 1h, sockets_max: 1h, cpu_limit: 1}\n'
                       'metrics: {profile: extended}\npeak_window: 2s\n')
        for address, kind in ((self.path(b'full'), socket.SOCK_STREAM),
                              (b'\0full', socket.SOCK_STREAM),
                              (self.path(b'packets'), socket.SOCK_SEQPACKET)):
            label = shown_as(address)
            listener = self.listen(address, backlog=3, kind=kind)
            self.assertEqual(self.queue(d.wait_polls('listeners'), label), (0, 3, 0))
            self.assertEqual(self.fill(address, kind), 4, 'the kernel holds one more')
            self.assertEqual(self.queue(d.wait_polls('listeners'), label), (4, 3, 4))
            self.keep(*(listener.accept()[0] for _ in range(4)))
            scrape = d.wait_polls('listeners')
            self.assertEqual(self.queue(scrape, label), (0, 3, 4))
            self.assertEqual(self.queue(d.wait_polls('listeners', 10), label), (0, 3, 4),
                             'reading it does not reset it')
            d.wait_metrics(lambda m, of=label: self.queue(m, of) == (0, 3, 0),
                           'the peak to leave its window')
            listener.listen(9)
            self.assertEqual(self.queue(d.wait_polls('listeners'), label), (0, 9, 0))
            listener.close()
            self.assertEqual(self.queue(d.wait_polls('listeners'), label), (None,) * 3)
        d.stop()

    def test_of_other_sockets_there_is_none(self):
        self.keep(socket.socket(socket.AF_UNIX)).bind(self.path(b'bound'))
        self.keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)).bind(b'\0dgram')
        listener = self.listen(b'\0listens')
        self.connect(b'\0listens')
        self.keep(listener.accept()[0])
        d = self.start(EXTENDED)
        self.assertEqual(self.paths(d.wait_polls('listeners')), {'@listens'})
        d.stop()

    def test_the_core_profile_has_none(self):
        self.listen(b'\0listens')
        d = self.start()
        scrape = d.wait_polls()
        self.assertEqual(scrape.value('sockstat_unix_sockets', type='stream', state='listen'), 1)
        self.assertEqual(self.paths(scrape), set())
        d.stop()

    def test_runs_of_12_hex_digits_are_masked(self):
        names = {HEX[:11]: HEX[:11], HEX[:12]: '*', HEX.upper(): '*', 'a' * 40 + '.sock': '*.sock',
                 f'pre-{HEX}-mid-{HEX}': 'pre-*-mid-*', 'g' + 'f' * 12 + 'g': 'g*g',
                 '550e8400-e29b-41d4-a716-446655440000': '550e8400-e29b-41d4-a716-*',
                 'xyz/../plain': 'xyz/../plain'}
        for name in names:
            self.listen(b'\0n/' + name.encode())
        self.listen(self.path(HEX.encode() + b'.sock'))
        d = self.start(EXTENDED)
        expected = {'@n/' + label for label in names.values()}
        expected.add(self.directory.decode() + '/*.sock')
        self.assertEqual(self.paths(d.wait_polls('listeners')), expected)
        d.stop()

    def test_odd_bytes(self):
        """The reader of each scrape is strict; here what it reads is what was meant."""
        directory = self.directory + b'/'
        addresses = [
            b'\0', b'\0\0\0', b'\0new\nline', b'\0"quote"', b'\0back\\slash\\n', b'\0\r\t\x01\x7f',
            b'\0inner\0nul', b'\0trailing\0\0', b'\0\xff\xfe', b'\0\xc3\xa9t\xc3\xa9', b'\0\xc3',
            b'\0\xed\xa0\x80', b'\0{path="x"} 1\n# HELP x y\n', b'\0' + b'x' * PATH_MAX,
            directory + b'line\nfeed"\\', directory + b'\x80\xffz', directory + b'end\xe2\x82',
        ]
        addresses.append(directory + b'y' * (PATH_MAX - len(directory)))
        self.assertEqual(len(addresses[-1]), PATH_MAX)
        for n, address in enumerate(addresses):
            self.listen(address, backlog=100 + n)
        d = self.start(EXTENDED)
        scrape = d.wait_polls('listeners')
        limits = scrape.by('sockstat_unix_listener_accept_queue_limit', 'path')
        self.assertEqual(limits, {shown_as(address): 100 + n
                                  for n, address in enumerate(addresses)})
        d.stop()

    def test_a_long_name_of_odd_bytes_is_cut_and_still_well_formed(self):
        self.listen(b'\0' + b'\xff' * PATH_MAX, backlog=7)
        self.listen(b'\0' + b'\xc3\xa9' * (PATH_MAX // 2), backlog=8)
        d = self.start(EXTENDED)
        limits = d.wait_polls('listeners').by('sockstat_unix_listener_accept_queue_limit', 'path')
        self.assertEqual(sorted(limits.values()), [7, 8])
        for path, start in zip(sorted(limits, key=limits.get), '\ufffd\u00e9'):
            self.assertEqual(path[:2], '@' + start)
            self.assertEqual(set(path[1:]), {start})
        d.stop()

    def test_listeners_with_one_label_are_summed(self):
        first = self.listen(b'\0run-' + HEX.encode(), backlog=2)
        second = self.listen(b'\0run-' + HEX.upper().encode(), backlog=10)
        self.connect(b'\0run-' + HEX.encode(), 2)
        self.connect(b'\0run-' + HEX.upper().encode(), 5)
        # One path that is bound twice: who had it first is still there.
        for backlog, waiting in ((3, 1), (4, 2)):
            self.listen(self.path(b'same'), backlog=backlog)
            self.connect(self.path(b'same'), waiting)
            os.unlink(self.path(b'same'))
        d = self.start(EXTENDED)
        same = shown_as(self.path(b'same'))
        scrape = d.wait_polls('listeners')
        self.assertEqual(self.queue(scrape, '@run-*'), (7, 12, 7))
        self.assertEqual(self.queue(scrape, same), (3, 7, 3))
        self.assertEqual(self.paths(scrape), {'@run-*', same})
        first.close()
        self.assertEqual(self.queue(d.wait_polls('listeners'), '@run-*'), (5, 10, 7))
        second.close()
        self.assertEqual(self.paths(d.wait_polls('listeners')), {same})
        d.stop()

    def test_listeners_beyond_the_limit_are_other(self):
        d = self.start(EXTENDED + 'limits: {unix_listeners: 4}\n')
        names = [b'\0n%d' % n for n in range(10)]
        for name in names:
            self.listen(name, backlog=10)
            self.connect(name, 3)
        scrape = d.wait_polls('listeners')
        paths = self.paths(scrape)
        self.assertIn('other', paths)
        self.assertEqual(len(paths - {'other'}), 4)
        self.assertLessEqual(paths - {'other'}, {shown_as(name) for name in names})
        for name, total in zip(QUEUE, (30, 100, 30)):
            values = scrape.series('sockstat_unix_listener_accept_queue_' + name)
            self.assertEqual(sum(values.values()), total, name)
        for path in paths - {'other'}:
            self.assertEqual(self.queue(scrape, path), (3, 10, 3))
        d.stop()

    def test_places_of_those_that_have_gone_are_given_again(self):
        d = self.start(EXTENDED + 'limits: {unix_listeners: 2}\n')
        for n in range(10):
            pair = [self.listen(b'\0%d-%d' % (n, m)) for m in range(2)]
            self.assertEqual(self.paths(d.wait_polls('listeners')), {f'@{n}-0', f'@{n}-1'})
            for s in pair:
                s.close()
            self.assertEqual(self.paths(d.wait_polls('listeners')), set())
        d.stop()


if __name__ == '__main__':
    truth.main()
