#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""UDP by local port on /metrics is what `ss` and /proc show: states, queues, and the datagrams that
found no room, which are counted from the birth of a socket and never twice."""
import collections
import socket
import unittest

import daemon
import namespace
import othersocks
import truth

DATAGRAM = bytes(100)
FAMILIES = ('sockets', 'receive_queue_bytes', 'send_queue_bytes', 'drops_total')


def is_ipv6(address):
    return ':' in address


class UdpCase(othersocks.Case):
    """Sockets of UDP, and what /metrics says of their ports."""

    def bind(self, port, address='127.0.0.1', room=None, share=False):
        """A socket that waits for datagrams; with ROOM its buffer is that small."""
        s = self.keep(socket.socket(socket.AF_INET6 if is_ipv6(address) else socket.AF_INET,
                                    socket.SOCK_DGRAM))
        if room is not None:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        if share:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        s.bind((address, port))
        return s

    def send(self, port, count=1, address='127.0.0.1'):
        """Datagrams to a port, from a socket that is gone afterwards."""
        family = socket.AF_INET6 if is_ipv6(address) else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as s:
            for _ in range(count):
                s.sendto(DATAGRAM, (address, port))

    def overflow(self, port, address='127.0.0.1', count=30):
        """Sends more than a small buffer holds; what the kernel dropped for it, at least one."""
        before = self.dropped(port)
        self.send(port, count, address)
        dropped = self.dropped(port) - before
        self.assertGreater(dropped, 0)
        return dropped

    def dropped(self, port):
        """The drops of the sockets that are at a port now, as ss shows them."""
        return sum(row.drops for row in othersocks.udp() if row.port == port)

    def drops(self, scrape, port):
        """sockstat_udp_drops_total of a port, or None."""
        return scrape.value('sockstat_udp_drops_total', port=str(port))

    def wait_drops(self, d, port, count):
        """Waits until as many are counted, and for polls after that lest more are."""
        d.wait_metrics(lambda m: (self.drops(m, port) or 0) >= count, f'{count} drops')
        scrape = d.wait_polls()
        self.assertEqual(self.drops(scrape, port), count)
        return scrape

    def assert_agrees(self, d, label=str):
        """Each port, under the label that LABEL(port) is, has what ss shows; the scrape."""
        rows, scrape = self.held_still(d, othersocks.udp)
        self.assertEqual(rows, othersocks.proc_udp())
        states, receive, send = (collections.Counter() for _ in range(3))
        for row in rows:
            states[label(row.port), row.state] += 1
            receive[label(row.port)] += row.receive_queue
            send[label(row.port)] += row.send_queue
        shown = scrape.by('sockstat_udp_sockets', 'port', 'state')
        self.assertEqual({key: n for key, n in shown.items() if n}, dict(states))
        ports = {port for port, _ in states}
        for port in ports:
            self.assertLessEqual({(port, 'established'), (port, 'unconnected')}, set(shown), port)
        for name, expected in (('receive_queue_bytes', receive), ('send_queue_bytes', send)):
            shown = scrape.by('sockstat_udp_' + name, 'port')
            self.assertEqual({port: n for port, n in shown.items() if n},
                             {port: n for port, n in expected.items() if n}, name)
            self.assertLessEqual(ports, set(shown), name)
        return scrape


class Udp:
    """What holds whichever source there is."""

    def make_all(self):
        """Both families, both states, both queues, several at one port."""
        for address, port in (('127.0.0.1', 5000), ('::1', 5001), ('::', 5002), ('0.0.0.0', 5003),
                              ('::1', 5000)):
            self.bind(port, address)
        for _ in range(3):
            self.bind(5004, share=True)
        self.send(5000, 2)
        self.send(5001, 3, '::1')
        self.send(5002, 4)  # mapped
        for port, address in ((5005, '127.0.0.1'), (5006, '::1')):
            peer = self.bind(port, address)
            peer.connect((address, 9))
            peer.send(DATAGRAM, socket.MSG_MORE)  # stays in the send queue until more comes

    def test_states_and_queues_made_under_a_running_daemon(self):
        d = self.start()
        self.make_all()
        rows = othersocks.udp()
        for value in ('receive_queue', 'send_queue'):
            self.assertGreater(sum(getattr(row, value) for row in rows), 0, value)
        self.assertEqual({row.state for row in rows}, {'established', 'unconnected'})
        self.assert_source(self.assert_agrees(d), 'udp')
        d.stop()

    def test_states_and_queues_that_were_there_before(self):
        self.make_all()
        d = self.start()
        self.assert_agrees(d)
        d.stop()

    def test_what_was_read_and_closed_has_left(self):
        d = self.start()
        reader, closer = self.bind(5000), self.bind(5001)
        self.send(5000, 3)
        self.assert_agrees(d)
        for _ in range(3):
            reader.recv(len(DATAGRAM))
        closer.close()
        scrape = self.assert_agrees(d)
        self.assertEqual(scrape.value('sockstat_udp_receive_queue_bytes', port='5000'), 0)
        # The port stays for limits.idle, and says 0.
        self.assertEqual(scrape.value('sockstat_udp_sockets', port='5001', state='unconnected'), 0)
        self.assertEqual(scrape.value('sockstat_udp_receive_queue_bytes', port='5001'), 0)
        d.stop()

    def test_a_lite_socket_is_none(self):
        try:
            s = self.keep(socket.socket(socket.AF_INET, socket.SOCK_DGRAM,
                                        socket.IPPROTO_UDPLITE))
        except OSError as e:
            raise unittest.SkipTest(f'no UDP-Lite: {e}') from None
        s.bind(('127.0.0.1', 5000))
        self.bind(5001)
        d = self.start()
        shown = self.assert_agrees(d).by('sockstat_udp_sockets', 'port')
        self.assertEqual(set(shown), {'5001'})
        d.stop()

    def test_drops_of_sockets_born_under_the_daemon_are_all_counted(self):
        d = self.start()
        for port, address in ((5000, '127.0.0.1'), (5001, '::1'), (5002, '::')):
            self.bind(port, address, room=1)
            target = '127.0.0.1' if address == '::' else address
            count = self.overflow(port, target)
            self.wait_drops(d, port, count)
            count += self.overflow(port, target)
            self.assertEqual(count, self.dropped(port))
            self.wait_drops(d, port, count)
        d.stop()

    def test_drops_before_the_daemon_are_not_counted(self):
        self.bind(5000, room=1)
        self.overflow(5000)
        d = self.start()
        self.assertEqual(self.drops(d.wait_polls(), 5000), 0)
        self.wait_drops(d, 5000, self.overflow(5000))
        d.stop()

    def test_a_port_without_drops_says_0(self):
        self.bind(5000)
        d = self.start()
        self.assertEqual(self.drops(d.wait_polls(), 5000), 0)
        d.stop()

    def test_drops_of_several_sockets_at_a_port_add_up(self):
        d = self.start()
        self.bind(5000, '127.0.0.1', room=1)
        self.bind(5000, '127.0.0.2', room=1)
        self.bind(5000, '::1', room=1)
        count = sum(self.overflow(5000, address)
                    for address in ('127.0.0.1', '127.0.0.2', '::1'))
        self.wait_drops(d, 5000, count)
        d.stop()

    def test_the_counter_survives_the_sockets(self):
        d = self.start()
        first = self.bind(5000, room=1)
        other = self.bind(5001, room=1)
        count, of_other = self.overflow(5000), self.overflow(5001)
        self.wait_drops(d, 5000, count)
        first.close()
        scrape = d.wait_polls()
        self.assertEqual(self.drops(scrape, 5000), count)
        self.bind(5000, room=1)
        count += self.overflow(5000)
        self.wait_drops(d, 5000, count)
        self.wait_drops(d, 5001, of_other)
        other.close()
        d.stop()

    def test_ports_of_the_range_are_ephemeral_unless_configured(self):
        namespace.sysctl('ipv4.ip_local_port_range', '40000 40100')
        d = self.start(daemon.FAST + 'ports: {server: [40001], client: [40002]}\n')
        for port in (39999, 40000, 40001, 40002, 40100, 40101):
            self.bind(port)
        self.send(40000)
        self.send(40100, 2)
        self.bind(40003, room=1)
        own = (39999, 40001, 40101)
        scrape = self.assert_agrees(d, lambda port: str(port) if port in own else 'ephemeral')
        self.assertEqual(scrape.value('sockstat_udp_sockets', port='ephemeral',
                                      state='unconnected'), 4)
        self.wait_drops(d, 'ephemeral', self.overflow(40003))
        d.stop()

    def test_ports_beyond_the_limit_are_other_and_nothing_is_lost(self):
        d = self.start(daemon.FAST + 'limits: {ports: 4}\nports: {server: [5009]}\n')
        for port in range(5000, 5010):
            self.bind(port, room=1)
            self.send(port)
        rows, scrape = self.held_still(d, othersocks.udp)
        self.assertEqual(len(rows), 10)
        ports = set(scrape.by('sockstat_udp_receive_queue_bytes', 'port'))
        self.assertIn('other', ports)
        self.assertIn('5009', ports)
        self.assertEqual(len(ports - {'other'}), 5, 'the one that is configured, and four')
        self.assertEqual(sum(scrape.series('sockstat_udp_sockets').values()), 10)
        self.assertEqual(sum(scrape.series('sockstat_udp_receive_queue_bytes').values()),
                         sum(row.receive_queue for row in rows))
        count = sum(self.overflow(port) for port in range(5000, 5010))
        def all_drops(m):
            return sum(m.series('sockstat_udp_drops_total').values())
        d.wait_metrics(lambda m: all_drops(m) >= count, f'{count} drops')
        self.assertEqual(all_drops(d.wait_polls()), count)
        d.stop()

    def test_tcp_has_its_own_places(self):
        """Ports of UDP take none from TCP."""
        for port in range(5000, 5004):
            self.bind(port)
        d = self.start(daemon.FAST + 'limits: {ports: 4}\n')
        d.wait_polls()
        self.keep(*namespace.IPV4.pair(6000))
        scrape = d.wait_polls()
        self.assertEqual(scrape.value('sockstat_tcp_sockets', side='server', port='6000',
                                      state='listen'), 1)
        self.assertEqual(set(scrape.by('sockstat_udp_drops_total', 'port')),
                         {str(port) for port in range(5000, 5004)})
        d.stop()


class NetlinkUdp(Udp, UdpCase):
    source = 'netlink'


class ProcfsUdp(Udp, UdpCase):
    source = 'procfs'


class Switch(UdpCase):
    """A reload changes the source while sockets stay."""

    def configure(self, source):
        return daemon.FAST + f'source: {source}\n'

    def switch(self, d, source):
        """A scrape of polls from the other source."""
        d.reload(self.configure(source))
        d.wait_metrics(lambda m: othersocks.sources(m, 'udp').get(source) == 1, source)
        return d.wait_polls()

    def assert_follows(self, first, second):
        """Drops of a socket older than the daemon, of one that it saw being born under each
        source, and of one that has gone: none is lost by the switches, none counted twice."""
        self.bind(5000, room=1)
        self.overflow(5000)
        d = self.daemon(self.configure(first))
        d.wait_polls()
        gone = self.bind(5001, room=1)
        self.bind(5002, '::1', room=1)
        addresses = {5000: '127.0.0.1', 5001: '127.0.0.1', 5002: '::1', 5003: '127.0.0.1'}
        counts = {port: self.overflow(port, addresses[port]) for port in (5000, 5001, 5002)}
        for port, count in counts.items():
            self.wait_drops(d, port, count)
        gone.close()
        self.switch(d, second)
        self.bind(5003, room=1)
        counts[5003] = 0
        for source in (first, second, first):
            for port in (5000, 5002, 5003):
                counts[port] += self.overflow(port, addresses[port])
            for port, count in counts.items():
                self.wait_drops(d, port, count)
            # These fall while the source changes, or just before.
            for port in (5000, 5002, 5003):
                counts[port] += self.overflow(port, addresses[port])
            self.switch(d, source)
            for port, count in counts.items():
                self.wait_drops(d, port, count)
        d.stop()

    def test_from_netlink_to_procfs_and_back(self):
        self.assert_follows('netlink', 'procfs')

    def test_from_procfs_to_netlink_and_back(self):
        self.assert_follows('procfs', 'netlink')

    def test_gauges_are_the_same_from_both(self):
        self.bind(5000)
        self.send(5000, 3)
        self.bind(5001, '::1').connect(('::1', 9))
        d = self.daemon(self.configure('netlink'))
        before = self.assert_agrees(d)
        self.switch(d, 'procfs')
        after = self.assert_agrees(d)
        for name in FAMILIES:
            name = 'sockstat_udp_' + name
            self.assertTrue(before.series(name), name)
            self.assertEqual(before.series(name), after.series(name))
        d.stop()


if __name__ == '__main__':
    truth.main()
