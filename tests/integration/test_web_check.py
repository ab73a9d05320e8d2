#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""--config.check of a web configuration: what is wrong is said with its place, and what is good for
Prometheus' exporters is good here."""
import os
import re
import subprocess
import unittest

import truth
import web

PROMTOOL = os.environ.get('PROMTOOL', '')
HASH = '$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi'
# Each is good, or bad, for both.
GOOD = {
    'empty': '',
    'TLS': web.TLS,
    'versions': web.TLS + '  min_version: TLS10\n  max_version: TLS13\n',
    'versions alone': 'tls_server_config: {min_version: TLS13}\n',
    'clients': web.TLS + '  client_auth_type: RequireAndVerifyClientCert\n'
                         '  client_ca_file: ca.crt\n',
    'an old name': web.TLS + '  client_auth_type: RequireClientCert\n',
    'suites': web.TLS + '  prefer_server_cipher_suites: false\n  cipher_suites:\n' + ''.join(
        f'  - {name}\n' for name in (
            'TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256',
            'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA', 'TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA',
            'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA', 'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA',
            'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
            'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
            'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
            'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256')),
    'curves': web.TLS + '  curve_preferences: [CurveP256, CurveP384, CurveP521, X25519]\n',
    'headers': '''http_server_config:
  http2: false
  headers:
    Content-Security-Policy: "default-src 'self'"
    X-Frame-Options: sameorigin
    X-Content-Type-Options: nosniff
    X-XSS-Protection: "1; mode=block"
    Strict-Transport-Security: max-age=31536000
''',
    'users of any cost': 'basic_auth_users:\n' + ''.join(
        f'  user{cost}: {HASH.replace("$10$", f"${cost:02}$")}\n' for cost in (4, 12, 18)),
    'users': f'basic_auth_users:\n  alice: {HASH}\n  "b c": {HASH.replace("2y", "2a")}\n',
}
# With where we say it.
BAD = {
    'unknown section': ('tls: {}\n', '1:1: tls'),
    'unknown key': (web.TLS + '  cert: ""\n  certificate: a\n', '5:3: tls_server_config.'),
    'not a map': ('- tls\n', '1:1: must be a map'),
    'no key': ('tls_server_config: {cert_file: server.crt}\n', '1:1: tls_server_config'),
    'no certificate': ('tls_server_config:\n  key_file: server.key\n', '1:1: tls_server_config'),
    'no such certificate': (web.TLS.replace('.crt', '.gone'), '2:14: tls_server_config.cert_file'),
    'no such key': (web.TLS.replace('.key', '.gone'), '3:13: tls_server_config.key_file'),
    "another's key": (web.TLS.replace('server.key', 'ca.key'), '3:13: tls_server_config.key_file'),
    'a key as certificate': (web.TLS.replace('server.crt', 'server.key'),
                             '2:14: tls_server_config.cert_file'),
    'unasked authority': (web.TLS + '  client_ca_file: ca.crt\n',
                          '4:19: tls_server_config.client_ca_file'),
    'no such authority': (web.TLS + '  client_auth_type: RequireAndVerifyClientCert\n'
                          '  client_ca_file: gone.crt\n',
                          '5:19: tls_server_config.client_ca_file'),
    'unknown policy': (web.TLS + '  client_auth_type: Whoever\n',
                       '4:21: tls_server_config.client_auth_type'),
    'unknown version': (web.TLS + '  min_version: TLS111\n', '4:16: tls_server_config.min_version'),
    'unknown suite': (web.TLS + '  cipher_suites: [TLS_ROT13]\n',
                      '4:19: tls_server_config.cipher_suites'),
    'unknown curve': (web.TLS + '  curve_preferences: [Curve1]\n',
                      '4:23: tls_server_config.curve_preferences'),
    'another header': ('http_server_config: {headers: {Server: x}}\n',
                       '1:32: http_server_config.headers.Server'),
    'wrong option': ('http_server_config: {headers: {X-Content-Type-Options: sniff}}\n',
                     '1:56: http_server_config.headers.X-Content-Type-Options'),
    'no hash': ('basic_auth_users: {alice: secret}\n', '1:27: basic_auth_users.alice'),
}
# The packaged promtool is of a version that did not look.
STRICTER = {
    'twice': (web.TLS + '  key_file: server.key\n', '4:3: tls_server_config.key_file'),
    'user twice': (f'basic_auth_users:\n  a: {HASH}\n  a: {HASH}\n', '3:3: basic_auth_users.a'),
    'nobody can be matched': (web.TLS + '  client_allowed_sans: [a]\n',
                              '4:24: tls_server_config.client_allowed_sans'),
    'versions crossed': (web.TLS + '  min_version: TLS13\n  max_version: TLS12\n',
                         '4:16: tls_server_config.min_version'),
    'costly': (f'basic_auth_users: {{a: {HASH.replace("$10$", "$31$")}}}\n',
               '1:23: basic_auth_users.a'),
}


class Check(web.Case):
    """Both programs on the same files."""

    def check(self, text):
        """(exit status, what it says), and whether promtool takes the same file."""
        path = self.file('web.yaml', text)
        run = self.sockstatd('--config.check', web.FLAG + path,
                             '--config.file=' + self.file('c.yaml', ''))
        promtool = subprocess.run((PROMTOOL, 'check', 'web-config', path), check=False,
                                  capture_output=True) if PROMTOOL else None
        return run.returncode, run.stdout + run.stderr, promtool and promtool.returncode == 0

    def test_good(self):
        for name, text in GOOD.items():
            with self.subTest(name):
                status, said, theirs = self.check(text)
                self.assertEqual((status, said), (0, ''))
                self.assertIn(theirs, (True, None))

    def test_bad(self):
        for name, (text, place) in (BAD | STRICTER).items():
            with self.subTest(name):
                status, said, theirs = self.check(text)
                self.assertEqual(status, 1)
                self.assertRegex(said, '(?m)^' + re.escape(self.path('web.yaml') + ':' + place))
                if name in BAD:
                    self.assertIn(theirs, (False, None))

    def test_faults_of_both_files(self):
        web_path = self.file('web.yaml', 'tls: {}\nbasic_auth_users: {a: b}\n')
        path = self.file('c.yaml', 'poll: {sokets: 1s}\n')
        run = self.sockstatd('--config.check', web.FLAG + web_path, '--config.file=' + path)
        self.assertEqual(run.returncode, 1)
        places = [line.split(': ')[0] for line in run.stderr.splitlines()]
        self.assertEqual(places, [path + ':1:8', web_path + ':1:1', web_path + ':2:23'])

    @unittest.skipUnless(os.environ.get('WEB_EXAMPLE'), 'the example is not named')
    def test_the_example(self):
        with open(os.environ['WEB_EXAMPLE'], encoding='utf-8') as f:
            text = f.read()
        os.link(self.path('ca.crt'), self.path('scrapers.crt'))
        begin = text.index('tls_server_config:')
        whole = text[:begin] + re.sub(r'(?m)^( *)# ( *[a-z_]+: |[a-z_]+:$)', r'\1\2', text[begin:])
        whole = whole.replace('$2y$10$...', HASH)
        for name, example in (('as it is', text), ('with all that it suggests', whole)):
            status, said, theirs = self.check(example)
            self.assertEqual((status, said), (0, ''), name)
            self.assertIn(theirs, (True, None), name)
        self.assertRegex(whole, r'(?m)^basic_auth_users:$')
        self.assertRegex(whole, r'(?m)^  client_ca_file: scrapers.crt$')


if __name__ == '__main__':
    truth.main()
