#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the counters of connections count, held against `ss -ti` and nstat: segments sent again, and
the time in which a transfer was busy or waited for a window or for room to send."""
import socket

import counting
import namespace
import sstool
import truth
from counting import CLOSED, OPENED, UNREPORTED

IPV4 = namespace.IPV4
PORT = IPV4.base
NOBODY = 5099  # a port without a listener
RETRANSMITTED = 'retransmitted_segments_total'
DATA = 'meta length > 100'
DATA_BYTES = 3000


class Retransmits(counting.Case):
    """Segments are dropped for a while; the namespace has its own TcpRetransSegs."""

    def settled(self, d):
        """(the sum over all our groups, TcpRetransSegs, scrape): the scrape shows a poll during
        which nothing was sent again, not even what we are told by."""
        def attempt():
            before = sstool.netstat('TcpRetransSegs')
            scrape = d.wait_polls()
            ours = sum(scrape.series('sockstat_tcp_' + RETRANSMITTED).values())
            return (ours, before, scrape) if before == sstool.netstat('TcpRetransSegs') else None
        return d.wait_until(attempt, 'nothing to be sent again for a poll')

    def wait_repeated(self, d, name, count):
        """Waits until a counter of nstat has come to COUNT."""
        d.wait_until(lambda: sstool.netstat(name) >= count, f'{name} to be {count}')

    def transfer(self, d, pairs, count):
        """All clients send into the void until the kernel has repeated COUNT segments; then they
        arrive."""
        namespace.drop(f'tcp dport {PORT} {DATA}')
        for client, _ in pairs:
            client.sendall(bytes(DATA_BYTES))
        self.wait_repeated(d, 'TcpRetransSegs', sstool.netstat('TcpRetransSegs') + count)
        namespace.undrop()
        for _, server in pairs:
            self.assertEqual(len(server.recv(DATA_BYTES, socket.MSG_WAITALL)), DATA_BYTES)

    def test_of_connections_that_close_in_order_it_is_what_nstat_says(self):
        d = self.exact()
        listener = self.keep(IPV4.listen(PORT, backlog=64))
        d.wait_polls()
        pairs = [IPV4.pair(PORT, listener)[1:] for _ in range(20)]
        self.transfer(d, pairs, 40)
        held, rest = pairs[:10], pairs[10:]
        for client, server in rest:
            client.close()
            self.assertEqual(server.recv(1), b'')
            server.close()
        self.transfer(d, held, 20)
        for client, server in held:
            server.close()
            self.assertEqual(client.recv(1), b'')
            client.close()
        self.wait_count(d, CLOSED, 'server', PORT, 20)
        self.wait_count(d, CLOSED, 'client', PORT, 20)
        ours, kernels, scrape = self.settled(d)
        self.assertEqual(ours, kernels)
        self.assertEqual(self.of(scrape, OPENED, 'client', PORT), 20)
        self.assertGreaterEqual(self.of(scrape, RETRANSMITTED, 'client', PORT), 60)
        self.assertEqual(self.of(scrape, 'acked_bytes_total', 'client', PORT), 30 * DATA_BYTES)
        self.assertEqual(self.of(scrape, 'sent_bytes_total', 'client', PORT)
                         - self.of(scrape, 'retransmitted_bytes_total', 'client', PORT),
                         30 * DATA_BYTES)
        self.assertGreater(self.of(scrape, 'retransmission_timeouts_total', 'client', PORT), 0)
        d.stop()

    def test_failed_handshakes_are_with_nstat_alone(self):
        namespace.drop(f'tcp dport {NOBODY}')
        namespace.drop(f'tcp dport {PORT} tcp flags & (fin|syn|ack) == ack')
        d = self.exact()
        d.wait_polls()
        listener = IPV4.listen(PORT)
        for _ in range(5):
            self.keep(IPV4.connect(PORT), IPV4.connect(NOBODY, wait=False))
        self.wait_repeated(d, 'TcpExtTCPSynRetrans', 10)
        listener.close()  # first, lest a FIN completes a handshake
        while self._kept:
            self._kept.pop().close()
        ours, kernels, scrape = self.settled(d)
        self.assertEqual(kernels - ours, sstool.netstat('TcpExtTCPSynRetrans'))
        self.assertEqual(self.total(scrape, RETRANSMITTED, PORT, NOBODY), 0)
        d.stop()

    def test_handshakes_that_complete_late_are_with_both(self):
        namespace.drop(f'tcp dport {PORT} tcp flags & (fin|syn|ack) == ack')
        d = self.exact()
        d.wait_polls()
        listener, client = self.keep(IPV4.listen(PORT), IPV4.connect(PORT))
        self.wait_repeated(d, 'TcpExtTCPSynRetrans', 1)
        namespace.undrop()
        client.sendall(bytes(10))
        self.keep(listener.accept()[0])
        self.wait_count(d, OPENED, 'server', PORT, 1)
        ours, kernels, scrape = self.settled(d)
        self.assertEqual(ours, kernels)
        self.assertGreaterEqual(self.of(scrape, RETRANSMITTED, 'server', PORT), 1)
        d.stop()

    def test_of_an_abort_nstat_alone_has_what_no_poll_saw(self):
        d = self.exact(counting.NEVER_POLLS)
        listener, client, server = self.keep(*IPV4.pair(PORT))
        self.assertTrue(listener and server)
        namespace.drop(f'tcp dport {PORT} {DATA}')
        client.sendall(bytes(DATA_BYTES))
        self.wait_repeated(d, 'TcpRetransSegs', 2)
        namespace.reset(client)
        d.reload(counting.EXACT)
        ours, kernels, scrape = self.settled(d)
        self.assertGreaterEqual(kernels - ours, 2)
        self.assertEqual(self.total(scrape, RETRANSMITTED, PORT), 0)
        d.stop()

    def test_of_an_abort_what_a_poll_saw_stays(self):
        d = self.exact()
        _, client, _ = self.keep(*IPV4.pair(PORT))
        namespace.drop(f'tcp dport {PORT} {DATA}')
        client.sendall(bytes(DATA_BYTES))
        self.wait_repeated(d, 'TcpRetransSegs', 2)
        seen = self.of(d.wait_polls(), RETRANSMITTED, 'client', PORT)
        self.assertGreaterEqual(seen, 2)
        namespace.reset(client)
        self.wait_count(d, UNREPORTED, 'client', PORT, 1)
        ours, kernels, scrape = self.settled(d)
        self.assertLessEqual(ours, kernels)
        self.assertLessEqual(seen, self.of(scrape, RETRANSMITTED, 'client', PORT))
        d.stop()


class Limits(counting.Case):
    """The time in which a transfer was busy, and what it waited for, as `ss -ti` has it."""

    NAMES = {'busy_seconds_total': 'busy', 'send_buffer_limited_seconds_total': 'sndbuf_limited',
             'receive_window_limited_seconds_total': 'rwnd_limited'}
    ENOUGH_MS = 300

    def times(self):
        """{our name: milliseconds} of the client."""
        row, = (row for row in sstool.rows() if row.remote.port == PORT)
        return {name: row.number(word) for name, word in self.NAMES.items()}

    def bracketed(self, d):
        """A scrape, held against ss before its poll and after it; it knows milliseconds."""
        before = self.times()
        scrape = d.wait_polls()
        after = self.times()
        for name in self.NAMES:
            ours_ms = round(self.of(scrape, name, 'client', PORT) * 1000, 3)
            self.assertTrue(before[name] <= ours_ms <= after[name] + 1,
                            (name, before, ours_ms, after))
        return scrape

    def assert_grows_as_in_ss(self, d, *limiting):
        """Those times grow that LIMITING names, and busy, which includes them; others do not."""
        first = self.bracketed(d)
        d.wait_until(lambda: all(self.times()[name] > self.ENOUGH_MS for name in limiting),
                     'the transfer to be limited')
        second = self.bracketed(d)
        self.assert_none_fell(first, second)
        for name in self.NAMES:
            grew = (self.of(second, name, 'client', PORT) - self.of(first, name, 'client', PORT))
            self.assertEqual(grew > 0, name in limiting, name)
            self.assertEqual(self.of(second, name, 'server', PORT), 0, name)
        return second

    def fill(self, client):
        """Writes until there is no room; how many bytes."""
        client.setblocking(False)
        count = 0
        try:
            while True:
                count += client.send(bytes(100000))
        except BlockingIOError:
            return count

    def drain(self, server, count):
        """Reads COUNT bytes."""
        while count:
            count -= len(server.recv(min(count, 1 << 20)))

    def assert_stays(self, d, client, server, before):
        """When the connection has closed the last values stand; but it is busy with its FIN."""
        client.close()
        self.assertEqual(server.recv(1), b'')
        server.close()
        after = self.wait_count(d, CLOSED, 'client', PORT, 1)
        for name in self.NAMES:
            grew = self.of(after, name, 'client', PORT) - self.of(before, name, 'client', PORT)
            self.assertTrue(grew == 0 or name == 'busy_seconds_total' and grew > 0, (name, grew))

    def finish(self, d, client, server, count):
        """The transfer ends, and then the connection."""
        self.drain(server, count)
        d.wait_until(lambda: namespace.unacked_bytes(client) == 0, 'all to be acknowledged')
        self.assert_stays(d, client, server, self.bracketed(d))

    def test_a_receiver_that_does_not_read(self):
        d = self.exact()
        listener, client, server = IPV4.pair(PORT)
        self.keep(listener)
        count = self.fill(client)
        self.assert_grows_as_in_ss(d, 'busy_seconds_total', 'receive_window_limited_seconds_total')
        self.finish(d, client, server, count)
        d.stop()

    def test_a_send_buffer_that_is_too_small(self):
        d = self.exact()
        listener, client, server = IPV4.pair(PORT)
        self.keep(listener)
        namespace.delay_nothing(client)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4608)
        namespace.drop(f'tcp sport {PORT}')  # the acknowledgements
        count = self.fill(client)
        # The kernel takes notice when it sends something and has found no room before. So there
        # comes a little room, too little to be told of: it doubles what it is given.
        row, = (row for row in sstool.rows() if row.remote.port == PORT)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF,
                          row.skmem['wmem_queued'] // 2 + 1000)
        count += client.send(bytes(100))
        self.assert_grows_as_in_ss(d, 'busy_seconds_total', 'send_buffer_limited_seconds_total')
        namespace.undrop()
        self.finish(d, client, server, count)
        d.stop()

    def test_a_network_that_does_not_answer(self):
        d = self.exact()
        listener, client, server = IPV4.pair(PORT)
        self.keep(listener)
        namespace.drop(f'tcp sport {PORT}')
        client.sendall(bytes(1000))
        self.assert_grows_as_in_ss(d, 'busy_seconds_total')
        namespace.undrop()
        self.finish(d, client, server, 1000)
        d.stop()


if __name__ == '__main__':
    truth.main()
