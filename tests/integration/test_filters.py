#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""listener_filter and socket_filter: what is watched is what `ss` shows with the same filter, from
either source; what is not watched is nobody's; a reload neither closes nor opens anything."""
import collections
import json
import socket

import command
import counting
import daemon
import event_socket
import namespace
import othersocks
import sstool
import truth

EXACT = counting.EXACT
OWN = f'not ( sport = :{daemon.PORT} or dport = :{daemon.PORT} )'


def socket_filter(text):
    """A line of the configuration."""
    return f'socket_filter: {json.dumps(text)}\n'


def listener_filter(text):
    """The same for listeners."""
    return f'listener_filter: {json.dumps(text)}\n'


def shown_by_ss(text):
    """How many sockets there are of each state by `ss` with a filter, which may begin with states;
    without them, of all states."""
    words = text.split() if text.startswith(('state ', 'exclude ')) else ['state', 'all', text]
    lines = namespace.run('ss', '-HtnO', *words).splitlines()
    # ss leaves the state out where only one was asked for.
    if words[:2] != ['state', 'all']:
        return len(lines)
    rows = [sstool.Row(line) for line in lines]
    return collections.Counter(row.state for row in rows if row.state != 'close')


class SocketFilter(truth.Case):
    """Which sockets there are at all."""

    def make(self):
        """Connections of both families, some of them half closed, and who listens alone."""
        for n, family in enumerate((namespace.IPV4, namespace.IPV6, namespace.MAPPED)):
            whole, half = (self.keep(family.listen(port + 10 * n)) for port in (5000, 5001))
            for _ in range(n + 1):
                self.keep(*family.pair(5000 + 10 * n, whole))
                self.keep(*family.pair(5001 + 10 * n, half))[1].shutdown(socket.SHUT_WR)
            self.keep(family.listen(5002 + 10 * n))

    def states(self, scrape):
        """How many sockets the daemon shows of each state."""
        total = collections.Counter()
        for (state, *_), count in scrape.by('sockstat_tcp_sockets', 'state', 'side',
                                            'port').items():
            total[state] += int(count)
        return +total

    def assert_as_ss(self, text, source):
        """The daemon, told to watch TEXT, shows what ss does."""
        text_of_both = f'( {text} ) and {OWN}'
        d = self.daemon(daemon.FAST + socket_filter(text_of_both), flags=('--source=' + source,))

        def attempt():
            before = shown_by_ss(text_of_both)
            scrape = d.wait_polls()
            return (before, scrape) if shown_by_ss(text_of_both) == before else None
        shown, scrape = d.wait_until(attempt, 'the sockets to hold still')
        self.assertEqual(self.states(scrape), shown, text)
        d.stop()
        return shown

    def test_what_is_watched_is_what_ss_shows(self):
        self.make()
        counts = []
        for text in ('sport = :5000 or dport = :5000', 'dst 127.0.0.0/8', 'src [::1]',
                     'not src [::1] and sport > :5001', 'sport >= :5010 and sport < :5020',
                     'src 127.0.0.1:5001 or dst [::1]:5011', 'sport = :9'):
            for source in ('netlink', 'procfs'):
                counts.append(sum(self.assert_as_ss(text, source).values()))
        self.assertEqual(min(counts), 0)
        self.assertGreater(len(set(counts)), 4, 'they are not all alike')

    def test_states(self):
        self.make()
        for source in ('netlink', 'procfs'):
            d = self.daemon(daemon.FAST + socket_filter(
                f'state established exclude listening {OWN}'), flags=('--source=' + source,))
            scrape = d.wait_polls()
            self.assertEqual(self.states(scrape),
                             {'established': shown_by_ss(f'state established {OWN}')})
            d.stop()

    def test_a_device_and_a_cgroup_that_are_not_there(self):
        self.make()
        for text in ('dev nosuch0', 'cgroup /no/such/cgroup'):
            for source in ('netlink', 'procfs'):
                d = self.daemon(daemon.FAST + socket_filter(text), flags=('--source=' + source,))
                self.assertEqual(self.states(d.wait_polls()), {}, text)
                d.stop()

    def test_the_cgroup_of_this_very_process(self):
        self.keep(*namespace.IPV4.pair(5000))
        shown = namespace.run('ss', '-HtnO', '--cgroup', 'sport = :5000')
        if 'cgroup:/' not in shown:
            self.skipTest('ss shows no cgroup')
        path = shown.split('cgroup:')[1].split()[0]
        d = self.daemon(daemon.FAST + socket_filter(f'cgroup {path} and sport = :5000'))
        scrape = d.wait_polls()
        self.assertEqual(scrape.value('sockstat_tcp_sockets', side='server', port='5000',
                                      state='established'), 1)
        d.stop()

    def test_udp_and_mptcp_as_well(self):
        for port in (5000, 5001):
            self.keep(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)).bind(('127.0.0.1', port))
        for source in othersocks.SOURCES:
            d = self.daemon(daemon.FAST + socket_filter('sport = :5001'),
                            flags=('--source=' + source,))
            self.assertEqual(set(d.wait_polls().by('sockstat_udp_sockets', 'port')), {'5001'})
            d.stop()

    def test_side_does_not_change(self):
        """Who listens is known, whatever is watched."""
        self.keep(*namespace.IPV4.pair(5000))
        d = self.daemon(daemon.FAST + socket_filter('state established'))
        scrape = d.wait_polls()
        self.assertEqual(scrape.value('sockstat_tcp_sockets', side='server', port='5000',
                                      state='established'), 1)
        self.assertEqual(scrape.value('sockstat_listener_sockets', address='127.0.0.1',
                                      port='5000'), 1)
        d.stop()

    def test_what_cannot_be_said_of_a_queue_is_absent(self):
        self.keep(*namespace.IPV4.pair(5000))
        names = ('unaccepted_reset', 'syn_queue_length', 'accept_queue_length')
        expected = {'': (0, 0, 0), 'sport = :5000': (None, 0, 0), 'sport = :9': (None, None, 0)}
        for text, values in expected.items():
            d = self.daemon(daemon.FAST + socket_filter(text))
            scrape = d.wait_polls()
            self.assertEqual(tuple(scrape.value('sockstat_listener_' + name, address='127.0.0.1',
                                                port='5000') for name in names), values, text)
            d.stop()


