#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Views and peers: which sockets are of which is what `ss` says of their filters; their counters
have every connection; what is folded changes no sum; a reload shows and hides them."""
import collections
import json

import counting
import daemon
import namespace
import sstool
import truth

EXACT = counting.EXACT
PINNED = f'ports: {{server: [{daemon.PORT}]}}\n'
SOURCES = ('netlink', 'procfs')


def views(**filters):
    """The part of the configuration, in the order of the arguments."""
    entries = [{'name': name.replace('_', '-'), 'filter': text} for name, text in filters.items()]
    return f'views: {json.dumps(entries)}\n'


def peers(**prefixes):
    """The same of peers."""
    entries = [{'name': name, 'prefixes': list(texts)} for name, texts in prefixes.items()]
    return f'peers: {json.dumps(entries)}\n'


def sums(scrape, name, *labels):
    """{values of the labels: sum} of sockstat_tcp_NAME where it is not 0, without the daemon's own
    port; with one label its bare values."""
    total = collections.Counter()
    for series, value in scrape.series('sockstat_tcp_' + name).items():
        series = dict(series)
        if series['port'] != str(daemon.PORT):
            key = tuple(series[label] for label in labels)
            total[key[0] if len(key) == 1 else key] += int(value)
    return +total


class Truth(truth.Case):
    """Which sockets are of a view, and of a peer."""

    def make(self):
        """Connections from several addresses to several ports, of both families."""
        for port in (5000, 5001, 5002):
            listener = self.keep(namespace.listen(('0.0.0.0', port)))
            for n in range(1, 4):
                client = namespace.connect(('127.0.0.1', port), source=(f'127.{n}.0.1', 0))
                self.keep(client, listener.accept()[0])
        self.keep(*namespace.IPV6.pair(5100), *namespace.MAPPED.pair(5200))

    def steady(self, d):
        """A scrape while nothing moves."""
        return self.stable(d)[1]

    def shown_by_ss(self, text):
        """Sockets that match, of all states, but for the daemon's own."""
        own = f'not ( sport = :{daemon.PORT} or dport = :{daemon.PORT} )'
        return len(namespace.run('ss', '-HtnO', 'state', 'all',
                                 f'( {text} ) and {own}').splitlines())

    def test_views_are_what_ss_shows(self):
        filters = {'https': 'sport = :5000 or sport = :5001', 'from_two': 'dst 127.2.0.0/16',
                   'v6': 'src [::1] or dst [::1]', 'high': 'sport > :5100',
                   'never': 'sport = :9'}
        self.make()
        for source in SOURCES:
            d = self.daemon(daemon.FAST + views(**filters), flags=('--source=' + source,))
            shown = sums(self.steady(d), 'sockets', 'view')
            before = []
            expected = collections.Counter()
            for name, text in filters.items():
                rest = ''.join(f' and not ( {other} )' for other in before)
                expected[name.replace('_', '-')] = self.shown_by_ss(f'( {text} ){rest}')
                before.append(text)
            expected['other'] = self.shown_by_ss(
                ' and '.join(f'not ( {text} )' for text in before))
            self.assertEqual(shown, +expected, source)
            self.assertGreater(len(shown), 4)
            d.stop()

    def test_peers_are_the_longest_prefixes(self):
        self.make()
        config = peers(all4=['0.0.0.0/0'], one=['127.1.0.0/16', '::1'], two=['127.2.0.1'])
        for source in SOURCES:
            d = self.daemon(daemon.FAST + config, flags=('--source=' + source,))
            shown = sums(self.steady(d), 'sockets', 'peer')
            rows = sstool.rows(daemon.PORT)
            expected = collections.Counter()
            for row in rows:
                if row.state == 'listen':
                    expected['other'] += 1
                elif '127.1.' in row.remote.address or ':1' in row.remote.address.replace(
                        '::ffff:127', ''):
                    expected['one'] += 1
                elif '127.2.0.1' in row.remote.address:
                    expected['two'] += 1
                else:
                    expected['all4'] += 1
            self.assertEqual(shown, expected, source)
            d.stop()

    def test_a_view_of_states(self):
        """It is asked at each poll."""
        _, client, accepted = self.keep(*namespace.IPV4.pair(5000))
        d = self.daemon(daemon.FAST + views(waits='state close-wait'))
        self.assertEqual(sums(self.steady(d), 'sockets', 'view'), {'other': 3})
        client.close()
        d.wait_metrics(lambda m: sums(m, 'sockets', 'view')['waits'] == 1, 'the view')
        accepted.close()
        d.stop()

    def test_udp_has_none(self):
        d = self.daemon(daemon.FAST + views(a='sport = :5000') + peers(b=['::/0']))
        scrape = d.wait_polls()
        for name, family in scrape.families.items():
            for sample, labels, _ in family.samples:
                self.assertEqual('view' in labels, 'side' in labels, sample)
                self.assertEqual('peer' in labels, 'side' in labels, sample)
        self.assertIn('sockstat_tcp_sockets', scrape.families)
        d.stop()


