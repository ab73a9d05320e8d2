#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each reader gets the format that it asks for, and the same numbers in all of them."""
import gzip
import time

import daemon
import exposition
import namespace
import states
import truth

CONFIG = ('poll: {listeners: 1s, sockets: 60s, cpu_limit: 1}\n'
          'metrics: {profile: extended}\n')
TEXT = 'text/plain; version=0.0.4; charset=utf-8'
OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8'
PROTOBUF = ('application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; '
            'encoding=delimited')
# What it says of Prometheus 2.42, as Debian 12 has it.
PROMETHEUS = ('application/openmetrics-text;version=1.0.0,'
              'application/openmetrics-text;version=0.0.1;q=0.75,'
              'text/plain;version=0.0.4;q=0.5,*/*;q=0.1')


def names(families):
    """{(family, type, help)} and {(sample, labels)} of what a reader has read, but for what each
    request adds to."""
    families = {name: f for name, f in families.items() if name != 'sockstatd_http_requests_total'}
    return ({(f.name, f.type, f.help) for f in families.values()},
            {(sample, frozenset(labels.items())) for f in families.values()
             for sample, labels, _ in f.samples})


def steady(families):
    """{(sample, labels): value} of what only the sockets lane changes, which has polled once."""
    return {(sample, frozenset(labels.items())): value for f in families.values()
            if f.name.startswith('sockstat_tcp_') for sample, labels, value in f.samples}


