#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""TLS as the web configuration has it: certificates, versions, suites, and who may come."""
import os
import shutil
import ssl
import subprocess
import tempfile
import unittest

import daemon
import prometheus
import truth
import web

V10, V11, V12, V13 = (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2,
                      ssl.TLSVersion.TLSv1_3)


PROMETHEUS = os.environ.get('PROMETHEUS', '')


class Certificate(web.Case):
    """What the server shows."""

    def test_a_scrape(self):
        d = self.web(web.TLS, tls=self.client())
        self.assertEqual(d.scrape().value('sockstatd_config_last_reload_successful'), 1)
        self.assertIn('TLS is enabled', d.log())
        d.stop()

    def test_who_trusts_another_ca_is_not_fooled(self):
        d = self.web(web.TLS, tls=self.client())
        other = web.Authority(self.directory, 'other')
        with self.assertRaises(ssl.SSLCertVerificationError):
            daemon.fetch('/metrics', tls=self.client(authority=other))
        d.stop()

    def test_inline(self):
        texts = {}
        for name in ('crt', 'key'):
            with open(self.path('server.' + name), encoding='ascii') as f:
                texts[name] = ''.join('    ' + line for line in f)
        d = self.web('tls_server_config:\n  cert: |\n' + texts['crt'] + '  key: |\n' + texts['key'],
                     tls=self.client())
        d.scrape()
        d.stop()

    def test_of_an_elliptic_curve(self):
        self.authority.issue('server', 'IP:127.0.0.1',
                             kind=('ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'))
        d = self.web(web.TLS, tls=self.client())
        d.scrape()
        self.assertEqual(self.status(self.client(versions=(V12, V12))), 200)
        d.stop()

    @unittest.skipUnless(shutil.which('systemd-socket-activate'), 'systemd is not installed')
    def test_on_a_socket_that_was_passed(self):
        d = self.web(web.TLS, tls=self.client(),
                     wrap=('systemd-socket-activate', f'--listen=127.0.0.1:{daemon.PORT}'))
        self.assertIn('listening on sockets that were passed', d.log())
        d.scrape()
        self.assertEqual(self.status(), 400)
        d.stop()

    def test_http_is_told(self):
        d = self.web(web.TLS, tls=self.client())
        status, _, body = daemon.get('/metrics')
        self.assertEqual(status, 400)
        self.assertIn('HTTPS', body)
        d.scrape()
        d.stop()

    @unittest.skipUnless(PROMETHEUS, 'prometheus is not installed')
    def test_prometheus_scrapes(self):
        d = self.web(web.TLS, tls=self.client())
        config = f'''
global: {{scrape_interval: 250ms, scrape_timeout: 250ms}}
scrape_configs:
  - job_name: sockstatd
    scheme: https
    tls_config: {{ca_file: {self.authority.path}}}
    static_configs: [{{targets: ["127.0.0.1:{d.port}"]}}]
'''
        with tempfile.TemporaryDirectory() as directory:
            with prometheus.Prometheus(directory, config) as p:
                p.wait_query('up == 1')
        d.stop()


class Versions(web.Case):
    """What is negotiated."""

    def expect(self, text, cases):
        """With this in the file, a client of CASES is let in or not: (version, whether)."""
        allowed = [version for version, good in cases if good]
        d = self.web(web.TLS + text, tls=self.client(versions=(allowed[0], allowed[0])))
        for version, good in cases:
            with self.subTest(f'{text} {version}'):
                self.assertEqual(self.status(self.client(versions=(version, version))),
                                 200 if good else None)
        d.stop()

    def test_by_default_1_2_and_1_3(self):
        self.expect('', ((V11, False), (V12, True), (V13, True)))

    def test_from_1_3(self):
        self.expect('  min_version: TLS13\n', ((V12, False), (V13, True)))

    def test_up_to_1_2(self):
        self.expect('  max_version: TLS12\n', ((V11, False), (V12, True), (V13, False)))

    def test_from_1_0_up_to_1_1(self):
        self.expect('  min_version: TLS10\n  max_version: TLS11\n',
                    ((V10, True), (V11, True), (V12, False), (V13, False)))

    def curl(self, d, *options):
        """Whether curl gets an answer."""
        return subprocess.run(
            ('curl', '-sf', '-o', '/dev/null', '--cacert', self.authority.path, *options,
             f'https://127.0.0.1:{d.port}/-/healthy'), check=False).returncode == 0

    def test_suites_below_1_3(self):
        d = self.web(web.TLS + '  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]\n',
                     tls=self.client())
        old = ('--tls-max', '1.2', '--ciphers')
        self.assertTrue(self.curl(d, *old, 'ECDHE-RSA-AES256-GCM-SHA384'))
        self.assertFalse(self.curl(d, *old, 'ECDHE-RSA-AES128-GCM-SHA256'))
        # As in Go: the choice is not of these.
        self.assertTrue(self.curl(d, '--tlsv1.3', '--tls13-ciphers', 'TLS_AES_128_GCM_SHA256'))
        d.stop()

    def test_suites_of_1_3_only(self):
        self.expect('  cipher_suites: [TLS_AES_128_GCM_SHA256]\n', ((V12, False), (V13, True)))

    def test_whose_order_counts(self):
        suites = '''  cipher_suites:
    - TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
    - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
'''
        for server, expected in (('true', 'ECDHE-RSA-AES256-GCM-SHA384'),
                                 ('false', 'ECDHE-RSA-AES128-GCM-SHA256')):
            context = self.client(versions=(V12, V12))
            context.set_ciphers('ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384')
            d = self.web(web.TLS + suites + f'  prefer_server_cipher_suites: {server}\n',
                         tls=context)
            connection = daemon.connect(tls=context)
            connection.connect()
            self.assertEqual(connection.sock.cipher()[0], expected, server)
            connection.close()
            d.stop()

    def test_curves(self):
        d = self.web(web.TLS + '  curve_preferences: [CurveP384]\n', tls=self.client())
        for version in ('1.2', '1.3'):
            self.assertTrue(self.curl(d, '--tls-max', version, '--curves', 'P-384'), version)
            self.assertFalse(self.curl(d, '--tls-max', version, '--curves', 'P-256'), version)
        d.stop()