class Counters(counting.Case):
    """What connections do is counted where they are."""

    def run_traffic(self, d, connections, *ports):
        """Connections that come and go on each port, all told."""
        before = d.scrape()
        traffics = [self.traffic(connections, port, 'client') for port in ports]
        d.wait_polls('listeners')
        for t in traffics:
            t.go()
        for t in traffics:
            t.wait('done')
            t.end()
        return self.wait_told(d, before, 2 * connections * len(ports))

    def test_connections_that_no_poll_saw(self):
        text = PINNED + views(first='sport = :5000 or dport = :5000') + peers(lo=['127.0.0.0/8'])
        d = self.exact(counting.NEVER_POLLS + text)
        before = d.scrape()
        traffics = [self.traffic(300, port, 'client') for port in (5000, 5001)]
        d.wait_polls('listeners')
        for t in traffics:
            t.go('done')
        d.wait_metrics(lambda m: self.told(m) >= self.told(before) + 1200, 'all events')
        d.reload(EXACT + text)
        scrape = d.wait_polls()
        for name in (counting.OPENED, counting.CLOSED):
            found = sums(scrape, name, 'side', 'view', 'peer')
            self.assertEqual(found, {(side, view, 'lo'): 300 for side in ('client', 'server')
                                     for view in ('first', 'other')}, name)
        d.stop()

    def test_what_is_folded_changes_no_sum(self):
        """Peers first, then views, then ports."""
        ports = (5000, 5001, 5002)
        text = views(a='sport = :5000', b='dport = :5000', c='sport = :5001') \
            + peers(lo=['127.0.0.0/8'])
        d = self.exact(EXACT + PINNED + text + 'limits: {series: 100000}\n')
        folded = []
        for series in (100000, 5000, 4000, 3000, 1500):
            limit = f'limits: {{series: {series}}}\n'
            d.reload(EXACT + PINNED + text + limit)
            before = d.wait_polls()
            after = self.run_traffic(d, 100, *ports)
            for name in (counting.OPENED, counting.CLOSED):
                growth = sums(after, name, 'side')
                growth.subtract(sums(before, name, 'side'))
                self.assertEqual(growth, {'client': 300, 'server': 300}, (series, name))
            self.assertLessEqual(after.value('sockstatd_series'), series)
            folded.append(after.by('sockstatd_folded_groups', 'reason')['series'])
            labels = [dict(l) for l in after.series('sockstat_tcp_sockets')]
            if any(l['peer'] == 'lo' for l in labels) and folded[-1] > 0:
                self.assertTrue(any(l['view'] != 'other' for l in labels), 'peers go first')
        self.assertEqual(folded[0], 0)
        self.assertGreater(folded[-1], folded[0])
        self.assertEqual(folded, sorted(folded))
        d.stop()

    def test_a_reload_shows_and_hides(self):
        first, second = views(web='sport = :5000', db='sport = :5001'), views(db='sport = :5001')
        d = self.exact(EXACT + first)
        for port in (5000, 5001):
            listener = self.keep(namespace.IPV4.listen(port))
            d.wait_polls('listeners')
            for _ in range(5):
                self.keep(*namespace.IPV4.pair(port, listener))[1].send(b'x' * 1000)
        name = 'received_bytes_total'
        d.wait_metrics(lambda m: sums(m, name, 'side', 'view') == {
            ('server', 'web'): 5000, ('server', 'db'): 5000}, 'all of it')
        d.reload(EXACT + second)
        scrape = d.wait_polls()
        self.assertEqual(sums(scrape, name, 'side', 'view'), {('server', 'db'): 5000},
                         'it goes on, and what the other did before is not told again')
        self.assertFalse(any(dict(l)['view'] == 'web'
                             for l in scrape.series('sockstat_tcp_sockets')))
        d.reload(EXACT)
        scrape = d.wait_polls()
        self.assertFalse(any('view' in dict(l) for l in scrape.series('sockstat_tcp_sockets')))
        for s in self._kept:
            s.close()
        d.reload(EXACT + first)
        d.wait_metrics(lambda m: sums(m, counting.CLOSED, 'side').total() == 20, 'the ends')
        d.stop()

    def test_reloads_under_load(self):
        """Each scrape is answered, series of a name that is gone go, no counter of another falls."""
        texts = (views(a='sport = :5000', b='dport = :5000'), views(b='dport = :5000'),
                 views(b='dport = :5000', a='sport = :5000') + peers(lo=['127.0.0.0/8']),
                 peers(lo=['127.0.0.0/8'], one=['127.0.0.1']), '')
        d = self.exact(EXACT)
        with namespace.Churn(namespace.IPV4, 5000):
            before = d.wait_polls()
            for n in range(25):
                text = texts[n % len(texts)]
                d.reload(EXACT + text)
                after = d.wait_polls('sockets', 1)
                names = {dict(labels).get('view') for labels in
                         after.series('sockstat_tcp_sockets')} - {'other', None}
                self.assertLessEqual(names, {name for name in 'ab' if f'"{name}"' in text}, n)
                self.assert_named_goes_on(before, after)
                before = after
        d.stop()

    def assert_named_goes_on(self, before, after):
        """No counter falls of a series that both have."""
        now = counting.counters(after)
        for series, value in counting.counters(before).items():
            if series in now:
                self.assertGreaterEqual(now[series], value, series)


