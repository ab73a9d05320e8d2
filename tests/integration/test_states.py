#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every TCP state, side and port on /metrics is what `ss` shows, for IPv4, IPv6 and mapped."""
import daemon
import namespace
import sstool
import states
import truth


class States:
    """The recipes of one family."""

    family = None

    def test_sockets_made_under_a_running_daemon_agree_with_ss(self):
        # A listener that is made, and connected to, while a dump is under way may come too late to
        # be in it, and its connection not: so few dumps are, while the sockets are made.
        d = self.daemon('poll: {listeners: 10ms, sockets: 1s, cpu_limit: 1}\n')
        self.keep(*states.make_all(self.family)[1])
        self.assert_states_agree(d)
        d.stop()

    def test_sockets_that_were_there_before_agree_with_ss(self):
        shows, sockets = states.make_all(self.family)
        self.keep(*sockets)
        for port, expected in shows.items():
            found = {row.state for row in sstool.rows()
                     if port in (row.local.port, row.remote.port)}
            self.assertEqual(found, expected, f'the recipe of port {port}')
        d = self.daemon()
        self.assert_states_agree(d)
        d.stop()

    def test_accepted_connections_stay_with_the_server_when_its_listener_has_gone(self):
        port = self.family.base
        d = self.daemon()
        listener, *pair = self.family.pair(port)
        self.keep(*pair)
        d.wait_polls()
        listener.close()
        scrape = d.wait_polls()
        shown = scrape.by('sockstat_tcp_sockets', 'side', 'port', 'state')
        self.assertEqual(shown['server', str(port), 'established'], 1)
        self.assertEqual(shown['server', str(port), 'listen'], 0)
        self.assertEqual(shown['client', str(port), 'established'], 1)
        d.stop()

    def test_orphans_are_counted_and_nothing_else_is(self):
        base = self.family.base
        for offset, recipe in enumerate((states.fin_wait1_orphan, states.fin_wait1,
                                         states.fin_wait2_time_wait, states.time_wait)):
            self.keep(*recipe(self.family, base + offset))
        self.keep(self.family.listen(base + 4), self.family.connect(base + 4))
        d = self.daemon(daemon.FAST + 'metrics: {profile: extended}\n')
        orphans = d.wait_polls().by('sockstat_tcp_orphan_sockets', 'side', 'port')
        self.assertEqual({group for group, n in orphans.items() if n}, {('client', str(base))})
        self.assertEqual(orphans['client', str(base)], 1)
        self.assertEqual(orphans['server', str(base + 4)], 0, 'it waits to be accepted')
        d.stop()


class IPv4States(States, truth.Case):
    family = namespace.IPV4


class IPv6States(States, truth.Case):
    family = namespace.IPV6


class MappedStates(States, truth.Case):
    family = namespace.MAPPED


class Procfs:
    """The same without netlink, which a seccomp filter refuses."""

    wrap = namespace.WITHOUT_NETLINK

    def assert_states_agree(self, d, **model):
        """And what ss says must have come from /proc."""
        scrape = super().assert_states_agree(d, **model)
        self.assertEqual(scrape.value('sockstatd_source', family='tcp', source='procfs'), 1)
        return scrape


class IPv4ProcfsStates(Procfs, IPv4States):
    pass


class IPv6ProcfsStates(Procfs, IPv6States):
    pass


class MappedProcfsStates(Procfs, MappedStates):
    pass


class Attribution(truth.Case):
    """Of the listeners on a port, a handshake belongs to the one that the kernel would choose."""

    def assert_handshakes(self, expected):
        """{address of a listener: handshakes that wait at it}, all on port 5000."""
        d = self.daemon()
        self.assert_states_agree(d)
        lengths = d.wait_polls().by('sockstat_listener_syn_queue_length', 'address', 'port')
        self.assertEqual({address: n for (address, port), n in lengths.items() if port == '5000'},
                         expected)
        d.stop()

    def listen(self, *addresses, **options):
        for address in addresses:
            self.keep(namespace.listen((address, 5000), reuse_port=True, **options))

    def hang(self, *addresses):
        """Handshakes whose last ACK is lost."""
        namespace.drop('tcp dport 5000 tcp flags & (fin|syn|ack) == ack')
        for address in addresses:
            self.keep(namespace.connect((address, 5000)))

    def test_the_own_address_goes_before_the_wildcard(self):
        self.listen('127.0.0.1', '0.0.0.0')
        self.hang('127.0.0.1', '127.0.0.1', '127.0.0.2')
        self.assert_handshakes({'127.0.0.1': 2, '0.0.0.0': 1})

    def test_the_ipv4_wildcard_goes_before_the_dual_stack_one(self):
        self.listen('0.0.0.0', '::')
        self.hang('127.0.0.1', '::1', '::1')
        self.assert_handshakes({'0.0.0.0': 1, '*': 2})

    def test_a_mapped_connection_belongs_to_the_dual_stack_listener(self):
        self.listen('::')
        self.hang('127.0.0.1', '127.0.0.2', '::1')
        self.assert_handshakes({'*': 3})

    def test_an_ipv6_listener_is_none_for_ipv4(self):
        self.listen('::', v6only=True)
        self.listen('127.0.0.1')
        self.hang('127.0.0.1', '::1')
        self.assert_handshakes({'[::]': 1, '127.0.0.1': 1})

    def test_the_own_device_goes_before_any(self):
        self.listen('0.0.0.0')
        self.listen('0.0.0.0', device='lo')
        self.hang('127.0.0.1')
        self.assert_handshakes({'0.0.0.0': 0, '0.0.0.0%lo': 1})

    def test_addresses_are_labelled_as_ss_prints_them(self):
        for port, address in enumerate(('0.0.0.0', '127.0.0.1', '::1', '::'), 5001):
            self.keep(namespace.listen((address, port)),
                      namespace.listen((address, port + 10), v6only=True),
                      namespace.listen((address, port + 20), device='lo'))
        d = self.daemon()
        rows, scrape = self.stable(d, 'listeners')
        shown = scrape.by('sockstat_listener_sockets', 'address', 'port')
        self.assertEqual({key for key in shown if key[1] != str(d.port)},
                         {(sstool.listener_label(row), str(row.local.port)) for row in rows})
        d.stop()


class Hosts(truth.Case):
    """What kind of host must not matter."""

    def test_no_privilege_is_needed(self):
        for family in namespace.FAMILIES:
            self.keep(*states.make_all(family)[1])
        nobody = ('setpriv', '--reuid=65534', '--regid=65534', '--clear-groups',
                  '--inh-caps=-all', '--ambient-caps=-all', '--bounding-set=-all',
                  '--no-new-privs')
        d = self.daemon(wrap=nobody)
        self.assert_states_agree(d)
        d.stop()

    def test_the_stable_sockets_are_all_there_under_churn(self):
        family, count = namespace.IPV4, 2000
        listener = self.keep(family.listen(family.base, backlog=1000))
        for _ in range(count):
            self.keep(*family.pair(family.base, listener)[1:])
        d = self.daemon()
        churn = namespace.Churn(family, family.base + 1)
        with churn:
            d.wait_polls()
            for _ in range(10):
                shown = d.wait_polls(count=1).by('sockstat_tcp_sockets', 'side', 'port', 'state')
                for side in ('server', 'client'):
                    self.assertEqual(shown[side, str(family.base), 'established'], count)
        self.assertGreater(churn.connections, 1000)
        d.stop()


if __name__ == '__main__':
    truth.main()
