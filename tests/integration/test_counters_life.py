#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The life of a connection as the counters see it: from before the daemon, through the ends that
leave a descriptor behind, to sockets that never were a connection."""
import collections
import ctypes
import os
import socket

import counting
import namespace
import truth
from counting import CLOSED, OPENED, UNREPORTED

IPV4 = namespace.IPV4
PORT = IPV4.base
NOBODY = 5099  # a port without a listener
SENT, RECEIVED = 'sent_bytes_total', 'received_bytes_total'

_libc = ctypes.CDLL(None, use_errno=True)


def pass_bytes(sender, receiver, count):
    """Sends COUNT bytes, which the other end reads."""
    sender.sendall(bytes(count))
    while count:
        count -= len(receiver.recv(count))


def disconnect(s):
    """connect() to AF_UNSPEC, after which the socket can connect again."""
    if _libc.connect(s.fileno(), bytes(16), 16) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


class Birth(counting.Case):
    """What is counted from when."""

    def test_what_was_there_before_the_daemon_is_a_baseline(self):
        listener, client, server = IPV4.pair(PORT)
        self.keep(listener)
        pass_bytes(client, server, 5000)
        pass_bytes(server, client, 700)
        d = self.exact()
        first = d.wait_polls()
        for side in ('client', 'server'):
            self.assertEqual(self.values(first, side, PORT, OPENED, CLOSED, SENT, RECEIVED),
                             (0, 0, 0, 0), side)
        pass_bytes(client, server, 300)
        pass_bytes(server, client, 20)
        later = d.wait_polls()
        self.assertEqual(self.values(later, 'client', PORT, SENT, RECEIVED), (300, 20))
        self.assertEqual(self.values(later, 'server', PORT, SENT, RECEIVED), (20, 300))
        pass_bytes(client, server, 1000)
        client.close()
        server.close()
        for side, sent in (('client', 1300), ('server', 20)):
            end = self.wait_count(d, CLOSED, side, PORT, 1)
            self.assertEqual(self.values(end, side, PORT, OPENED, CLOSED, UNREPORTED, SENT),
                             (0, 1, 0, sent), side)
        d.stop()

    def test_a_restart_of_the_daemon_is_a_new_baseline(self):
        self.keep(IPV4.listen(PORT))
        traffic = self.traffic(20, 5001, 'client', kept=10)
        d = self.exact()
        d.wait_polls('listeners')
        traffic.go('kept')
        self.wait_count(d, OPENED, 'server', 5001, 10)
        d.stop()
        d = self.exact()
        first = d.wait_polls()
        self.assertEqual(self.values(first, 'server', 5001, OPENED, CLOSED, SENT), (0, 0, 0))
        traffic.go('done')
        scrape = self.wait_count(d, CLOSED, 'client', 5001, 20)
        for side, sent in (('client', 10000), ('server', 2000)):
            self.assertEqual(self.values(scrape, side, 5001, OPENED, CLOSED, SENT),
                             (10, 20, 10 * sent), side)
        d.stop()

    def test_one_born_under_the_daemon_counts_from_zero(self):
        d = self.exact()
        listener, client, server = self.keep(*IPV4.pair(PORT))
        pass_bytes(client, server, 5000)
        scrape = self.wait_count(d, SENT, 'client', PORT, 5000)
        self.assertEqual(self.values(scrape, 'client', PORT, OPENED, CLOSED, SENT), (1, 0, 5000))
        self.assertEqual(self.values(scrape, 'server', PORT, OPENED, CLOSED, RECEIVED),
                         (1, 0, 5000))
        d.stop()


class Gone(counting.Case):
    """A socket leaves the kernel's table before the application lets go of it."""

    def assert_counted_once(self, d, side, held, *expected):
        """One end is held by a descriptor though it is gone: closed once, by the poll, and its last
        bytes when the descriptor closes. EXPECTED: the bytes sent."""
        gone = self.wait_count(d, CLOSED, side, PORT, 1)
        self.assertEqual(self.values(gone, side, PORT, OPENED, CLOSED), (1, 1))
        later = d.wait_polls(count=4)
        self.assertEqual(self.values(later, side, PORT, OPENED, CLOSED), (1, 1))
        tracked = later.value('sockstatd_tracked_sockets')
        held.close()
        self.wait_told(d, later, 1)
        end = d.wait_polls()
        self.assertEqual(self.values(end, side, PORT, OPENED, CLOSED, SENT),
                         (1, 1, *expected))
        for name in ('closed_rtt_seconds', 'closed_sent_bytes', 'closed_received_bytes'):
            self.assertEqual(self.of(end, name + '_count', side, PORT), 1, name)
        self.assertEqual(end.value('sockstatd_tracked_sockets'), tracked - 1)
        self.assertEqual(self.ignored(end), self.ignored(later))
        self.assert_none_fell(gone, later)
        self.assert_none_fell(later, end)

    def pair(self, d):
        """(client, server) of a connection that a poll has seen, with 1000 bytes."""
        listener, client, server = IPV4.pair(PORT)
        self.keep(listener)
        pass_bytes(client, server, 1000)
        pass_bytes(server, client, 100)
        self.wait_count(d, SENT, 'client', PORT, 1000)
        return client, server

    def test_a_client_that_was_reset_and_is_held(self):
        d = self.exact()
        client, server = self.pair(d)
        pass_bytes(client, server, 234)
        namespace.reset(server)
        self.assert_counted_once(d, 'client', client, 1234)
        scrape = d.wait_polls()
        self.assertEqual(self.values(scrape, 'client', PORT, UNREPORTED, RECEIVED), (0, 100))
        self.assertEqual(self.values(scrape, 'server', PORT, OPENED, CLOSED, UNREPORTED, SENT),
                         (1, 1, 1, 100))
        d.stop()

    def test_a_client_in_time_wait_that_is_held(self):
        d = self.exact()
        client, server = self.pair(d)
        pass_bytes(client, server, 234)
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(server.recv(1), b'')
        server.close()
        self.assertEqual(client.recv(1), b'')
        self.assert_counted_once(d, 'client', client, 1234)
        scrape = d.wait_polls()
        self.assertEqual(self.values(scrape, 'server', PORT, OPENED, CLOSED, UNREPORTED, SENT),
                         (1, 1, 0, 100))
        d.stop()

    def test_a_server_that_closed_first_and_is_held(self):
        d = self.exact()
        client, server = self.pair(d)
        pass_bytes(server, client, 50)
        server.shutdown(socket.SHUT_WR)
        self.assertEqual(client.recv(1), b'')
        client.close()
        self.assertEqual(server.recv(1), b'')
        self.assert_counted_once(d, 'server', server, 150)
        d.stop()

    def test_one_that_no_poll_saw_before_it_was_gone(self):
        d = self.exact(counting.NEVER_POLLS)
        self.keep(IPV4.listen(5001))
        listener, client, server = IPV4.pair(PORT)
        self.keep(listener)
        d.wait_polls('listeners')
        pass_bytes(client, server, 1000)
        namespace.reset(server)
        d.reload(counting.EXACT)
        before = d.wait_polls(count=4)
        self.assertFalse(self.of(before, OPENED, 'client', PORT))
        client.close()
        self.wait_told(d, before, 1)
        scrape = self.wait_count(d, CLOSED, 'client', PORT, 1)
        self.assertEqual(self.values(scrape, 'client', PORT, OPENED, CLOSED, SENT), (1, 1, 1000))
        d.stop()