class Many(truth.Case):
    """As many views as there may be."""

    def test_five_hundred_views(self):
        names = {f'v{n}': f'sport = :{5000 + n}' for n in range(500)}
        for n in (0, 1, 100, 499):
            for _ in range(n % 3 + 1):
                self.keep(*namespace.IPV4.pair(5000 + n, self._listener(5000 + n)))
        d = self.daemon(daemon.FAST + views(**names) + 'limits: {ports: 600, series: 100000}\n')
        scrape = self.stable(d)[1]
        expected = {f'v{n}': 1 + n % 3 + 1 for n in (0, 1, 100, 499)}
        shown = sums(scrape, 'sockets', 'view')
        clients = shown.pop('other')
        self.assertEqual(shown, expected)
        self.assertEqual(clients, sum(value - 1 for value in expected.values()))
        d.reload(daemon.FAST + views(**names) + 'limits: {ports: 600, series: 1500}\n')
        scrape = d.wait_polls()
        self.assertEqual(sum(sums(scrape, 'sockets', 'view').values()), sum(expected.values()) + clients)
        self.assertLessEqual(scrape.value('sockstatd_series'), 1500)
        d.stop()

    def _listener(self, port):
        if not hasattr(self, '_listeners'):
            self._listeners = {}
        if port not in self._listeners:
            self._listeners[port] = self.keep(namespace.IPV4.listen(port))
        return self._listeners[port]


if __name__ == '__main__':
    truth.main()
