#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Labels and their bounds: `ephemeral`, `other`, configured ports, limits, choice of metrics."""
import socket

import daemon
import namespace
import sstool
import truth

IPV4 = namespace.IPV4
CORE_ONLY = 'sockstat_tcp_sockets'
EXTENDED_ONLY = 'sockstat_tcp_orphan_sockets'


def ports_of(scrape, side):
    """The ports that a side has, without the scrapes' own."""
    return {port for s, port in scrape.by('sockstat_tcp_receive_queue_bytes', 'side', 'port')
            if s == side and port != str(daemon.PORT)}


def listeners_of(scrape, name='sockets'):
    """{(address, port): value} of a family of listeners, without the daemon's own."""
    return {key: value for key, value in
            scrape.by('sockstat_listener_' + name, 'address', 'port').items()
            if key[1] != str(daemon.PORT)}


class Ephemeral(truth.Case):
    """Ports inside ip_local_port_range."""

    @staticmethod
    def pair_in_the_range():
        """At the first port that no connection to the daemon has, which get theirs from there."""
        for port in range(40050, 40100):
            try:
                return IPV4.pair(port)
            except OSError:
                pass
        raise OSError('no port is free')

    def test_a_fresh_server_port_in_the_range_is_ephemeral(self):
        namespace.sysctl('ipv4.ip_local_port_range', '40000 40100')
        d = self.daemon()
        self.keep(*self.pair_in_the_range(), *IPV4.pair(40200))
        scrape = self.assert_states_agree(d, ephemeral=(40000, 40100))
        self.assertEqual(ports_of(scrape, 'server'), {'ephemeral', '40200'})
        self.assertEqual(ports_of(scrape, 'client'), {'ephemeral', '40200'})
        d.stop()

    def test_listeners_in_the_range_share_one_label(self):
        d = self.daemon()
        self.keep(IPV4.listen(40000, backlog=5), IPV4.listen(40001, backlog=7))
        scrape = d.wait_polls('listeners')
        self.assertEqual(listeners_of(scrape), {('127.0.0.1', 'ephemeral'): 2})
        self.assertEqual(listeners_of(scrape, 'accept_queue_limit'),
                         {('127.0.0.1', 'ephemeral'): 12})
        self.assert_complete(scrape)
        d.stop()

    def test_configured_ports_in_the_range_have_their_own_label(self):
        d = self.daemon(daemon.FAST + 'ports: {server: [40000], client: [40001]}\n')
        self.keep(*IPV4.pair(40000), *IPV4.pair(40001))
        scrape = self.assert_states_agree(d, configured_server=(40000,),
                                          configured_client=(40001,))
        self.assertEqual(ports_of(scrape, 'server'), {'40000', 'ephemeral'})
        self.assertEqual(ports_of(scrape, 'client'), {'40001', 'ephemeral'})
        d.stop()

    def test_ephemeral_ports_used_is_the_most_of_one_pair(self):
        d = self.daemon()
        listener = self.keep(namespace.listen(('0.0.0.0', 5000)))
        for destination, count in (('127.0.0.1', 7), ('127.0.0.2', 3)):
            for _ in range(count):
                self.keep(namespace.connect((destination, 5000)), listener.accept()[0])
        for _ in range(2):  # two more to the first: they leave TIME_WAIT behind
            client = namespace.connect(('127.0.0.1', 5000))
            accepted = listener.accept()[0]
            client.close()
            accepted.close()
        self.keep(namespace.connect(('127.0.0.1', 5000), source=('127.0.0.3', 0)))
        scrape = self.assert_states_agree(d)
        self.assertEqual(scrape.by('sockstat_tcp_ephemeral_ports_used', 'port')['5000'], 9)
        d.stop()