class Counters(counting.Case):
    """What is counted of connections while some are watched."""

    def exact_with(self, text):
        """A daemon that loses no event."""
        return self.exact(EXACT + socket_filter(text))

    def test_connections_that_no_poll_saw(self):
        d = self.exact(counting.NEVER_POLLS + socket_filter('sport = :5000 or dport = :5000'))
        before = d.scrape()
        traffics = [self.traffic(500, port, 'client') for port in (5000, 5001)]
        d.wait_polls('listeners')
        for t in traffics:
            t.go()
        for t in traffics:
            t.wait('done')
        d.wait_metrics(lambda m: self.told(m) >= self.told(before) + 2000, 'all events')
        d.reload(EXACT + socket_filter('sport = :5000 or dport = :5000'))
        scrape = d.wait_polls()
        for side in ('client', 'server'):
            self.assertEqual(self.values(scrape, side, 5000, counting.OPENED, counting.CLOSED),
                             (500, 500))
            self.assertEqual(self.of(scrape, counting.CLOSED, side, 5001), None)
        d.stop()

    def test_a_reload_closes_and_opens_nothing(self):
        both, one = 'sport = :5000 or sport = :5001', 'sport = :5000'
        d = self.exact_with(both)
        for port in (5000, 5001):
            listener = self.keep(namespace.IPV4.listen(port))
            d.wait_polls('listeners')
            for _ in range(5):
                self.keep(*namespace.IPV4.pair(port, listener))[1].send(b'x' * 1000)
        names = (counting.OPENED, counting.CLOSED, 'received_bytes_total')
        d.wait_metrics(lambda m: self.values(m, 'server', 5001, *names) == (5, 0, 5000),
                       'all of it')
        for text in (one, both, one, both):
            d.reload(EXACT + socket_filter(text))
            scrape = d.wait_polls()
            self.assertEqual(self.values(scrape, 'server', 5000, *names), (5, 0, 5000), text)
            self.assertEqual(self.values(scrape, 'server', 5001, *names), (5, 0, 5000), text)
        for s in self._kept:
            s.close()
        self.wait_count(d, counting.CLOSED, 'server', 5001, 5)
        d.stop()

    def test_a_connection_that_leaves_what_is_watched_has_closed(self):
        d = self.exact_with('state established')
        _, client, _ = self.keep(*namespace.IPV4.pair(5000))
        d.wait_metrics(lambda m: self.of(m, counting.OPENED, 'client', 5000) == 1, 'an opening')
        client.shutdown(socket.SHUT_WR)
        scrape = self.wait_count(d, counting.CLOSED, 'client', 5000, 1)
        self.assertEqual(self.of(scrape, counting.OPENED, 'client', 5000), 1)
        event_socket.drops(d)
        d.stop()


    def test_reloads_under_load(self):
        """Each scrape is answered, and no counter falls of what is still watched."""
        texts = ('sport = :5000 or dport = :5000', 'dport = :5000', '', 'state established')
        d = self.exact(EXACT)
        with namespace.Churn(namespace.IPV4, 5000):
            before = d.wait_polls()
            for n in range(24):
                d.reload(EXACT + socket_filter(texts[n % len(texts)])
                         + listener_filter(texts[n % 3]))
                after = d.wait_polls('sockets', 1)
                self.assert_none_fell(before, after)
                before = after
        self.assertGreater(self.of(after, counting.CLOSED, 'client', 5000), 0)
        d.stop()


