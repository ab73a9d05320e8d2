#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The exposition before its real readers: promtool and Prometheus."""
import os
import subprocess
import time
import unittest

import daemon
import namespace
import prometheus
import sstool
import states
import truth

EXTENDED = daemon.FAST + 'metrics: {profile: extended}\n'
PROMTOOL = os.environ.get('PROMTOOL', '')
PROMETHEUS = os.environ.get('PROMETHEUS', '')
SCRAPES = '''
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: sockstatd
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
'''


class Format(truth.Case):
    """One daemon with everything to show."""

    def everything(self, config):
        """A daemon that has seen every state."""
        d = self.daemon(config)
        for family in namespace.FAMILIES:
            self.keep(*states.make_all(family)[1])
        d.wait_polls()
        return d

    @unittest.skipUnless(PROMTOOL, 'promtool is not installed')
    def test_promtool_is_silent(self):
        for config in (daemon.FAST, EXTENDED):
            namespace.enter()
            d = self.everything(config)
            check = subprocess.run((PROMTOOL, 'check', 'metrics'), input=d.scrape().text,
                                   text=True, capture_output=True, check=False)
            self.assertEqual((check.returncode, check.stdout, check.stderr), (0, '', ''), config)
            d.stop()

    @unittest.skipUnless(PROMETHEUS, 'prometheus is not installed')
    def test_a_real_prometheus_scrapes_it(self):
        d = self.everything(EXTENDED)
        with prometheus.Prometheus(d.directory, SCRAPES.format(port=d.port)) as p:
            self.assertEqual([sample['value'][1] for sample in p.wait_query('up')], ['1'])
            stored = p.wait_query('sockstat_tcp_sockets')
            self.assertEqual({sample['metric']['state'] for sample in stored},
                             set(truth.STATES))
        d.stop()

    def test_every_family_has_help_that_is_a_sentence(self):
        d = self.everything(EXTENDED)
        for name, family in d.scrape().families.items():
            self.assertTrue(family.help and family.help.endswith('.'), name)
        d.stop()

    def test_series_are_counted_as_they_are_shown(self):
        d = self.everything(daemon.FAST)
        scrape = d.scrape()
        shown = sum(1 for line in scrape.text.splitlines() if not line.startswith('#'))
        self.assertEqual(scrape.value('sockstatd_series'), shown)
        d.stop()

    def test_the_daemon_tells_about_itself(self):
        d = self.everything(daemon.FAST)
        scrape = d.scrape()
        self.assertEqual(scrape.by('sockstatd_source', 'source'), {'netlink': 1, 'procfs': 0})
        self.assertEqual(list(scrape.by('sockstatd_build_info', 'version', 'revision').values()),
                         [1])
        with open(f'/proc/{d.process.pid}/status', encoding='utf-8') as f:
            threads = int(f.read().split('Threads:')[1].split()[0])
        self.assertEqual(scrape.value('process_threads'), threads)
        # A poll has files open while it reads them.
        scrape = d.wait_metrics(lambda s: s.value('process_open_fds') ==
                                len(os.listdir(f'/proc/{d.process.pid}/fd')), 'as many files')
        for name in ('process_cpu_seconds_total', 'process_resident_memory_bytes',
                     'process_virtual_memory_bytes', 'process_max_fds'):
            self.assertGreater(scrape.value(name), 0, name)
        started = scrape.value('process_start_time_seconds')
        self.assertAlmostEqual(started, time.time(), delta=60)
        rows = len(sstool.rows())
        self.assertEqual(scrape.value('sockstatd_poll_sockets', lane='sockets'), rows)
        d.stop()


class Http(truth.Case):
    """Routes, methods and headers."""

    def test_routes_answer(self):
        d = self.daemon()
        for path, status, kind in (
                ('/metrics', 200, 'text/plain; version=0.0.4; charset=utf-8'),
                ('/', 200, 'text/html; charset=utf-8'), ('/-/healthy', 200, 'text/plain'),
                ('/-/ready', 200, 'text/plain'), ('/no/such/path', 404, 'text/plain'),
                ('/metrics/', 404, 'text/plain'), ('/metrics?x=1', 200, 'text/plain')):
            with self.subTest(path):
                found, headers, _ = daemon.get(path)
                self.assertEqual(found, status)
                self.assertTrue(headers['Content-Type'].startswith(kind), headers['Content-Type'])
        self.assertIn('href="/metrics"', daemon.get('/')[2])
        d.stop()

    def test_head_is_get_without_the_body(self):
        d = self.daemon()
        status, headers, body = daemon.get('/metrics', method='HEAD')
        self.assertEqual((status, body), (200, ''))
        self.assertGreater(int(headers['Content-Length']), 1000)
        d.stop()

    def test_other_methods_are_refused(self):
        d = self.daemon()
        for method in ('POST', 'PUT', 'DELETE', 'BREW', 'OPTIONS'):
            for path in ('/metrics', '/', '/-/healthy'):
                status, headers, _ = daemon.get(path, method=method)
                self.assertEqual(status, 405, f'{method} {path}')
                self.assertEqual(headers['Allow'].replace(' ', '').split(','), ['GET', 'HEAD'])
        d.stop()

    def test_requests_are_counted(self):
        d = self.daemon()
        def count(path, code):
            return d.scrape().value('sockstatd_http_requests_total', path=path, code=code) or 0
        before = count('/-/healthy', '200')
        for _ in range(3):
            daemon.get('/-/healthy')
        self.assertEqual(count('/-/healthy', '200'), before + 3)
        names = {key for key in d.scrape().by('sockstatd_http_requests_total', 'path', 'code')}
        for n in range(20):
            daemon.get(f'/random/{n}')
        more = {key for key in d.scrape().by('sockstatd_http_requests_total', 'path', 'code')}
        self.assertLessEqual(len(more - names), 1, 'a path that a client makes up is no label')
        d.stop()


if __name__ == '__main__':
    truth.main()
