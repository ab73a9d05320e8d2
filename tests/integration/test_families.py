#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Raw, packet, netlink and MPTCP sockets on /metrics are those of `ss` and /proc; a family that is
switched off shows nothing, and which source each of them has is told."""
import socket
import unittest

import daemon
import namespace
import othersocks
import sstool
import truth
from othersocks import EXTENDED, proc_rows

MPTCP = 262  # IPPROTO_MPTCP
ALL_PROTOCOLS = 3  # ETH_P_ALL
FAMILIES = ('tcp', 'udp', 'unix', 'raw', 'packet', 'netlink', 'mptcp')
# The key of `families`, what it switches, and the families of the kernel behind it.
SWITCHES = {
    'udp': (('sockstat_udp_',), ('udp',)),
    'unix': (('sockstat_unix_',), ('unix',)),
    'raw': (('sockstat_raw_', 'sockstat_packet_', 'sockstat_netlink_'),
            ('raw', 'packet', 'netlink')),
    'mptcp': (('sockstat_mptcp_',), ('mptcp',)),
}


def ss_count(*arguments):
    """How many sockets `ss` shows."""
    return len(namespace.run('ss', '-HanO', *arguments).splitlines())


def proc_counts():
    """What /proc shows of each kind."""
    return {'raw': len(proc_rows('raw') + proc_rows('raw6')), 'packet': len(proc_rows('packet')),
            'netlink': len(proc_rows('netlink'))}


def shown(scrape):
    """And what /metrics shows."""
    return {kind: scrape.value(f'sockstat_{kind}_sockets') for kind in proc_counts()}


def mptcp_socket(family):
    """A socket of MPTCP; the test is skipped where the kernel has none."""
    try:
        s = socket.socket(family, socket.SOCK_STREAM, MPTCP)
    except OSError as e:
        raise unittest.SkipTest(f'no MPTCP: {e}') from None
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return s


class Plain:
    """Those of which only the number is shown, whichever source there is."""

    def assert_agrees(self, d):
        """The daemon counts what /proc and ss show; the scrape."""
        counts, scrape = self.held_still(d, proc_counts)
        self.assertEqual(shown(scrape), counts)
        self.assertEqual(ss_count('-w'), counts['raw'])
        self.assertEqual(ss_count('-0'), counts['packet'])
        # Netlink's are not held against ss, which shows a member of multicast groups twice.
        return scrape

    def test_none_but_those_of_netlink(self):
        d = self.start()
        scrape = self.assert_agrees(d)
        self.assertEqual((shown(scrape)['raw'], shown(scrape)['packet']), (0, 0))
        self.assertGreater(shown(scrape)['netlink'], 0, 'the kernel has some itself')
        d.stop()

    def test_each_kind_is_counted_for_itself(self):
        d = self.start()
        before = shown(self.assert_agrees(d))
        for family, protocol, count in ((socket.AF_INET, socket.IPPROTO_ICMP, 2),
                                        (socket.AF_INET6, socket.IPPROTO_ICMPV6, 3),
                                        (socket.AF_INET, socket.IPPROTO_RAW, 4)):
            for _ in range(count):
                self.keep(socket.socket(family, socket.SOCK_RAW, protocol))
        for kind, count in ((socket.SOCK_RAW, 5), (socket.SOCK_DGRAM, 6)):
            for _ in range(count):
                self.keep(socket.socket(socket.AF_PACKET, kind, socket.htons(ALL_PROTOCOLS)))
        for protocol, count in ((socket.NETLINK_ROUTE, 7), (4, 6)):  # NETLINK_SOCK_DIAG
            for _ in range(count):
                self.keep(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)).bind((0, 0))
        after = shown(self.assert_agrees(d))
        self.assertEqual({kind: after[kind] - before[kind] for kind in after},
                         {'raw': 9, 'packet': 11, 'netlink': 13})
        for s in self._kept:
            s.close()
        self.assertEqual(shown(self.assert_agrees(d)), before)
        d.stop()

    def test_those_that_were_there_before(self):
        for _ in range(300):  # more than one message
            self.keep(socket.socket(socket.AF_INET, socket.SOCK_RAW, 255),
                      socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
            self.keep(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)).bind((0, 0))
        d = self.start()
        scrape = self.assert_agrees(d)
        self.assertEqual((shown(scrape)['raw'], shown(scrape)['packet']), (300, 300))
        d.stop()


class NetlinkPlain(Plain, othersocks.Case):
    """A kernel may have no handler for one of them: then `auto` finds it in /proc."""

    source = 'auto'

    def test_each_has_one_source(self):
        d = self.start()
        scrape = self.assert_agrees(d)
        for family in ('raw', 'packet', 'netlink'):
            found = othersocks.sources(scrape, family)
            self.assertEqual(sorted(found.values()), [0, 1], family)
        d.stop()


class ProcfsPlain(Plain, othersocks.Case):
    source = 'procfs'

    def test_each_family_has_this_source(self):
        d = self.start(EXTENDED)
        scrape = self.assert_agrees(d)
        for family in FAMILIES[:-1]:
            self.assert_source(scrape, family)
        self.assertEqual(othersocks.sources(scrape, 'mptcp'), {'netlink': 0, 'procfs': 0})
        self.assertEqual(scrape.series('sockstat_mptcp_sockets'), {}, 'absent, and not 0')
        d.stop()


class Mptcp(othersocks.Case):
    """MPTCP is a family of its own, beside the TCP that carries it."""

    def setUp(self):
        super().setUp()
        mptcp_socket(socket.AF_INET).close()
        namespace.sysctl('mptcp.enabled', 1)

    def pair(self, address, port):
        """(listener, client, accepted)"""
        family = socket.AF_INET6 if ':' in address else socket.AF_INET
        listener = self.keep(mptcp_socket(family))
        listener.bind((address, port))
        listener.listen(5)
        client = self.keep(mptcp_socket(family))
        client.connect((address, port))
        return listener, client, self.keep(listener.accept()[0])

    @staticmethod
    def rows():
        """Those that `ss -HtanM` says are MPTCP."""
        lines = [line.partition(' ') for line in namespace.run('ss', '-HtanMO').splitlines()]
        return [sstool.Row(line.strip()) for kind, _, line in lines if kind == 'mptcp']

    def assert_mptcp_agrees(self, d):
        """Each side, port and state; and TCP's, which are not the same; the scrape."""
        def look():
            return sorted(map(str, (row.identity[:3] for row in self.rows())))
        self.held_still(d, look)
        model = sstool.Model(self.rows())
        expected = model.count(lambda row: (*model.group_of(row), row.state))
        scrape = self.assert_states_agree(d)
        found = scrape.by('sockstat_mptcp_sockets', 'side', 'port', 'state')
        self.assertEqual({key: n for key, n in found.items() if n}, dict(expected))
        for group in {key[:2] for key in found}:
            self.assertEqual(sorted(key[2] for key in found if key[:2] == group), truth.STATES)
        return scrape

    def test_listener_and_connection(self):
        d = self.daemon(EXTENDED)
        for address, port in (('127.0.0.1', 5000), ('::1', 5100)):
            self.pair(address, port)
        self.keep(*namespace.IPV4.pair(5200))
        self.assertEqual(len(self.rows()), 6)
        scrape = self.assert_mptcp_agrees(d)
        self.assertEqual(othersocks.sources(scrape, 'mptcp'), {'netlink': 1, 'procfs': 0})
        for port in ('5000', '5100'):
            for side, state in (('server', 'listen'), ('server', 'established'),
                                ('client', 'established')):
                self.assertEqual(scrape.value('sockstat_mptcp_sockets', side=side, port=port,
                                              state=state), 1, (side, port, state))
        self.assertFalse([key for key in scrape.by('sockstat_mptcp_sockets', 'port', 'side')
                          if key[0] == '5200'], 'plain TCP')
        d.stop()

    def test_one_that_was_there_before_and_closes_by_halves(self):
        _, client, accepted = self.pair('127.0.0.1', 5000)
        d = self.daemon(EXTENDED)
        self.assert_mptcp_agrees(d)
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(accepted.recv(1), b'')
        scrape = self.assert_mptcp_agrees(d)
        self.assertEqual(scrape.value('sockstat_mptcp_sockets', side='server', port='5000',
                                      state='close_wait'), 1)
        d.stop()

    def test_the_core_profile_has_none(self):
        self.pair('127.0.0.1', 5000)
        d = self.daemon()
        self.assertEqual(self.assert_states_agree(d).series('sockstat_mptcp_sockets'), {})
        d.stop()