class Clients(web.Case):
    """Who has to show what."""

    CERTS = ('none', 'stranger', 'member', 'server_only')
    # For each policy, who of them is let in.
    POLICIES = {
        'NoClientCert': (True, True, True, True),
        'RequestClientCert': (True, True, True, True),
        'RequireAnyClientCert': (False, True, True, True),
        'RequireClientCert': (False, True, True, True),
        'VerifyClientCertIfGiven': (True, False, True, False),
        'RequireAndVerifyClientCert': (False, False, True, False),
    }

    def setUp(self):
        super().setUp()
        stranger = web.Authority(self.directory, 'elsewhere')
        stranger.issue('stranger', 'DNS:member.example', 'clientAuth')
        self.authority.issue('member', 'DNS:member.example,IP:10.1.2.3,URI:spiffe://a/b,'
                             'email:a@example.com', 'clientAuth')
        self.authority.issue('server_only', 'DNS:member.example', 'serverAuth')

    def let_in(self, cert, versions=None):
        """Whether who shows this certificate gets an answer."""
        context = self.client(None if cert == 'none' else cert, versions=versions)
        return self.status(context) == 200

    def test_policies(self):
        d = self.web(web.TLS, tls=self.client())
        for policy, expected in self.POLICIES.items():
            ca = '' if policy == 'NoClientCert' else '  client_ca_file: ca.crt\n'
            self.assertIn('reloaded', self.reload_web(
                d, web.TLS + ca + f'  client_auth_type: {policy}\n'))
            for version in (V12, V13):
                found = tuple(self.let_in(cert, (version, version)) for cert in self.CERTS)
                self.assertEqual(found, expected, f'{policy} {version}')
        d.tls = self.client('member')
        d.disconnect()
        d.scrape()
        d.stop()

    def test_allowed_sans(self):
        d = self.web(web.TLS, tls=self.client())
        policy = web.TLS + ('  client_ca_file: ca.crt\n'
                            '  client_auth_type: RequireAndVerifyClientCert\n')
        for san, good in (('member.example', True), ('10.1.2.3', True), ('spiffe://a/b', True),
                          ('a@example.com', True), ('example', False), ('10.1.2.4', False),
                          ('member', False), ('member.example.org', False),
                          ('other", "member.example', True)):
            self.assertIn('reloaded', self.reload_web(
                d, policy + f'  client_allowed_sans: ["{san}"]\n'))
            self.assertEqual(self.let_in('member'), good, san)
            self.assertFalse(self.let_in('stranger'), san)
            self.assertFalse(self.let_in('none'), san)
        d.stop()


class Headers(web.Case):
    """What every answer has."""

    def test_on_every_answer(self):
        values = {'Content-Security-Policy': "default-src 'self'", 'X-Frame-Options': 'deny',
                  'X-Content-Type-Options': 'nosniff', 'X-XSS-Protection': '1; mode=block',
                  'Strict-Transport-Security': 'max-age=31536000; includeSubDomains'}
        text = 'http_server_config:\n  http2: true\n  headers:\n' + ''.join(
            f'    {name}: "{value}"\n' for name, value in values.items())
        d = self.web(text)
        self.assertIn('TLS is disabled', d.log())
        for path, method, status in (('/metrics', 'GET', 200), ('/metrics', 'HEAD', 200),
                                     ('/nothing', 'GET', 404), ('/metrics', 'POST', 405),
                                     ('/metrics?collect[]=x', 'GET', 400)):
            found, headers, _ = daemon.fetch(path, method=method)
            self.assertEqual(found, status)
            for name, value in values.items():
                self.assertEqual(headers[name], value, f'{method} {path}')
        d.stop()


class Rate(web.Case):
    """How many requests are answered."""

    def test_beyond_the_burst_others_wait(self):
        d = self.web('rate_limit: {interval: 1h, burst: 100}\n')
        statuses = [self.status() for _ in range(120)]
        refused = statuses.index(429)
        self.assertEqual(set(statuses[:refused]), {200})
        self.assertEqual(set(statuses[refused:]), {429})
        self.assertLess(refused, 100)
        self.reload_web(d, 'rate_limit: {interval: 0, burst: 0}\n')
        self.assertEqual({self.status() for _ in range(120)}, {200})
        self.reload_web(d, 'rate_limit: {interval: 1s, burst: 0}\n')
        self.assertEqual(self.status(), 429)
        d.stop()

    def test_who_waits_for_a_password_counts_once(self):
        users = web.users(prom=web.hash_of('right', cost=4))
        headers = web.basic('prom', 'right')
        d = self.web(users, headers=headers)
        self.reload_web(d, users.replace('prom:', 'late:').replace('basic', 'rate_limit: '
                        '{interval: 1h, burst: 2}\nbasic'))
        late = web.basic('late', 'right')
        self.assertEqual([self.status(headers=late) for _ in range(3)], [200, 200, 429])
        d.stop()


if __name__ == '__main__':
    truth.main()
