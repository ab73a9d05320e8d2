#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""From a full accept queue to whoever is paged, and back: Prometheus with the configuration and the
rules that are shipped, but for their durations, scrapes over TLS as a user, and tells Alertmanager."""
import os
import shutil
import subprocess
import unittest

import cgroups
import namespace
import prometheus
import truth
import web

DASHBOARDS = os.environ.get('DASHBOARDS', '')
EXAMPLE = os.path.join(os.path.dirname(DASHBOARDS), 'deploy', 'prometheus', 'prometheus.yml')
PASSWORD = 'correct horse'
# Five minutes are long for a test, and so are fifteen seconds.
HURRY = '{_config+:: {overflowWindow: "15s", overflowFor: "2s"}}'
SCRAPE_INTERVAL, HURRIED_INTERVAL = '15s', '1s'
ALERT = 'SockstatdAcceptQueueOverflow'
UNIT, BACKLOG = 'shop.service', 2
# Prometheus looks for its targets every five seconds, and an alert takes its window.
PATIENCE_SECONDS = 60


@unittest.skipUnless(os.environ.get('PROMETHEUS') and os.environ.get('ALERTMANAGER') and
                     shutil.which('jsonnet'), 'Prometheus, Alertmanager or jsonnet is missing')
class Alerting(web.Case):
    """One listener that overflows, and drains."""

    family = namespace.IPV4

    def render(self, directory):
        """Writes the rules of the mixin, for who is in a hurry."""
        for field, name in (('prometheusAlerts', 'alerts.yaml'), ('prometheusRules', 'rules.yaml')):
            expression = f"std.manifestYamlDoc(((import 'mixin.libsonnet') + {HURRY}).{field})"
            text = subprocess.run(('jsonnet', '-S', '-J', DASHBOARDS, '-e', expression), check=True,
                                  stdout=subprocess.PIPE, text=True).stdout
            with open(os.path.join(directory, name), 'w', encoding='utf-8') as f:
                f.write(text)

    def configure(self, directory, port):
        """Writes the example, and what it refers to; the example."""
        self.render(directory)
        shutil.copy(self.authority.path, os.path.join(directory, 'ca.crt'))
        with open(os.path.join(directory, 'password'), 'w', encoding='ascii') as f:
            f.write(PASSWORD)
        with open(EXAMPLE, encoding='utf-8') as f:
            text = f.read()
        self.assertEqual(text.count(SCRAPE_INTERVAL), 2)
        for there, here in ((SCRAPE_INTERVAL, HURRIED_INTERVAL),
                            ('localhost:17625', f'localhost:{port}'),
                            ('localhost:9093', f'127.0.0.1:{prometheus.ALERTMANAGER_PORT}')):
            self.assertIn(there, text)
            text = text.replace(there, here)
        return text

    def served(self):
        """A daemon with the web configuration that is shipped, and one user."""
        with open(os.environ['WEB_EXAMPLE'], encoding='utf-8') as f:
            text = f.read()
        users = web.users(prometheus=web.hash_of(PASSWORD, cost=10))
        return self.web(text + users, tls=self.client(),
                        headers=web.basic('prometheus', PASSWORD))

    def listener(self, port):
        """(a listener, its unit): the unit is None where no cgroup can be made."""
        if cgroups.missing():
            return self.keep(self.family.listen(port, backlog=BACKLOG)), None
        tree = cgroups.Tree()
        self.addCleanup(tree.close)
        address = (self.family.listen_address, port)
        return self.keep(tree.listen('shop.slice/' + UNIT, address, backlog=BACKLOG)).socket, UNIT

    def assert_names(self, alert, unit, whose):
        """The alert names the UNIT, in its words too, in which WHOSE follows."""
        if unit:
            self.assertEqual(alert['labels'].get('unit'), unit)
            whose = f'{unit}, {whose}'
        self.assertIn(whose, alert['annotations']['description'])

    def test_an_overflow_pages_until_it_is_over(self):
        port = self.family.base
        labels = f'address="{self.family.label}",port="{port}"'
        d = self.served()
        listener, unit = self.listener(port)
        config = self.configure(d.directory, d.port)
        self.assertEqual(self.status(self.client(), '/metrics'), 401)
        with prometheus.Alertmanager(d.directory) as alertmanager, \
                prometheus.Prometheus(d.directory, config) as p:
            # A counter must have been seen at 0 to have grown.
            p.wait_query(f'count_over_time(sockstat_listener_drops_total{{{labels}}}[1m]) > 2',
                         PATIENCE_SECONDS)
            self.assertEqual(alertmanager.told, [])
            self.keep(*(self.family.connect(port, wait=False) for _ in range(6)))
            alert = alertmanager.wait_told('firing', PATIENCE_SECONDS)
            self.assertEqual(alert['labels']['alertname'], ALERT)
            self.assertEqual(alert['labels']['severity'], 'critical')
            self.assertEqual((alert['labels']['address'], alert['labels']['port']),
                             (self.family.label, str(port)))
            shown = p.query(f'sockstat_listener_info{{{labels}}}')[0]['metric'].get('unit')
            self.assertEqual(alert['labels'].get('unit'), shown)
            self.assert_names(alert, unit, f'{self.family.label}:{port} of localhost:{d.port}, '
                                           'dropped')
            # Whoever was refused comes again, and is let in.
            self.keep(*(listener.accept()[0] for _ in range(6)))
            alertmanager.wait_told('resolved', PATIENCE_SECONDS)
            names = {told['labels']['alertname'] for told in alertmanager.told}
            self.assertEqual(names, {ALERT}, 'and nothing else')
        d.stop()


if __name__ == '__main__':
    truth.main()