class Switches(othersocks.Case):
    """families: {…: false}"""

    source = 'auto'

    def make_one_of_each(self):
        """So that each family has something to show."""
        self.keep(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)).bind(('127.0.0.1', 5000))
        self.keep(socket.socket(socket.AF_UNIX)).bind(b'\0one')
        self._kept[-1].listen()
        self.keep(socket.socket(socket.AF_INET, socket.SOCK_RAW, 255),
                  socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
        self.keep(*namespace.IPV4.pair(5001))

    def families(self, scrape):
        """Those that have samples."""
        return {name for name, family in scrape.families.items() if family.samples}

    def test_one_that_is_off_shows_nothing_and_the_others_all(self):
        self.make_one_of_each()
        try:
            self.keep(mptcp_socket(socket.AF_INET)).listen()
        except unittest.SkipTest:
            pass
        for source in ('auto', 'procfs'):
            self.source = source
            d = self.start(EXTENDED)
            everything = self.families(d.wait_polls())
            for key, (prefixes, members) in SWITCHES.items():
                d.reload(EXTENDED + f'families: {{{key}: false}}\n')
                scrape = d.wait_polls()
                off = {name for name in everything if name.startswith(prefixes)}
                self.assertTrue(off or (key, source) == ('mptcp', 'procfs'), (key, source))
                now = self.families(scrape)
                self.assertFalse([name for name in now if name.startswith(prefixes)], source)
                self.assertLessEqual(everything - off, now, (key, source))
                named = {family for family, _ in scrape.by('sockstatd_source', 'family',
                                                           'source')}
                self.assertEqual(named, set(FAMILIES) - set(members), (key, source))
            d.reload(EXTENDED)
            self.assertLessEqual(everything, self.families(d.wait_polls()), 'on again')
            d.stop()

    def test_all_off(self):
        self.make_one_of_each()
        off = ', '.join(f'{key}: false' for key in SWITCHES)
        d = self.daemon(daemon.FAST + f'families: {{{off}}}\n')
        scrape = self.assert_states_agree(d)
        self.assertFalse([name for name in self.families(scrape)
                          if name.startswith(sum((p for p, _ in SWITCHES.values()), ()))])
        self.assertEqual({family for family, _ in scrape.by('sockstatd_source', 'family',
                                                            'source')}, {'tcp'})
        d.stop()

    def test_tcp_off_leaves_the_others(self):
        self.make_one_of_each()
        d = self.daemon(EXTENDED)
        self.assertTrue(d.wait_polls().series('sockstat_tcp_sockets'))
        d.reload(EXTENDED + 'families: {tcp: false}\n')
        scrape = d.wait_polls()
        self.assertEqual(scrape.series('sockstat_tcp_sockets'), {})
        self.assertEqual(scrape.series('sockstat_listener_sockets'), {})
        self.assertEqual(scrape.value('sockstat_udp_sockets', port='5000',
                                      state='unconnected'), 1)
        self.assertEqual(othersocks.sources(scrape, 'tcp'), {})
        d.stop()


if __name__ == '__main__':
    truth.main()