class Negotiation(truth.Case):
    """One daemon whose sockets lane polls once."""

    def setUp(self):
        super().setUp()
        for family in namespace.FAMILIES:
            self.keep(*states.make_all(family)[1])
        self.d = self.daemon(CONFIG)

    def tearDown(self):
        self.d.stop()
        super().tearDown()

    def ask(self, **headers):
        """(headers, bytes) of /metrics; "_" stands for "-"."""
        headers = {name.replace('_', '-'): value for name, value in headers.items()}
        status, fields, body = daemon.fetch('/metrics', headers=headers)
        self.assertEqual(status, 200, headers)
        self.assertEqual(fields['Vary'], 'Accept, Accept-Encoding')
        self.assertEqual(int(fields['Content-Length']), len(body))
        return fields, body

    def test_openmetrics_says_the_same(self):
        fields, body = self.ask(Accept=PROMETHEUS)
        self.assertEqual(fields['Content-Type'], OPENMETRICS)
        open_families = exposition.parse_openmetrics(body.decode())
        fields, body = self.ask()
        self.assertEqual(fields['Content-Type'], TEXT)
        families = exposition.parse(body.decode())
        self.assertEqual(names(open_families), names(families))
        self.assertEqual(steady(open_families), steady(families))
        self.assertGreater(len(steady(families)), 100)

    def test_whatever_is_asked_for_there_is_an_answer(self):
        for accept in ('application/json', 'text/html', '*/*', '', ';;;,', 'x' * 8000,
                       'application/openmetrics-text;q=0'):
            fields, body = self.ask(Accept=accept)
            self.assertEqual(fields['Content-Type'], TEXT, accept)
            exposition.parse(body.decode())

    def test_protobuf_is_for_who_prefers_it(self):
        wanted = ('application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;'
                  'encoding=delimited')
        for accept, kind in ((wanted, PROTOBUF), (f'{wanted},{PROMETHEUS}', OPENMETRICS),
                             (f'{wanted},{PROMETHEUS.replace("0.0,", "0.0;q=0.8,", 1)}', PROTOBUF),
                             (wanted + ',text/plain', TEXT)):
            self.assertEqual(self.ask(Accept=accept)[0]['Content-Type'], kind, accept)
        plain = self.ask(Accept=wanted)[1]
        fields, packed = self.ask(Accept=wanted, Accept_Encoding='gzip')
        self.assertEqual(fields['Content-Encoding'], 'gzip')
        name = b'sockstat_listener_info'
        for body in (plain, gzip.decompress(packed)):
            # A length of two bytes, then field 1 of the family, its name.
            self.assertEqual(body[2:4] + body[4:4 + len(name)], bytes((0x0a, len(name))) + name)

    def test_gzip(self):
        for accept, kind in ((PROMETHEUS, OPENMETRICS), ('*/*', TEXT)):
            fields, body = self.ask(Accept=accept, Accept_Encoding='gzip')
            self.assertEqual(fields['Content-Encoding'], 'gzip')
            self.assertEqual(fields['Content-Type'], kind)
            plain_fields, plain = self.ask(Accept=accept)
            self.assertIsNone(plain_fields['Content-Encoding'])
            self.assertLess(5 * len(body), len(plain))
            unpacked = gzip.decompress(body).decode()
            read = exposition.parse_openmetrics if kind == OPENMETRICS else exposition.parse
            self.assertEqual(names(read(unpacked)), names(read(plain.decode())))
        for refused in ('identity', 'gzip;q=0', 'br'):
            self.assertIsNone(self.ask(Accept_Encoding=refused)[0]['Content-Encoding'], refused)

    def collected(self, query):
        """The families of a scrape with this query."""
        status, _, body = daemon.get('/metrics?' + query)
        self.assertEqual(status, 200, query)
        families = exposition.parse(body)
        shown = families.get('sockstatd_series')
        if shown:
            self.assertEqual(shown.samples[0][2],
                             sum(len(family.samples) for family in families.values()), query)
        # There since the first drop, which a client that tries again may bring meanwhile.
        return set(families) - {'sockstat_listener_last_drop_timestamp_seconds'}

    def test_some_of_the_families(self):
        everything = self.collected('')
        names = ('listeners', 'tcp', 'udp', 'unix', 'other', 'summary', 'netstat', 'limits',
                 'self')
        apart = {name: self.collected(f'collect[]={name}') for name in names}
        self.assertEqual(set().union(*apart.values()), everything)
        self.assertEqual(sum(map(len, apart.values())), len(everything), 'each belongs to one')
        self.assertIn('sockstat_tcp_sockets', apart['tcp'])
        self.assertEqual(self.collected('collect%5B%5D=tcp&collect[]=udp'),
                         apart['tcp'] | apart['udp'])
        self.assertEqual(self.collected('exclude[]=self&exclude[]=tcp&other=thing'),
                         everything - apart['self'] - apart['tcp'])

    def test_what_cannot_be_collected_is_refused(self):
        for query in ('collect[]=nonsense', 'exclude[]=nonsense', 'collect[]', 'collect[]=',
                      'collect[]=tcp&exclude[]=udp', 'exclude[]=TCP'):
            status, _, body = daemon.get('/metrics?' + query)
            self.assertEqual(status, 400, query)
            self.assertIn('listeners tcp udp unix other summary netstat limits self', body)

    def created(self):
        """{(family, labels): since when} of what OpenMetrics tells."""
        families = exposition.parse_openmetrics(self.ask(Accept=PROMETHEUS)[1].decode())
        shown = families['sockstatd_series'].samples[0][2]
        self.assertEqual(shown, sum(len(f.samples) + len(f.created) for f in families.values()))
        return {(f.name, frozenset(labels.items())): when
                for f in families.values() for labels, when in f.created}

    def test_since_when_each_counter_counts(self):
        self.assertEqual(self.created(), {})
        asked = CONFIG.replace('extended', 'extended, created: true')
        self.d.reload(asked)
        before = daemon.eventually(self.created, 'the beginnings')
        self.assertEqual(self.created(), before, 'none changes')
        families = exposition.parse_openmetrics(self.ask(Accept=PROMETHEUS)[1].decode())
        start = families['process_start_time_seconds'].samples[0][2]
        for name, family in families.items():
            samples = [key for key in before if key[0] == name]
            known = family.type in ('counter', 'histogram') and \
                not name.startswith('sockstat_netstat_')
            self.assertEqual(bool(samples), known, name)
        for key, when in before.items():
            # The process's start is in ticks of the kernel's clock.
            self.assertGreater(when, start - 1, key)
            self.assertLess(when, time.time() + 1, key)
        rtt = 'sockstat_tcp_rtt_seconds'
        self.d.reload(asked + 'histograms: {rtt_seconds: [1]}\n')
        after = daemon.eventually(lambda: (lambda c: c != before and c)(self.created()),
                                  'the histogram to begin anew')
        self.assertEqual({key for key in before if after[key] != before[key]},
                         {key for key in before if after[key] > before[key]})
        self.assertEqual({name for name, labels in before
                          if after[name, labels] != before[name, labels]},
                         {name for name in families if name in (
                             rtt, 'sockstat_tcp_min_rtt_seconds', 'sockstat_tcp_closed_rtt_seconds',
                             'sockstat_tcp_rtt_variation_seconds')})

    def test_head_is_the_same_without_a_body(self):
        status, fields, body = daemon.fetch('/metrics', method='HEAD', headers={
            'Accept': PROMETHEUS, 'Accept-Encoding': 'gzip'})
        self.assertEqual((status, body), (200, b''))
        self.assertEqual(fields['Content-Type'], OPENMETRICS)
        self.assertEqual(fields['Content-Encoding'], 'gzip')

    def test_a_new_poll_is_shown_in_each_format(self):
        def established(read, **headers):
            families = read(self.ask(**headers)[1].decode())
            return [value for _, labels, value in families['sockstat_tcp_sockets'].samples
                    if labels == {'side': 'server', 'port': '8080', 'state': 'established'}]
        self.keep(*namespace.IPV4.pair(8080))
        for read, headers in ((exposition.parse, {}),
                              (exposition.parse_openmetrics, {'Accept': PROMETHEUS})):
            self.assertEqual(established(read, **headers), [])
        self.d.reload(CONFIG)
        daemon.eventually(lambda: established(exposition.parse) == [1], 'the poll of the reload')
        self.assertEqual(established(exposition.parse_openmetrics, Accept=PROMETHEUS), [1])


if __name__ == '__main__':
    truth.main()