class Again(counting.Case):
    """One socket is several connections, by connect() to AF_UNSPEC."""

    def reconnect(self, client, listener):
        """The client gives its connection up and makes another; the other end of that."""
        disconnect(client)
        client.connect(('127.0.0.1', PORT))
        return listener.accept()[0]

    def assert_two(self, d, client, server, sent):
        """Two connections are counted, of which the second closes in order."""
        client.close()
        self.assertEqual(server.recv(1), b'')
        server.close()
        scrape = self.wait_count(d, CLOSED, 'client', PORT, 2)
        self.assertEqual(self.values(scrape, 'client', PORT, OPENED, CLOSED, SENT), (2, 2, sent))
        scrape = self.wait_count(d, CLOSED, 'server', PORT, 2)
        self.assertEqual(self.values(scrape, 'server', PORT, OPENED, CLOSED), (2, 2))

    def test_with_more_bytes_than_before(self):
        d = self.exact()
        listener, client, server = self.keep(*IPV4.pair(PORT))
        pass_bytes(client, server, 1000)
        self.wait_count(d, SENT, 'client', PORT, 1000)
        again = self.reconnect(client, listener)
        server.close()
        pass_bytes(client, again, 3000)
        self.assert_two(d, client, again, 4000)
        d.stop()

    def test_with_fewer_bytes_and_a_poll_between(self):
        d = self.exact()
        listener, client, server = self.keep(*IPV4.pair(PORT))
        pass_bytes(client, server, 1000)
        self.wait_count(d, SENT, 'client', PORT, 1000)
        disconnect(client)
        d.wait_polls()
        client.connect(('127.0.0.1', PORT))
        again = listener.accept()[0]
        server.close()
        pass_bytes(client, again, 300)
        self.wait_count(d, SENT, 'client', PORT, 1300)
        self.assert_two(d, client, again, 1300)
        d.stop()

    def test_from_the_same_port(self):
        d = self.exact()
        listener = self.keep(IPV4.listen(PORT))
        client = namespace.connect(('127.0.0.1', PORT), source=('127.0.0.1', 6000))
        server = listener.accept()[0]
        pass_bytes(client, server, 1000)
        self.wait_count(d, SENT, 'client', PORT, 1000)
        again = self.reconnect(client, listener)
        server.close()
        pass_bytes(client, again, 300)
        self.wait_count(d, SENT, 'client', PORT, 1300)
        self.assert_two(d, client, again, 1300)
        d.stop()


