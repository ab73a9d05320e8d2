#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sockets that are counted: UNIX, raw, packet and netlink, against ss, from netlink and /proc."""
import collections
import os
import socket
import tempfile

import daemon
import namespace
import truth

UNIX_STATES = {'ESTAB': 'established', 'UNCONN': 'unconnected', 'LISTEN': 'listen'}
UNIX_TYPES = {'u_str': 'stream', 'u_dgr': 'dgram', 'u_seq': 'seqpacket'}
FAMILIES = ('unix', 'raw', 'packet', 'netlink')
ETH_P_ALL = 3


def unix_of_ss():
    """{(type, state): sockets} as ss has them, zeros included."""
    counts = collections.Counter({(t, s): 0 for t in UNIX_TYPES.values()
                                  for s in UNIX_STATES.values()})
    for line in namespace.run('ss', '-Hxa').splitlines():
        kind, state = line.split()[:2]
        counts[UNIX_TYPES[kind], UNIX_STATES[state]] += 1
    return dict(counts)


def lines_of_ss(*options):
    """How many rows ss prints."""
    return len(namespace.run('ss', '-Ha', *options).splitlines())


def lines_of_proc(*names):
    """How many rows tables of /proc have."""
    total = 0
    for name in names:
        with open('/proc/self/net/' + name, encoding='utf-8', errors='replace') as f:
            total += len(f.readlines()) - 1
    return total


class Counted:
    """Each by the source of the case."""

    def netlink_sockets(self):
        """As /proc has them, each once: members of multicast groups are in ss twice."""
        return lines_of_proc('netlink')

    def make_sockets(self):
        """Some of each kind."""
        directory = self.enterContext(tempfile.TemporaryDirectory())
        for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
            listener = self.keep(socket.socket(socket.AF_UNIX, kind))
            listener.bind(f'{directory}/{int(kind)}')
            listener.listen(5)
            client = self.keep(socket.socket(socket.AF_UNIX, kind))
            client.connect(f'{directory}/{int(kind)}')
            self.keep(listener.accept()[0], socket.socket(socket.AF_UNIX, kind))
            waiting = self.keep(socket.socket(socket.AF_UNIX, kind))
            waiting.connect(f'{directory}/{int(kind)}')
        self.keep(*socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM))
        abstract = self.keep(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        abstract.bind('\0' + os.urandom(6).hex())
        abstract.listen(1)
        for family in (socket.AF_INET, socket.AF_INET6):
            for _ in range(3):
                self.keep(socket.socket(family, socket.SOCK_RAW, 253))
        for _ in range(4):
            self.keep(socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                                    socket.htons(ETH_P_ALL)))

    def assert_counts(self, d):
        """/metrics says what ss and /proc say."""
        def attempt():
            before = unix_of_ss()
            scrape = d.wait_polls()
            return (before, scrape) if unix_of_ss() == before else None
        expected, scrape = d.wait_until(attempt, 'the sockets to hold still')
        shown = scrape.by('sockstat_unix_sockets', 'type', 'state')
        self.assertEqual(shown, expected)
        self.assertEqual(scrape.value('sockstat_raw_sockets'), lines_of_proc('raw', 'raw6'))
        self.assertEqual(scrape.value('sockstat_packet_sockets'), lines_of_ss('-0'))
        self.assertEqual(scrape.value('sockstat_netlink_sockets'), self.netlink_sockets())
        return scrape

    def test_counts_agree_with_ss(self):
        d = self.daemon()
        self.assert_counts(d)
        self.make_sockets()
        scrape = self.assert_counts(d)
        self.assertEqual(scrape.value('sockstat_raw_sockets'), 6)
        self.assertEqual(scrape.value('sockstat_packet_sockets'), 4)
        self.assertEqual(scrape.value('sockstat_unix_sockets', type='stream', state='listen'), 2)
        self.assertEqual(scrape.value('sockstat_unix_sockets', type='seqpacket',
                                      state='established'), 3, 'one waits to be accepted')
        d.stop()


class Netlink(Counted, truth.Case):
    """A family without a handler falls back alone."""

    def test_each_family_has_a_source_of_its_own(self):
        d = self.daemon()
        shown = d.wait_polls().by('sockstatd_source', 'family', 'source')
        for family in FAMILIES + ('tcp',):
            self.assertEqual(shown[family, 'netlink'] + shown[family, 'procfs'], 1, family)
        self.assertEqual(shown['unix', 'netlink'], 1)
        self.assertEqual(shown['tcp', 'netlink'], 1)
        d.stop()


    def test_families_that_are_switched_off(self):
        d = self.daemon(daemon.FAST + 'families: {udp: false, unix: false, raw: false}\n')
        scrape = d.wait_polls()
        for family in FAMILIES:
            self.assertEqual(scrape.series(f'sockstat_{family}_sockets'), {}, family)
        self.assertEqual(set(scrape.by('sockstatd_source', 'family', 'source')),
                         {('tcp', 'netlink'), ('tcp', 'procfs')})
        scrape = d.reload(daemon.FAST + 'families: {tcp: false}\n')
        scrape = d.wait_polls()
        self.assertEqual(scrape.series('sockstat_tcp_sockets'), {})
        self.assertEqual(scrape.series('sockstat_listener_info'), {})
        self.assertEqual(scrape.value('sockstatd_destroy_events_active'), 0, 'for nobody')
        self.assertEqual(len(scrape.series('sockstat_unix_sockets')), 9)
        self.assertEqual(len(scrape.series('sockstat_tcp_overview_time_wait')), 1)
        d.reload(daemon.FAST)
        self.assert_states_agree(d)
        d.stop()


class Procfs(Counted, truth.Case):
    """Netlink is refused by a seccomp filter."""

    wrap = namespace.WITHOUT_NETLINK

    def test_all_come_from_proc(self):
        d = self.daemon()
        shown = d.wait_polls().by('sockstatd_source', 'family', 'source')
        for family in FAMILIES:
            self.assertEqual(shown[family, 'procfs'], 1, family)
        d.stop()


if __name__ == '__main__':
    truth.main()
