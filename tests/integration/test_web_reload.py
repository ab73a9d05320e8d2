#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGHUP with another certificate, or another web configuration: no scrape fails meanwhile."""
import re
import ssl

import daemon
import truth
import web


class Certificate(web.Case):
    """New connections get the new certificate, and old ones live on."""

    def shown(self):
        """The certificate that a new connection is shown, in DER."""
        connection = daemon.connect(tls=self.client())
        connection.connect()
        cert = connection.sock.getpeercert(binary_form=True)
        connection.close()
        return cert

    def test_no_scrape_fails(self):
        d = self.web(web.TLS, tls=self.client())
        seen = [self.shown()]
        with web.Scraper(self.client()) as new, web.Scraper(self.client(), keep=True) as kept:
            for _ in range(5):
                self.issue_server()
                self.assertIn('configuration reloaded', self.reload_web(d, None))
                seen.append(self.shown())
                for scraper in (new, kept):
                    scraper.wait(d)
        self.assertEqual((new.faults, kept.faults), ([], []))
        self.assertEqual(len(set(seen)), len(seen), 'each reload has brought a new one')
        d.stop()

    def test_tls_comes_and_goes(self):
        d = self.web('')
        self.assertEqual(self.status(), 200)
        with web.Scraper(None, keep=True) as kept:
            kept.wait(d)
            self.assertIn('TLS is enabled', self.reload_web(d, web.TLS))
            kept.wait(d)
            self.assertEqual(self.status(), 400)
            self.assertEqual(self.status(self.client()), 200)
        self.assertEqual(kept.faults, [], 'a connection stays as it began')
        with web.Scraper(self.client(), keep=True) as kept:
            kept.wait(d)
            self.assertIn('TLS is disabled', self.reload_web(d, ''))
            kept.wait(d)
            self.assertEqual(self.status(), 200)
            self.assertEqual(self.status(self.client()), None)
        self.assertEqual(kept.faults, [])
        d.stop()

    def test_versions_change(self):
        d = self.web(web.TLS, tls=self.client())
        old = self.client(versions=(ssl.TLSVersion.TLSv1_2,) * 2)
        self.assertEqual(self.status(old), 200)
        self.reload_web(d, web.TLS + '  min_version: TLS13\n')
        self.assertEqual(self.status(old), None)
        self.assertEqual(self.status(self.client()), 200)
        d.stop()


class Refused(web.Case):
    """What is wrong keeps what runs."""

    def test_keeps_what_runs(self):
        d = self.web(web.TLS, tls=self.client())
        self.file('other.key', '')
        for name, text, place in (
                ('not YAML', '[', ':1:'),
                ('unknown key', web.TLS + '  certfile: x\n', r':4:3: tls_server_config\.certfile'),
                ('twice', web.TLS + '  key_file: x\n', ':4:3: .*twice, first in line 3'),
                ('no key', 'tls_server_config: {cert_file: server.crt}\n', ':1:1: .*key_file'),
                ('no file', web.TLS.replace('.key', '.gone'), ':3:13: .*No such file'),
                ("another's key", web.TLS.replace('server.key', 'ca.key'), ':3:13: .*not the key'),
                ('an empty key', web.TLS.replace('server.key', 'other.key'), ':3:13: .*is empty')):
            with self.subTest(name):
                said = self.reload_web(d, text)
                self.assertIn('the old configuration stays', said)
                self.assertRegex(said, re.escape(self.path('web.yaml')) + place)
                self.assertEqual(
                    d.scrape().value('sockstatd_config_last_reload_successful'), 0)
                self.assertEqual(self.status(self.client()), 200)
        self.assertIn('configuration reloaded', self.reload_web(d, web.TLS))
        self.assertEqual(d.scrape().value('sockstatd_config_last_reload_successful'), 1)
        d.stop()

    def test_both_files_or_none(self):
        d = self.web(web.TLS, tls=self.client())
        d.write_config('poll: {sockets: never}\n')
        said = self.reload_web(d, '[')
        self.assertIn('poll.sockets', said)
        self.assertIn('web.yaml:1:', said)
        d.write_config(daemon.FAST + 'metrics: {exclude: [sockstat_tcp_memory_bytes]}\n')
        self.assertIn('reload failed', self.reload_web(d, '['))
        self.assertIn('sockstat_tcp_memory_bytes', d.wait_polls().families)
        d.stop()

    def test_at_start_it_does_not_start(self):
        path = self.file('web.yaml', web.TLS.replace('.key', '.gone'))
        run = self.sockstatd(web.FLAG + path, '--config.file=' + self.file('c.yaml', ''))
        self.assertEqual(run.returncode, 1)
        self.assertEqual(len(run.stderr.splitlines()), 1, run.stderr)
        self.assertRegex(run.stderr, re.escape(path) + r':3:13: tls_server_config\.key_file: ')
        run = self.sockstatd(web.FLAG + self.path('nothing'))
        self.assertEqual(run.returncode, 1)
        self.assertIn(self.path('nothing'), run.stderr)


if __name__ == '__main__':
    truth.main()