class NoConnection(counting.Case):
    """Destroy events of sockets that were none."""

    COUNT = 10

    def assert_ignored(self, make, events, port=NOBODY):
        """MAKE() leaves so many events, which are ignored, and nothing else. PORT: of no group."""
        d = self.exact()
        before = d.wait_polls()
        make()
        after = self.wait_told(d, before, events)
        after = d.wait_polls()
        self.assertEqual(self.ignored(after) - self.ignored(before), events)
        self.assertEqual(self.told(after) - self.told(before), events)
        for name in (OPENED, CLOSED, UNREPORTED):
            self.assertEqual(after.series('sockstat_tcp_' + name),
                             before.series('sockstat_tcp_' + name), name)
        self.assertIsNone(self.of(after, OPENED, 'client', port))
        d.stop()

    def refused(self, family, blocking):
        """A connection that nobody takes; how it ended."""
        with socket.socket(family.connect_family) as s:
            s.setblocking(blocking)
            s.connect_ex((family.connect_address, NOBODY))

    def test_never_connected(self):
        def make():
            for family in (socket.AF_INET, socket.AF_INET6) * (self.COUNT // 2):
                socket.socket(family).close()
        self.assert_ignored(make, self.COUNT)

    def test_listeners(self):
        def make():
            for n in range(self.COUNT):
                namespace.FAMILIES[n % 3].listen(NOBODY).close()
        self.assert_ignored(make, self.COUNT)

    def test_refused(self):
        def make():
            for n in range(self.COUNT):
                self.refused(namespace.FAMILIES[n % 2], True)
        self.assert_ignored(make, self.COUNT)

    def test_refused_without_waiting(self):
        """As event loops connect: the kernel leaves ports and the RST's count in the event."""
        def make():
            for n in range(self.COUNT):
                self.refused(namespace.FAMILIES[n % 2], False)
        self.assert_ignored(make, self.COUNT)

    def test_given_up_while_connecting(self):
        namespace.drop(f'tcp dport {NOBODY}')
        def make():
            for n in range(self.COUNT):
                self.refused(namespace.FAMILIES[n % 2], False)
        self.assert_ignored(make, self.COUNT)

    def test_refused_after_a_poll_saw_it_connecting(self):
        namespace.drop(f'tcp dport {NOBODY}')
        client = self.keep(IPV4.connect(NOBODY, wait=False))
        d = self.exact()
        before = d.wait_polls()
        namespace.undrop()
        # Its next SYN is answered with RST.
        d.wait_until(lambda: client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 'a refusal')
        client.close()
        after = self.wait_told(d, before, 1)
        self.assertEqual(self.ignored(after) - self.ignored(before), 1)
        for name in (OPENED, CLOSED, UNREPORTED):
            self.assertFalse(self.of(after, name, 'client', NOBODY), name)
        d.stop()


class Side(counting.Case):
    """A connection keeps the side that it had when it was first counted."""

    def opened_by_side(self, scrape):
        """How many connections have opened on each, whatever the port."""
        opened = collections.Counter()
        for (side, _), value in scrape.by('sockstat_tcp_' + OPENED, 'side', 'port').items():
            opened[side] += value
        return opened

    def test_it_is_server_however_new_the_listener(self):
        """A dump that has passed the listeners shows what one takes that has come since."""
        # Nothing is folded, which would forget what had been counted.
        d = self.exact(counting.EXACT + 'limits: {ports: 1}\n')
        before = self.opened_by_side(d.wait_polls())
        for port in range(PORT, PORT + 1000):
            self.keep(*IPV4.pair(port))
        after = self.opened_by_side(d.wait_polls())
        for side in ('client', 'server'):
            self.assertEqual(after[side] - before[side], 1000, side)
        d.stop()

    def test_it_stays_server_when_the_listener_has_closed(self):
        d = self.exact()
        listener, client, server = IPV4.pair(PORT)
        pass_bytes(client, server, 1000)
        self.wait_count(d, OPENED, 'server', PORT, 1)
        listener.close()
        d.wait_polls('listeners')
        pass_bytes(server, client, 500)
        scrape = self.wait_count(d, SENT, 'server', PORT, 500)
        self.assertEqual(self.values(scrape, 'server', PORT, OPENED, CLOSED, RECEIVED),
                         (1, 0, 1000))
        pass_bytes(server, client, 70)
        server.close()
        self.assertEqual(client.recv(1), b'')
        client.close()
        scrape = self.wait_count(d, CLOSED, 'server', PORT, 1)
        self.assertEqual(self.values(scrape, 'server', PORT, OPENED, CLOSED, SENT), (1, 1, 570))
        scrape = self.wait_count(d, CLOSED, 'client', PORT, 1)
        self.assertEqual(self.values(scrape, 'client', PORT, OPENED, CLOSED), (1, 1))
        # Of the server's end no other group has got anything.
        remote = {labels for labels, value in scrape.series('sockstat_tcp_' + OPENED).items()
                  if value and not {('port', str(PORT)), ('port', str(d.port))} & labels}
        self.assertEqual(remote, set())
        d.stop()

    def test_one_that_no_poll_saw_is_server_after_its_listener(self):
        d = self.exact(counting.NEVER_POLLS)
        before = d.scrape()
        listener, client, server = IPV4.pair(PORT)
        d.wait_polls('listeners')
        listener.close()
        d.wait_polls('listeners')
        pass_bytes(client, server, 1000)
        client.close()
        self.assertEqual(server.recv(1), b'')
        server.close()
        d.wait_metrics(lambda m: self.told(m) >= self.told(before) + 3, 'three events')
        d.reload(counting.EXACT)
        scrape = d.wait_polls()
        self.assertEqual(self.values(scrape, 'server', PORT, OPENED, CLOSED), (1, 1))
        self.assertEqual(self.values(scrape, 'client', PORT, OPENED, CLOSED, SENT), (1, 1, 1000))
        d.stop()


if __name__ == '__main__':
    truth.main()