class Limits(truth.Case):
    """What does not fit is folded, and nothing is lost."""

    def totals(self, scrape):
        """{side, state: sockets} over all ports."""
        sums = {}
        for (side, _, state), n in scrape.by('sockstat_tcp_sockets', 'side', 'port',
                                             'state').items():
            sums[side, state] = sums.get((side, state), 0) + n
        return sums

    def test_ports_beyond_the_limit_are_other(self):
        d = self.daemon(daemon.FAST + 'limits: {ports: 4}\n')
        self.keep(*(s for port in range(5000, 5010) for s in IPV4.pair(port)))
        scrape = d.wait_polls()
        for side in ('server', 'client'):
            ports = ports_of(scrape, side)
            self.assertIn('other', ports)
            self.assertLessEqual(len(ports - {'other'}), 4)
        sums = self.totals(scrape)
        # The connection of the scrape is one more at each end.
        self.assertEqual((sums['server', 'listen'], sums['server', 'established'],
                          sums['client', 'established']), (11, 11, 11))
        d.stop()

    def test_configured_ports_get_their_place_first(self):
        d = self.daemon(daemon.FAST + 'limits: {ports: 2}\n'
                        'ports: {server: [5009], client: [5009]}\n')
        self.keep(*(s for port in range(5000, 5010) for s in IPV4.pair(port)))
        scrape = d.wait_polls()
        self.assertIn('5009', ports_of(scrape, 'server'))
        self.assertIn('5009', ports_of(scrape, 'client'))
        d.stop()

    def test_a_label_once_given_stays(self):
        d = self.daemon(daemon.FAST + 'limits: {ports: 4}\n')
        _, *pair = self.keep(*IPV4.pair(5000))
        before = ports_of(d.wait_polls(), 'server')
        self.assertIn('5000', before)
        for s in pair:
            s.close()
        self.keep(*(s for port in range(5001, 5012) for s in IPV4.pair(port)))
        self.assertIn('5000', ports_of(d.wait_polls(), 'server'))
        d.stop()

    def test_listeners_beyond_the_limit_are_other(self):
        d = self.daemon(daemon.FAST + 'limits: {listeners: 3}\n')
        listeners = [self.keep(IPV4.listen(port, backlog=10)) for port in range(5000, 5010)]
        for listener in listeners:
            self.keep(IPV4.connect(listener.getsockname()[1]))
        scrape = d.wait_polls('listeners')
        self.assert_complete(scrape)
        sockets = scrape.by('sockstat_listener_sockets', 'address', 'port')
        self.assertLessEqual(len(sockets), 4)
        self.assertEqual(sum(sockets.values()), 11)
        shown = listeners_of(scrape, 'accept_queue_length')
        self.assertIn(('other', 'other'), shown)
        self.assertEqual(sum(shown.values()), 10)
        folded = len(listeners) - (len(shown) - 1)
        self.assertEqual(listeners_of(scrape, 'accept_queue_limit')['other', 'other'],
                         10 * folded + self.own_limit(scrape, d))
        self.assertAlmostEqual(listeners_of(scrape, 'accept_queue_peak_ratio')['other', 'other'],
                               1 / 11)
        d.stop()

    def own_limit(self, scrape, d):
        """The limit of the daemon's own listener where it was folded too."""
        named = {port for _, port in scrape.by('sockstat_listener_sockets', 'address', 'port')}
        own = next(row for row in sstool.rows() if row.local.port == d.port)
        return 0 if str(d.port) in named else own.send_queue

    def test_the_limit_of_series_folds_groups_and_drops_no_family(self):
        everything = self.families_of(daemon.FAST)
        d = self.daemon(daemon.FAST + 'limits: {series: 1000}\n')
        self.keep(*(s for port in range(5000, 5030) for s in IPV4.pair(port)))
        scrape = d.wait_polls()
        lines = [line for line in scrape.text.splitlines() if not line.startswith('#')]
        self.assertLessEqual(len(lines), 1000)
        self.assertEqual(set(scrape.families), everything)
        self.assertEqual(scrape.value('sockstatd_series_limit'), 1000)
        self.assertLessEqual(scrape.value('sockstatd_series'), 1000)
        self.assertGreater(sum(scrape.series('sockstatd_folded_groups').values()), 0)
        sums = self.totals(scrape)
        self.assertEqual((sums['server', 'listen'], sums['server', 'established'],
                          sums['client', 'established']), (31, 31, 31))
        self.assert_complete(scrape)
        d.stop()

    def families_of(self, config):
        """The families that 30 pairs have without a limit."""
        namespace.enter()
        d = self.daemon(config)
        sockets = [s for port in range(5000, 5030) for s in IPV4.pair(port)]
        families = set(d.wait_polls().families)
        for s in sockets:
            s.close()
        d.stop()
        namespace.enter()
        return families


class Choice(truth.Case):
    """metrics.profile, include and exclude."""

    def families(self, metrics):
        """The families with samples under a choice of metrics."""
        namespace.enter()
        d = self.daemon(daemon.FAST + f'metrics: {metrics}\n')
        self.keep(*IPV4.pair(5000))
        scrape = d.wait_polls()
        d.stop()
        return {name for name, family in scrape.families.items() if family.samples}

    def test_the_extended_profile_holds_the_core_one(self):
        core, extended = self.families('{profile: core}'), self.families('{profile: extended}')
        self.assertLess(core, extended)
        self.assertIn(CORE_ONLY, core)
        self.assertNotIn(EXTENDED_ONLY, core)
        self.assertIn(EXTENDED_ONLY, extended)

    def test_include_adds_by_name(self):
        core = self.families('{}')
        self.assertEqual(self.families(f'{{include: [{EXTENDED_ONLY}]}}'), core | {EXTENDED_ONLY})
        more = self.families('{include: ["sockstat_listener_*"]}')
        self.assertIn('sockstat_listener_accept_queue_fill_ratio', more)
        self.assertNotIn(EXTENDED_ONLY, more)

    def test_exclude_removes_by_name(self):
        core = self.families('{}')
        self.assertEqual(self.families('{exclude: [sockstat_tcp_memory_bytes]}'),
                         core - {'sockstat_tcp_memory_bytes'})
        fewer = self.families('{profile: extended, exclude: ["sockstat_tcp_*"]}')
        self.assertFalse([name for name in fewer if name.startswith('sockstat_tcp_')])
        self.assertIn('sockstat_listener_sockets', fewer)


class Others(truth.Case):
    """Sockets of this process that are no TCP connection change nothing."""

    def test_bound_and_udp_sockets_are_not_counted(self):
        d = self.daemon()
        bound = self.keep(socket.socket())
        bound.bind(('127.0.0.1', 5000))
        self.keep(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)).bind(('127.0.0.1', 5001))
        scrape = d.wait_polls()
        self.assertEqual(ports_of(scrape, 'server') | ports_of(scrape, 'client'), set())
        states = scrape.by('sockstat_tcp_sockets', 'side', 'port', 'state')
        self.assertEqual({n for key, n in states.items() if key[2] == 'close'}, {0})
        d.stop()


if __name__ == '__main__':
    truth.main()