class ListenerFilter(truth.Case):
    """Which listeners are shown."""

    def listeners(self, scrape):
        """Their ports, but for the daemon's own."""
        ports = {port for _, port in scrape.by('sockstat_listener_info', 'address', 'port')}
        return ports - {str(daemon.PORT)}

    def test_who_is_shown(self):
        for port in (5000, 5001, 5002):
            self.keep(namespace.IPV4.listen(port))
        for source in ('netlink', 'procfs'):
            d = self.daemon(daemon.FAST + listener_filter('sport = :5000 or sport = :5002'),
                            flags=('--source=' + source,))
            self.assertEqual(self.listeners(d.wait_polls()), {'5000', '5002'}, source)
            d.stop()

    def test_those_that_are_hidden_are_still_whose_side_is_told(self):
        self.keep(*namespace.IPV4.pair(5000))
        d = self.daemon(daemon.FAST + listener_filter('sport = :9'))
        scrape = d.wait_polls()
        self.assertEqual(self.listeners(scrape), set())
        self.assertEqual(scrape.value('sockstat_tcp_sockets', side='server', port='5000',
                                      state='established'), 1)
        d.stop()

    def test_drops_of_those_that_are_hidden_are_nobody_elses(self):
        shown, hidden = (self.keep(namespace.IPV4.listen(port, backlog=0))
                         for port in (5000, 5001))
        d = self.daemon(daemon.FAST + listener_filter('sport = :5000'))
        d.wait_polls('listeners')
        for port in (5001, 5001, 5000, 5001, 5001):
            self.keep(namespace.IPV4.connect(port, wait=False))
        def dropped():
            return sum(row.skmem['drops'] for row in sstool.rows() if row.state == 'listen')
        d.wait_until(lambda: dropped() >= 3, 'drops')
        scrape = d.wait_polls('listeners')
        self.assertEqual(scrape.value('sockstat_listener_drops_total', address='127.0.0.1',
                                      port='5000'), 0)
        self.assertEqual(scrape.by('sockstat_listener_drops_total', 'port').keys(), {'5000'})
        del shown, hidden
        d.stop()

    def test_a_reload_shows_and_hides(self):
        for port in (5000, 5001):
            self.keep(namespace.IPV4.listen(port))
        d = self.daemon(daemon.FAST)
        self.assertEqual(self.listeners(d.wait_polls('listeners')), {'5000', '5001'})
        for text, ports in (('sport = :5001', {'5001'}), ('sport = :5000', {'5000'}),
                            ('', {'5000', '5001'}), ('sport = :9', set())):
            d.reload(daemon.FAST + listener_filter(text))
            self.assertEqual(self.listeners(d.wait_polls('listeners')), ports, text)
        d.stop()


class Check(command.Case):
    """What --config.check says."""

    def check(self, text):
        """(status, output, errors)"""
        run = self.sockstatd('--config.check', '--config.file=' + self.file('c.yaml', text))
        return run.returncode, run.stdout, run.stderr

    def test_what_goes_to_the_kernel(self):
        for text, expected in (
                ('sport = :443', 'sport 443, which is all of it'),
                ('state established', 'state established, which is all of it'),
                ('src 10.0.0.0/8 and dport = :80', 'dport 80 16 bytes of bytecode'),
                ('state established or sport = :1', 'nothing; the rest is matched here')):
            status, output, errors = self.check(socket_filter(text))
            self.assertEqual((status, errors), (0, ''))
            self.assertIn(expected, output, text)
        self.assertEqual(self.check('peak_window: 2m\n'), (0, '', ''))

    def test_the_place_of_a_fault(self):
        for line, column, caret in (
                ('socket_filter: sport = :nonesuch', 24, 8),
                ('socket_filter: "sport = :nonesuch"', 25, 8),
                ("socket_filter: 'sport = :nonesuch'", 25, 8),
                ('socket_filter: "\\u0073port = :nonesuch"', 16, 8)):
            status, output, errors = self.check('# before\n' + line + '\n')
            self.assertEqual((status, output), (1, ''))
            first, excerpt, carets = errors.splitlines()
            self.assertRegex(first, rf'c\.yaml:2:{column}: socket_filter: .*no service')
            self.assertEqual(excerpt, '    sport = :nonesuch')
            self.assertEqual(carets, ' ' * (4 + caret) + '^' * len(':nonesuch'))

    def test_a_bad_filter_keeps_the_running_one(self):
        self.keep(namespace.IPV4.listen(5000), namespace.IPV4.listen(5001))
        d = self.daemon(daemon.FAST + listener_filter('sport = :5000'))
        d.reload_badly(daemon.FAST + listener_filter('sport = :5001 and or'))
        ports = set(d.wait_polls('listeners').by('sockstat_listener_info', 'port'))
        self.assertEqual(ports, {'5000'})
        d.stop()


if __name__ == '__main__':
    truth.main()
